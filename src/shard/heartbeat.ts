// When a heartbeat is sent: all shards of this process decide, and their streams are polled. One for the whole fleet in each interval.
import type { Heartbeat } from '#domain/receiver.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { notes } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import type { HeartbeatJob } from '#workers/heartbeat.ts';

/** What the heartbeat needs to know of a shard. */
export interface Watched {
  readonly state: Pick<SharedState, 'view'>;
  /** Since when polls are missing. */
  silentSinceMs(source: 'poll'): number | undefined;
  /** How long ago this process last evaluated what is due there; undefined: never. */
  sinceTickMs(): number | undefined;
}

/** Ticks come a few times a second, and wait for Redis. */
const longestTickMs = 15_000;

/** Whether streams are polled and rules decide. */
export function isWatching(shard: Watched): boolean {
  const sinceTickMs = shard.sinceTickMs() ?? Number.POSITIVE_INFINITY;
  const isPolled = shard.state.view.get(notes.sweep('all')) !== undefined && shard.silentSinceMs('poll') === undefined;
  return isPolled && sinceTickMs < longestTickMs;
}

/** Enqueues the heartbeat if it is due. Returns whether it did. @param state of the shard that sends it */
export async function beatIfDue(
  { receiver, intervalMs }: Heartbeat,
  { state, all }: { readonly state: SharedState; readonly all: readonly Watched[] },
): Promise<boolean> {
  const isDue = (lastMs = Number.NEGATIVE_INFINITY, nowMs: number) => nowMs - lastMs >= intervalMs || nowMs < lastMs;
  if (!isDue(state.view.get(notes.heartbeat), state.nowMs()) || !all.every(isWatching)) return false;
  return state.transact((tx) => {
    if (!isDue(tx.get(notes.heartbeat), tx.nowMs)) return false;
    tx.set(notes.heartbeat, tx.nowMs);
    const payload: HeartbeatJob = { receiver, intervalMs, atMs: tx.nowMs };
    tx.enqueue({ jobId: jobIdOf('heartbeat', tx.nowMs), name: 'heartbeat', payload: { ...payload } });
    return true;
  });
}
