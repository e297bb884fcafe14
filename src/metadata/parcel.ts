// What goes into one PutMetadata, and how that call ended.
import { placesIn, type Traceparent } from '#domain/trace.ts';
import { envelopeOf } from './envelope.ts';
import type { ParcelReply } from './outbox-replies.ts';

/** What goes into one call. */
export interface Parcel {
  readonly ids: readonly string[];
  readonly metadata: string;
  readonly acceptedAtMs: readonly number[];
  /** Where its items come from in traces; each origin once. */
  readonly follows: readonly Traceparent[];
  /** performance.now at which the last of its items expires. */
  readonly expiresAt: number;
}

/** How a call ended, for its items or for all that wait for its channel. */
export type CallResult =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed'; readonly reason: string; readonly scope: 'call' | 'channel' }
  | (NextTry & { readonly kind: 'offline'; readonly windowMs: number })
  | (NextTry & { readonly kind: 'retry' })
  | { readonly kind: 'back' };

/** Exponential backoff with half jitter, over the channel's consecutive failures. */
interface NextTry {
  readonly baseMs: number;
  readonly maxMs: number;
  /** In [0, 1). */
  readonly random: number;
  /** The wait that the answer asked for. */
  readonly leastMs: number;
}

/** Reads what a script chose. */
export function parcelOf([mode, ids, texts, times, leftMs, traces]: ParcelReply): Parcel {
  const metadata = mode === 'plain' ? texts[0]! : envelopeOf(texts);
  const expiresAt = performance.now() + leftMs;
  return { ids, metadata, acceptedAtMs: times.map(Number), follows: placesIn(traces), expiresAt };
}

/** A result as the script `record` takes it. */
export function argumentsOf(result: CallResult): (string | number)[] {
  switch (result.kind) {
    case 'failed':
      return [result.reason, result.scope];
    case 'offline':
      return [result.baseMs, result.maxMs, result.random, result.leastMs, result.windowMs];
    case 'retry':
      return [result.baseMs, result.maxMs, result.random, result.leastMs];
    case 'delivered':
    case 'back':
      return [];
  }
}
