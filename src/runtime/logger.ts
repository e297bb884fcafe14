// JSON log lines through pino, scrubbed at the destination: whatever the placement, no stream key, token or webhook URL passes.
import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino';
import type { Secret } from '#domain/secret.ts';

export type Logger = PinoLogger;

/** What LOG_LEVEL may say. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export function isLogLevel(text: string): text is (typeof logLevels)[number] {
  return (logLevels as readonly string[]).includes(text);
}

export interface LoggerOptions {
  readonly level: string;
  /** Where the scrubbed lines go; standard output unless given. */
  readonly destination?: DestinationStream;
  readonly scrubber: Scrubber;
}

/** A logger; each stage takes `logger.child({ stage })`. */
export function createLogger({ level, destination = pino.destination(1), scrubber }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorFields },
    },
    { write: (line: string) => destination.write(scrubber.scrub(line)) },
  );
}

/** An error as log fields: code, message, details, the chain of causes; the stack only of what is no AppError. */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, details, disposition } = error as Error & {
    code?: unknown;
    details?: unknown;
    disposition?: { kind?: unknown };
  };
  return {
    type: error.name,
    code,
    message: error.message,
    ...(details && typeof details === 'object' && Object.keys(details).length > 0 ? { details } : {}),
    ...(disposition?.kind === undefined ? { stack: error.stack } : { disposition: disposition.kind }),
    ...(error.cause === undefined ? {} : { cause: errorFields(error.cause) }),
  };
}

const patterns: readonly [RegExp, string][] = [
  // A stream key's value: https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamKey.html
  [/sk_[a-z0-9-]+_[A-Za-z0-9]+_[A-Za-z0-9]+/g, '[stream key]'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, '[private key]'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/_.~=-]{6,}/gi, '$1 [token]'],
  [/(rediss?:\/\/[^:@/\s"]*:)[^@\s"]+@/g, '$1[password]@'],
  [/\b(https?:\/\/)[^/@\s"]+:[^/@\s"]+@/g, '$1[credentials]@'],
  [/https:\/\/hooks\.[^\s"\\]+/g, '[webhook URL]'],
];

/** Replaces what must not be seen in a text: known shapes, and every value it was told of. */
export class Scrubber {
  readonly #values = new Map<string, string>();

  /** Hides this very value from now on, wherever it stands; values shorter than six characters are not taken. */
  hide(value: string | Secret, label: string): void {
    const text = typeof value === 'string' ? value : value.reveal();
    if (text.length < 6) return;
    this.#values.set(text, `[${label}]`);
    const inJson = JSON.stringify(text).slice(1, -1);
    if (inJson !== text) this.#values.set(inJson, `[${label}]`);
  }

  /** Forgets a value that `hide` was told of. */
  forget(value: string | Secret): void {
    const text = typeof value === 'string' ? value : value.reveal();
    this.#values.delete(text);
    this.#values.delete(JSON.stringify(text).slice(1, -1));
  }

  scrub(text: string): string {
    let result = text;
    for (const [value, label] of this.#values) if (result.includes(value)) result = result.replaceAll(value, label);
    for (const [pattern, label] of patterns) result = result.replace(pattern, label);
    return result;
  }
}
