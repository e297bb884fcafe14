// Log lines through pino, as JSON or for a person, scrubbed at the destination: no stream key, token or webhook URL gets through, wherever
// it is.
import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino';
import { AppError, messageOf } from '#domain/errors.ts';
import { visibleLine } from '#domain/visible-text.ts';
import { LineWriter } from './line-writer.ts';
import { type LogLineOptions, logLines } from './log-lines.ts';
import { isOfRedis } from './redis-trouble.ts';
import type { Scrubber } from './scrubber.ts';
import { traceLogFields } from './tracing.ts';

export { Scrubber } from './scrubber.ts';
export type Logger = PinoLogger;

/** What LOG_LEVEL may say. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export function isLogLevel(text: string): text is (typeof logLevels)[number] {
  return (logLevels as readonly string[]).includes(text);
}

export interface LoggerOptions {
  readonly level: string;
  /** Where the scrubbed lines go; default: standard output. */
  readonly destination?: DestinationStream;
  readonly scrubber: Scrubber;
  /** For a person at a terminal, instead of JSON. */
  readonly pretty?: LogLineOptions | undefined;
}

/** A logger; each stage takes `logger.child({ stage })`. */
export function createLogger({ level, destination = new LineWriter(1), scrubber, pretty }: LoggerOptions): Logger {
  const shown = pretty ? logLines(pretty) : visibleLine;
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: unknown) => errorFields(error, isLevelWithStacks(level)) },
      mixin: traceLogFields,
    },
    { write: (line: string) => destination.write(`${shown(scrubber.scrub(line.trimEnd()))}\n`) },
  );
}

const mostCauses = 8;

/** The levels that show every stack. At the others only a bug has one. */
function isLevelWithStacks(level: string): boolean {
  return level === 'trace' || level === 'debug';
}

/** An error as log fields. What cannot be read is left out: this must never fail. */
function errorFields(error: unknown, withStacks: boolean): unknown {
  try {
    return fieldsOf(error, mostCauses, withStacks);
  } catch {
    return { message: messageOf(error) };
  }
}

/**
 * Code, message, details, the chain of causes (which may be circular). The stack of an error that is known, and of what it was caused by,
 * would tell a person nothing, and hide the message.
 */
function fieldsOf(error: unknown, causesLeft: number, withStacks: boolean, isKnown = false): unknown {
  if (!(error instanceof Error)) return { message: messageOf(error) };
  const { code, details, disposition } = error as Error & {
    code?: unknown;
    details?: unknown;
    disposition?: { kind?: unknown };
  };
  const known = isKnown || isKnownError(error);
  return {
    type: error.name,
    code,
    message: messageOf(error),
    ...(details && typeof details === 'object' && Object.keys(details).length > 0 ? { details } : {}),
    ...(disposition?.kind === undefined ? {} : { disposition: disposition.kind }),
    ...(error.cause === undefined || causesLeft === 0
      ? {}
      : { cause: fieldsOf(error.cause, causesLeft - 1, withStacks, known) }),
    ...(withStacks || !known ? { stack: error.stack } : {}),
  };
}

/** One of our codes, one of the system (ECONNRESET), or no connection to Redis. Codes of Node itself (ERR_…) are of bugs. */
function isKnownError(error: Error): boolean {
  if (error instanceof AppError) return error.code !== 'INTERNAL';
  const { code } = error as { readonly code?: unknown };
  return isOfRedis(error) || (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code));
}
