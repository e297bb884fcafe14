// What an error of PutMetadata means for the items: they are kept for a retry, or end with the error's code as the reason.
import { AppError } from '#domain/errors.ts';
import type { CallResult } from './parcel.ts';

const backoff = { baseMs: 500, maxMs: 15_000 };
/**
 * A channel that is not broadcasting is retried less and less often within its window: thousands of such channels must not use up the
 * quota.
 */
const offlineBackoff = { baseMs: 2000, maxMs: 60_000 };

/** The channel is gone or forbidden: none of its items can be delivered. */
const endsChannel: ReadonlySet<string> = new Set(['IVS_NOT_FOUND', 'IVS_ACCESS_DENIED', 'IVS_PENDING_VERIFICATION']);
/** Nothing was sent, and the channel is not to blame: it is retried as soon as possible. */
const nothingSent: ReadonlySet<string> = new Set(['LIMITER_DEADLINE', 'LIMITER_FULL', 'INTERRUPTED']);

/** Why it is not known whether a failed call took effect; undefined if it certainly did not. */
export function unsureOf(error: unknown): string | undefined {
  if (!(error instanceof AppError)) return 'IVS_NO_ANSWER';
  const isUnsure = error.code === 'IVS_NO_ANSWER' || (error.code === 'INTERRUPTED' && error.details['sent'] === true);
  return isUnsure ? 'IVS_NO_ANSWER' : undefined;
}

/** @param random in [0, 1): spreads the retries. */
export function callResultOf(
  error: unknown,
  { reconnectWindowMs, random }: { readonly reconnectWindowMs: number; readonly random: number },
): CallResult {
  const known = error instanceof AppError ? error : undefined;
  if (known?.code === 'IVS_NOT_BROADCASTING')
    return { kind: 'offline', ...offlineBackoff, random, leastMs: 0, windowMs: reconnectWindowMs };
  const givenUp = known?.disposition.kind === 'give-up';
  if (known && givenUp && endsChannel.has(known.code)) return { kind: 'failed', reason: known.code, scope: 'channel' };
  if (known && nothingSent.has(known.code)) return { kind: 'back' };
  if (known && givenUp) return { kind: 'failed', reason: known.code, scope: 'call' };
  const leastMs = known?.disposition.kind === 'retry-after' ? known.disposition.delayMs : 0;
  // An unknown error may be temporary; the items' expiry limits the retries.
  return { kind: 'retry', ...backoff, random, leastMs };
}
