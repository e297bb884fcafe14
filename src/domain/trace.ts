// A place in a trace, in the text form of W3C Trace Context, so that it can travel with jobs, alerts and metadata through queues and
// restarts.
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

/** What the pipeline needs of tracing; implemented by src/runtime/tracing.ts. Everything is undefined while tracing is off. */
export interface TracePort {
  /** The place of the caller. */
  current(): Traceparent | undefined;
  /** A place that begins a trace. */
  root(): Traceparent | undefined;
  /** Runs work that is not part of the caller's. */
  outside<T>(work: () => T): T;
}

/** Maximum number of places that one piece of work remembers to follow from. */
export const mostFollowed = 32;

const version0 = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
/** A later version may have more after the flags; the known part is read. */
const laterVersion = /^(?!00|ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** Parses a traceparent; undefined for any other text. */
export function placeOf(text: unknown): TracePlace | undefined {
  if (typeof text !== 'string' || text.length > 512) return undefined;
  const [, traceId, spanId, flags] = version0.exec(text) ?? laterVersion.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparentOf({ traceId, spanId, isSampled }: TracePlace): Traceparent {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** A child whose id is derived from a key: any replica that computes it again gets the same. */
export function placeBelow(parent: Traceparent, key: string): Traceparent {
  const place = placeOf(parent);
  return place ? traceparentOf({ ...place, spanId: hash('sha256', key, 'hex').slice(0, 16) }) : parent;
}

/** The places that a stored piece of work follows from, without invalid ones. */
export function placesIn(stored: unknown): readonly Traceparent[] {
  if (!Array.isArray(stored)) return [];
  return [...new Set(stored.slice(0, mostFollowed).filter((text) => placeOf(text) !== undefined) as Traceparent[])];
}
