// Whether what a replica shows of a shard is a picture of the past.
import type { OldPicture } from '#domain/picture.ts';
import type { RedisOutage } from './redis-connections.ts';

/** A lost connection that is restored within this time is no outage. */
export const briefOutageMs = 5_000;
/** The state is read every second, and a lost connection is noticed after five; a busy machine may be slower. */
const unreadMs = 20_000;

/**
 * @param asOfMs the moment that the copy of the state shows; undefined: nothing was ever read
 * @returns undefined if the copy is as new as it can be
 */
export function oldPictureOf(
  outage: RedisOutage | undefined,
  asOfMs: number | undefined,
  nowMs: number,
): OldPicture | undefined {
  if (outage === undefined)
    return asOfMs !== undefined && nowMs - asOfMs > unreadMs ? { kind: 'unread', sinceMs: asOfMs, asOfMs } : undefined;
  // A single connection that is lost and restored is no outage while the state is still read.
  if (asOfMs !== undefined && asOfMs > outage.sinceMs && nowMs - outage.sinceMs < briefOutageMs) return undefined;
  return { kind: outage.kind, sinceMs: Math.min(outage.sinceMs, asOfMs ?? outage.sinceMs), asOfMs };
}
