// A pool of channels that are lent out: its channels carry the tag `ivs-autopilot:pool`, and who has which is in the shared state. A
// channel that comes back gets a new key, so that whoever had it cannot stream to it any more.
import { createHash } from 'node:crypto';
import type { ChannelLease } from '#domain/action-memory.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { isOnHold } from '#domain/controls-in-force.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';

/** The tag that makes a channel one of a pool; its value is the pool's name. */
export const poolTag = 'ivs-autopilot:pool';

/** The channels of a pool, by ARN. */
export function channelsOfPool(view: StateView, pool: string): ChannelArn[] {
  const channels = Array.from(view.entries(kinds.channel), ([, channel]) => channel);
  return channels
    .filter(({ tags }) => tags[poolTag] === pool)
    .map(({ arn }) => arn)
    .toSorted();
}

/** One that nobody has, that is not live and not on hold; the one that has been free for longest is as good as any. */
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

/** The channel that this lease has. */
export function leasedBy(view: StateView, leaseId: string): readonly [ChannelArn, ChannelLease] | undefined {
  for (const [arn, lease] of view.entries(kinds.channelLease)) if (lease.leaseId === leaseId) return [arn, lease];
  return undefined;
}

/** The same for every run of a job, and another one for each job: two requests alike within one millisecond get two channels. */
export function leaseIdOf(jobId: string): string {
  return createHash('sha256').update(jobId).digest('hex').slice(0, 24);
}
