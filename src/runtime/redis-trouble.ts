// What keeps Redis from doing what it is asked: it is away, or it answers and refuses. The two are distinguished everywhere.
import { AppError, messageOf } from '#domain/errors.ts';

export interface RedisTrouble {
  /** `refuses`: a server answered. `away`: none did. */
  readonly kind: 'refuses' | 'away';
  /** The first word of a refusal, such as READONLY or ERR; for a failed connection the system's code, such as ECONNREFUSED. */
  readonly code: string;
  /** One line, suitable for a log and for a person. */
  readonly said: string;
}

const longestSaid = 300;

/** Why a server could not be found or reached, according to those that were asked. */
export class RedisSiteError extends Error {
  readonly trouble: RedisTrouble;

  constructor(trouble: RedisTrouble, cause?: unknown) {
    super(trouble.said, { cause });
    this.name = 'RedisSiteError';
    this.trouble = { ...trouble, said: oneLine(trouble.said) };
  }
}

/** A command that was not sent, because there is no connection. Its message says so to a person. */
export class RedisNotConnected extends RedisSiteError {
  /** @param trouble what is known about the connection; undefined: its first attempt has not ended */
  constructor(trouble: RedisTrouble | undefined) {
    super(trouble ?? { kind: 'away', code: 'NOT_CONNECTED', said: 'the first connection is not open yet' });
    this.name = 'RedisNotConnected';
    this.message = troubleText(this.trouble);
  }
}

/** Whether an error, or what it was caused by, only says that a start has not connected yet. */
export function isBeforeConnecting(error: unknown): boolean {
  for (let each = error, left = 8; each instanceof Error && left > 0; each = each.cause, left -= 1)
    if (each instanceof RedisNotConnected) return each.trouble.code === 'NOT_CONNECTED';
  return false;
}

/** Reads an error of a connection or a command. */
export function troubleFrom(error: unknown): RedisTrouble {
  if (error instanceof RedisSiteError) return error.trouble;
  const said = oneLine(messageOf(error));
  if (isReply(error)) return { kind: 'refuses', code: /^[A-Z][A-Z0-9]+/.exec(said)?.[0] ?? 'ERR', said };
  const { code } = error as { code?: unknown };
  const misfit = misfitOf(said, String(code));
  if (misfit) return { kind: 'refuses', ...misfit };
  return { kind: 'away', code: typeof code === 'string' ? code : 'CLOSED', said: said === '' ? String(code) : said };
}

/** Something answers that is not the intended Redis: waiting does not help. */
function misfitOf(said: string, code: string): Pick<RedisTrouble, 'code' | 'said'> | undefined {
  // The text of an error from ioredis' parser.
  const firstByte = /^Unknown RESP type (\d+)/.exec(said)?.[1];
  if (firstByte === tlsAlert)
    return { code: 'TLS_EXPECTED', said: 'the server expects TLS: begin the address with rediss://' };
  if (firstByte !== undefined)
    return { code: 'NOT_REDIS', said: 'what answers does not speak the protocol of Redis: check host and port' };
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return { code: 'NO_TLS', said: 'the server does not speak TLS: begin the address with redis://' };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      code,
      said: `the server's certificate is for another host (${said}): connect by a name that it is for, or set REDIS_TLS_SERVERNAME`,
    };
  if (certificateCodes.test(code))
    return {
      code,
      said: `the server's certificate is not accepted (${code}): REDIS_TLS_CA_FILE or NODE_EXTRA_CA_CERTS names authorities to trust`,
    };
  return undefined;
}

const tlsAlert = '21';
/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const certificateCodes =
  /^(?:UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_|CA_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;

/** `Redis refuses: READONLY You can't write …` or `Redis does not answer: connect ECONNREFUSED …`. */
export function troubleText({ kind, said }: RedisTrouble): string {
  return `${kind === 'refuses' ? 'Redis refuses' : 'Redis does not answer'}: ${said}`;
}

/**
 * The error of a call that Redis did not execute, or whose answer is missing.
 * @param known the connection's own knowledge, since the error may only say that there is no connection.
 */
export function redisFailure(what: string, cause: unknown, known: RedisTrouble | undefined): AppError {
  if (cause instanceof AppError) return cause;
  const trouble = isReply(cause) ? troubleFrom(cause) : (known ?? troubleFrom(cause));
  return new AppError(
    trouble.kind === 'refuses' ? 'REDIS_REFUSES' : 'REDIS_UNREACHABLE',
    `${what}: ${troubleText(trouble)}`,
    {
      cause,
    },
  );
}

/** Whether ioredis did not send a command because its connection was not open. */
export function isUnsent(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Stream isn't writeable and enableOfflineQueue");
}

/** Whether an error came from a command to Redis: the server refused it, or there was no connection. */
export function isOfRedis(error: unknown): boolean {
  if (isReply(error) || error instanceof RedisSiteError) return true;
  return (
    error instanceof Error &&
    (error.name === 'MaxRetriesPerRequestError' ||
      isUnsent(error) ||
      /^(?:Connection is closed\.|Command timed out)/.test(error.message))
  );
}

/** Whether an error is an answer of the server. */
function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** A server repeats the arguments of an unknown command: they may be data, or a password. */
function oneLine(text: string): string {
  const told = text
    .replace(/,? with args beginning with:[\s\S]*$/, '')
    .replace(/\s*script: [0-9a-f]{40}, on @\S+$/, '')
    .replace(/[^\P{C}]+|\s+/gu, ' ')
    .trim();
  return told.length > longestSaid ? `${told.slice(0, longestSaid)}…` : told;
}
