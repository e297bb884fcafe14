// A place in a trace, as W3C Trace Context writes it: text, so that it can go with jobs, alerts and metadata over queues and restarts.
// https://www.w3.org/TR/trace-context/#traceparent-header
import { hash } from 'node:crypto';

/** `00-<trace id>-<span id>-<flags>`. */
export type Traceparent = string;

export interface TracePlace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether the trace is recorded. */
  readonly isSampled: boolean;
}

/** What the pipeline needs of tracing; met by src/runtime/tracing.ts. Everything is undefined while nothing is traced. */
export interface TracePort {
  /** Where the caller stands. */
  current(): Traceparent | undefined;
  /** A place that begins a trace. */
  root(): Traceparent | undefined;
  /** Runs work that is not part of what the caller does. */
  outside<T>(work: () => T): T;
}

/** Most places that one piece of work remembers to follow from. */
export const mostFollowed = 32;

const version0 = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
/** A later version may have more behind the flags; what is known of it is read. */
const laterVersion = /^(?!00|ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** Reads a traceparent; undefined for what is none. */
export function placeOf(text: unknown): TracePlace | undefined {
  if (typeof text !== 'string' || text.length > 512) return undefined;
  const [, traceId, spanId, flags] = version0.exec(text) ?? laterVersion.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparentOf({ traceId, spanId, isSampled }: TracePlace): Traceparent {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** A place below another one whose name follows from a key: whoever computes it again, on any replica, gets the same. */
export function placeBelow(parent: Traceparent, key: string): Traceparent {
  const place = placeOf(parent);
  return place ? traceparentOf({ ...place, spanId: hash('sha256', key, 'hex').slice(0, 16) }) : parent;
}

/** The places that a stored piece of work follows from; what is none is left out. */
export function placesIn(stored: unknown): readonly Traceparent[] {
  if (!Array.isArray(stored)) return [];
  return [...new Set(stored.slice(0, mostFollowed).filter((text) => placeOf(text) !== undefined) as Traceparent[])];
}
