// A pool of channels that are lent out: its channels carry the tag `ivs-autopilot:pool`, and the shared state records who has which. A
// returned channel gets a new key, so that its former user can no longer stream to it.
import { createHash } from 'node:crypto';
import type { ChannelLease } from '#domain/action-memory.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { isOnHold } from '#domain/controls-in-force.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';

/** The tag that puts a channel into a pool; its value is the pool's name. */
export const poolTag = 'ivs-autopilot:pool';

/** The channels of a pool, by ARN. */
export function channelsOfPool(view: StateView, pool: string): ChannelArn[] {
  const channels = Array.from(view.entries(kinds.channel), ([, channel]) => channel);
  return channels
    .filter(({ tags }) => tags[poolTag] === pool)
    .map(({ arn }) => arn)
    .toSorted();
}

/** A free channel that is not live and not on hold; any of them will do, so it is the one that has been free for longest. */
export function freeChannelOf(
  view: StateView,
  pool: string,
  { nowMs, gone }: { readonly nowMs: number; readonly gone?: ReadonlySet<string> },
): ChannelArn | undefined {
  return channelsOfPool(view, pool).find(
    (arn) =>
      !gone?.has(arn) &&
      view.get(kinds.channelLease.of(arn)) === undefined &&
      view.get(kinds.stream.of(arn))?.state !== 'live' &&
      !isOnHold(view, arn, nowMs),
  );
}

/** The channel of this lease. */
export function leasedBy(view: StateView, leaseId: string): readonly [ChannelArn, ChannelLease] | undefined {
  for (const [arn, lease] of view.entries(kinds.channelLease)) if (lease.leaseId === leaseId) return [arn, lease];
  return undefined;
}

/** The same for every run of a job, and different for each job: two identical requests within one millisecond get two channels. */
export function leaseIdOf(jobId: string): string {
  return createHash('sha256').update(jobId).digest('hex').slice(0, 24);
}
