// The fleet in figures: how many streams are live, and how they are.
import type { StateView } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { gapOf } from './gaps.ts';

export interface FleetCounts {
  readonly live: number;
  /** Sessions that were accepted and are not live yet. */
  readonly created: number;
  readonly healthy: number;
  readonly starving: number;
  readonly unknown: number;
  /** Channels of the inventory. */
  readonly channels: number;
  /** Since when the records are stale, because polls are missing. */
  readonly staleSinceMs: number | undefined;
  /** End of the last complete sweep of all live streams. */
  readonly lastFullPollMs: number | undefined;
  readonly lastStarvingPollMs: number | undefined;
}

/** Whether it is already known who is live, and which channels with which tags exist: at the beginning nothing is. */
export function fleetKnown(view: StateView): { readonly live: boolean; readonly tags: boolean } {
  const live = view.get(notes.sweep('all')) !== undefined;
  return { live, tags: live && view.get(notes.inventoryListed) !== undefined };
}

/** Counts the newest session of every channel. */
export function fleetCounts(view: StateView): FleetCounts {
  const counts = { live: 0, created: 0, HEALTHY: 0, STARVING: 0, UNKNOWN: 0 };
  for (const [, { state, health }] of view.entries(kinds.stream)) {
    if (state === 'created') counts.created += 1;
    if (state !== 'live') continue;
    counts.live += 1;
    counts[health] += 1;
  }
  return {
    live: counts.live,
    created: counts.created,
    healthy: counts.HEALTHY,
    starving: counts.STARVING,
    unknown: counts.UNKNOWN,
    channels: view.count(kinds.channel),
    staleSinceMs: gapOf(view, 'poll')?.sinceMs,
    lastFullPollMs: view.get(notes.sweep('all'))?.finishedAtMs,
    lastStarvingPollMs: view.get(notes.sweep('starving'))?.finishedAtMs,
  };
}
