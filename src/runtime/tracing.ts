// Spans of what the daemon does, and where the running piece of work stands in its trace. Nothing here knows OpenTelemetry: opentelemetry.ts
// puts a tracer in place when an endpoint is set (telemetry.ts). Until then everything here does nothing.
import { AsyncLocalStorage } from 'node:async_hooks';
import { AppError } from '#domain/errors.ts';
import { mostFollowed, placeOf, type TracePort, type Traceparent } from '#domain/trace.ts';

/** Names and values that may be shown to anybody who sees the traces: no keys, no payloads, no ids of viewers. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  /** One of few: no ids in it. */
  readonly name: string;
  /** Default: internal. */
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly attributes?: SpanAttributes;
}

/** A span that has begun. */
export interface OpenSpan {
  readonly traceparent: Traceparent;
  set(attributes: SpanAttributes): void;
  /** @param failedWith a word for what went wrong */
  end(endMs: number, failedWith?: string): void;
}

export interface SpanStart extends SpanOptions {
  readonly parent: Traceparent | undefined;
  readonly links: readonly Traceparent[];
  readonly startMs: number;
  /** Its own place, where that is known already. */
  readonly self?: Traceparent;
}

/** Makes spans; never throws. */
export interface Tracer {
  start(span: SpanStart): OpenSpan;
  root(): Traceparent;
  /** Whether messages to others carry the place. */
  readonly propagates: boolean;
}

/** What a span that runs can be told. */
export interface SpanNotes {
  set(attributes: SpanAttributes): void;
  /** How it ended, whatever is thrown: a word for what went wrong, or undefined for no failure. */
  endedWith(failure: string | undefined): void;
}

interface Place {
  readonly follows: readonly Traceparent[];
  /** Over a queue: what it follows from is linked. */
  readonly isLinked: boolean;
}

const nowhere: Place = { follows: [], isLinked: false };
const noNotes: SpanNotes = { set: () => undefined, endedWith: () => undefined };
const places = new AsyncLocalStorage<Place>();
let tracer: Tracer | undefined;

/** Puts a tracer in place for the process, until it is disposed of. */
export function useTracer(next: Tracer): Disposable {
  tracer = next;
  return {
    [Symbol.dispose]() {
      if (tracer === next) tracer = undefined;
    },
  };
}

/** Where the caller stands; undefined outside of all spans, and while nothing is traced. */
export function currentTrace(): Traceparent | undefined {
  if (!tracer) return undefined;
  const { follows, isLinked } = places.getStore() ?? nowhere;
  return isLinked ? undefined : follows[0];
}

/** For the headers of a message to others. */
export function traceHeaders(): { readonly traceparent?: Traceparent } {
  const traceparent = tracer?.propagates ? currentTrace() : undefined;
  return traceparent === undefined ? {} : { traceparent };
}

/** For a log line, as OpenTelemetry names it. https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/ */
export function traceLogFields(): object {
  const place = tracer && placeOf(currentTrace());
  return place ? { trace_id: place.traceId, span_id: place.spanId, trace_flags: place.isSampled ? '01' : '00' } : {};
}

/** Runs work as a span below the caller's. It fails with what the work throws, unless that is no failure (a wait, a stop). */
export async function traced<T>(options: SpanOptions, work: (span: SpanNotes) => Promise<T>): Promise<T> {
  if (!tracer) return work(noNotes);
  const { follows, isLinked } = places.getStore() ?? nowhere;
  const parent = follows.length === 1 ? follows[0] : undefined;
  const startMs = Date.now();
  const startedAt = performance.now();
  const span = tracer.start({ ...options, parent, links: isLinked ? follows : [], startMs });
  let verdict: { readonly failure: string | undefined } | undefined;
  const notes: SpanNotes = {
    set: (attributes) => span.set(attributes),
    endedWith: (failure) => {
      verdict = { failure };
    },
  };
  try {
    return await places.run({ follows: [span.traceparent], isLinked: false }, () => work(notes));
  } catch (error) {
    verdict ??= { failure: failureOf(error) };
    throw error;
  } finally {
    span.end(startMs + (performance.now() - startedAt), verdict?.failure);
  }
}

/** As `traced`, where the caller stands in a trace; elsewhere the work makes none. */
export function tracedBelow<T>(options: SpanOptions, work: (span: SpanNotes) => Promise<T>): Promise<T> {
  return (places.getStore() ?? nowhere).follows.length > 0 ? traced(options, work) : work(noNotes);
}

/** Runs work that follows, over a queue, from what was done at these places: a span in it is linked to all of them, and below a single one. */
export function following<T>(follows: readonly Traceparent[], work: () => T): T {
  return tracer ? places.run({ follows: follows.slice(0, mostFollowed), isLinked: true }, work) : work();
}

/** Runs work that belongs below this place. */
export function below<T>(parent: Traceparent | undefined, work: () => T): T {
  return tracer ? places.run({ follows: parent === undefined ? [] : [parent], isLinked: false }, work) : work();
}

/** Takes the caller's place along, to where somebody else will call. */
export function carried(): <T>(work: () => T) => T {
  if (!tracer) return (work) => work();
  const place = places.getStore() ?? nowhere;
  return (work) => places.run(place, work);
}

/** Writes down a span that is over. */
export function recordSpan(span: Omit<SpanStart, 'links'> & { readonly endMs: number }): void {
  tracer?.start({ ...span, links: [] }).end(span.endMs);
}

/** A span that whoever begins it ends, such as a request's; undefined while nothing is traced. */
export function openSpan(options: SpanOptions, parent: Traceparent | undefined): OpenSpan | undefined {
  return tracer?.start({ ...options, parent, links: [], startMs: Date.now() });
}

export const tracePort: TracePort = {
  current: currentTrace,
  root: () => tracer?.root(),
  outside: (work) => (tracer ? places.run(nowhere, work) : work()),
};

/** A word for a failure, without anything that a message may hold; undefined for what is none. */
function failureOf(error: unknown): string | undefined {
  if (!(error instanceof AppError)) return error instanceof Error ? error.name : 'Error';
  return error.disposition.kind === 'retry' || error.disposition.kind === 'give-up' ? error.code : undefined;
}
