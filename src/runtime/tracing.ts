// Spans of what the daemon does, and the place of the current work in its trace. This file does not depend on OpenTelemetry:
// opentelemetry.ts sets a tracer when an endpoint is set (telemetry.ts). Until then everything here does nothing.
import { AsyncLocalStorage } from 'node:async_hooks';
import { AppError } from '#domain/errors.ts';
import { mostFollowed, placeOf, type TracePort, type Traceparent } from '#domain/trace.ts';

/** Names and values that may be shown to anybody who sees the traces: no keys, no payloads, no viewer ids. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  /** One of a few names: no ids in it. */
  readonly name: string;
  /** Default: internal. */
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly attributes?: SpanAttributes;
}

/** A span that has started. */
export interface OpenSpan {
  readonly traceparent: Traceparent;
  set(attributes: SpanAttributes): void;
  /** @param failedWith a short name of the failure */
  end(endMs: number, failedWith?: string): void;
}

export interface SpanStart extends SpanOptions {
  readonly parent: Traceparent | undefined;
  readonly links: readonly Traceparent[];
  readonly startMs: number;
  /** Its own place, if that was chosen already. */
  readonly self?: Traceparent;
}

/** Makes spans; never throws. */
export interface Tracer {
  start(span: SpanStart): OpenSpan;
  root(): Traceparent;
  /** Whether messages to others carry the place. */
  readonly propagates: boolean;
}

/** What can be recorded on a running span. */
export interface SpanNotes {
  set(attributes: SpanAttributes): void;
  /** How it ended, whatever is thrown: a short name of the failure, or undefined for success. */
  endedWith(failure: string | undefined): void;
}

interface Place {
  readonly follows: readonly Traceparent[];
  /** For work received over a queue: the spans that it follows from are linked. */
  readonly isLinked: boolean;
}

const nowhere: Place = { follows: [], isLinked: false };
const noNotes: SpanNotes = { set: () => undefined, endedWith: () => undefined };
const places = new AsyncLocalStorage<Place>();
let tracer: Tracer | undefined;

/** Sets the tracer of the process, until it is disposed of. */
export function useTracer(next: Tracer): Disposable {
  tracer = next;
  return {
    [Symbol.dispose]() {
      if (tracer === next) tracer = undefined;
    },
  };
}

/** The caller's place; undefined outside of all spans, and when tracing is off. */
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

/** For a log line, named as in OpenTelemetry. https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/ */
export function traceLogFields(): object {
  const place = tracer && placeOf(currentTrace());
  return place ? { trace_id: place.traceId, span_id: place.spanId, trace_flags: place.isSampled ? '01' : '00' } : {};
}

/** Runs work as a span below the caller's. The span fails with what the work throws, unless that is not a failure (a wait, a stop). */
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

/** Like `traced` if the caller is in a trace; otherwise the work gets no span. */
export function tracedBelow<T>(options: SpanOptions, work: (span: SpanNotes) => Promise<T>): Promise<T> {
  return (places.getStore() ?? nowhere).follows.length > 0 ? traced(options, work) : work(noNotes);
}

/** Runs work that follows, over a queue, from work at these places: its span is linked to all of them, and is the child of a single one. */
export function following<T>(follows: readonly Traceparent[], work: () => T): T {
  return tracer ? places.run({ follows: follows.slice(0, mostFollowed), isLinked: true }, work) : work();
}

/** Runs work below this place. */
export function below<T>(parent: Traceparent | undefined, work: () => T): T {
  return tracer ? places.run({ follows: parent === undefined ? [] : [parent], isLinked: false }, work) : work();
}

/** Binds a function to the caller's place, for a call from elsewhere. */
export function carried(): <T>(work: () => T) => T {
  if (!tracer) return (work) => work();
  const place = places.getStore() ?? nowhere;
  return (work) => places.run(place, work);
}

/** Records a span that is over. */
export function recordSpan(span: Omit<SpanStart, 'links'> & { readonly endMs: number }): void {
  tracer?.start({ ...span, links: [] }).end(span.endMs);
}

/** A span that its creator ends, such as a request's; undefined when tracing is off. */
export function openSpan(options: SpanOptions, parent: Traceparent | undefined): OpenSpan | undefined {
  return tracer?.start({ ...options, parent, links: [], startMs: Date.now() });
}

export const tracePort: TracePort = {
  current: currentTrace,
  root: () => tracer?.root(),
  outside: (work) => (tracer ? places.run(nowhere, work) : work()),
};

/** A short name for a failure, without any text from its message; undefined for what is not a failure. */
function failureOf(error: unknown): string | undefined {
  if (!(error instanceof AppError)) return error instanceof Error ? error.name : 'Error';
  return error.disposition.kind === 'retry' || error.disposition.kind === 'give-up' ? error.code : undefined;
}
