// A batch: what is sent, to how many channels, and how it ended. Every item of every channel ends in one outcome.
import type { Lane } from '#domain/action.ts';
import type { Payload } from './envelope.ts';

/** How one item on one channel can end. */
export const outcomes = ['delivered', 'conflated', 'expired', 'notBroadcasting', 'failed', 'cancelled'] as const;
export type Outcome = (typeof outcomes)[number];

/** One thing to send to every channel of a batch. */
export interface NewItem {
  readonly payload: Payload;
  /** A newer item with the same key replaces an unsent older one of the channel. */
  readonly key?: string | undefined;
  readonly expiresInMs?: number | undefined;
}

/** How far a batch has come. Counts are (item, channel) pairs and add up to `total`. */
export interface BatchProgress {
  readonly batchId: string;
  /** Who sent it, for people. */
  readonly who: string;
  readonly state: 'running' | 'cancelling' | 'finished' | 'cancelled';
  readonly lane: Lane;
  readonly channels: number;
  readonly items: number;
  readonly total: number;
  readonly counts: Readonly<Record<'pending' | Outcome, number>>;
  /** Why items failed, by error code; also `paused` or `held`, for items of a rule that were cancelled before they were sent. */
  readonly failures: Readonly<Record<string, number>>;
  /** What was sent: the first items, up to a few kB. */
  readonly contents: readonly Content[];
  /** Channels that were left out. */
  readonly skipped: readonly Skipped[];
  readonly startedAtMs: number;
  readonly finishedAtMs: number | undefined;
  /** Estimated time until the last item is sent, at the documented rate; undefined when nothing is pending. */
  readonly etaSeconds: number | undefined;
}

/** One item, as shown to people who look at a batch. */
export interface Content {
  readonly payload: Payload;
  readonly key?: string | undefined;
}

/** Channels that were named, or would have matched, but get nothing. */
export interface Skipped {
  readonly reason: 'duplicate' | 'other_account_or_region' | 'not_live' | 'held' | 'queue_full';
  readonly count: number;
  /** At most 20 of them. */
  readonly examples: readonly string[];
}
