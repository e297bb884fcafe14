// Log lines through pino, as JSON or for a person, scrubbed at the destination: no stream key, token or webhook URL gets through, wherever
// it is.
import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino';
import { messageOf } from '#domain/errors.ts';
import { visibleLine } from '#domain/visible-text.ts';
import { LineWriter } from './line-writer.ts';
import { type LogLineOptions, logLines } from './log-lines.ts';
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
      serializers: { err: errorFields },
      mixin: traceLogFields,
    },
    { write: (line: string) => destination.write(`${shown(scrubber.scrub(line.trimEnd()))}\n`) },
  );
}

const mostCauses = 8;

/** An error as log fields. What cannot be read is left out: this must never fail. */
function errorFields(error: unknown): unknown {
  try {
    return fieldsOf(error, mostCauses);
  } catch {
    return { message: messageOf(error) };
  }
}

/** Code, message, details, the chain of causes (which may be circular); the stack only of errors other than AppError. */
function fieldsOf(error: unknown, causesLeft: number): unknown {
  if (!(error instanceof Error)) return { message: messageOf(error) };
  const { code, details, disposition } = error as Error & {
    code?: unknown;
    details?: unknown;
    disposition?: { kind?: unknown };
  };
  return {
    type: error.name,
    code,
    message: messageOf(error),
    ...(details && typeof details === 'object' && Object.keys(details).length > 0 ? { details } : {}),
    ...(disposition?.kind === undefined ? { stack: error.stack } : { disposition: disposition.kind }),
    ...(error.cause === undefined || causesLeft === 0 ? {} : { cause: fieldsOf(error.cause, causesLeft - 1) }),
  };
}
