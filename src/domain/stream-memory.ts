// What is remembered about polls, queue and earlier sessions, as stored in the shared state (state-registry.ts has the keys).
import type { StreamRecord } from './stream-record.ts';

export type PastSessions = readonly StreamRecord[];

/** When each was archived, by its stream's id. Late data about such a session would create a fragment that looks like another session. */
export type ArchivedSessions = Readonly<Record<string, number>>;

/** The newest complete sweep of a scope, and the one before. */
export interface SweepNote {
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly streams: number;
  /** The interval between sweeps that was in force. */
  readonly everyMs?: number;
  readonly pages: number;
  readonly previous?: { readonly startedAtMs: number; readonly finishedAtMs: number };
}

/** A read of the event queue, and how long the oldest message in it had waited. */
export interface QueueNote {
  readonly atMs: number;
  readonly lagMs?: number;
}

/** An open data gap. `sinceMs`: the last moment at which the source gave data. */
export interface Gap {
  readonly sinceMs: number;
  readonly noticedAtMs: number;
}

/**
 * `started`: a poll found a stream that no event had reported, even minutes later; `ended`: a poll ended one that no event had ended;
 * `health`: a poll corrected a health that came from an event.
 */
export interface Disagreements {
  readonly started: number;
  readonly ended: number;
  readonly health: number;
}

export interface KeptDisagreements extends Disagreements {
  /** Consecutive sessions about which no event arrived. */
  readonly unheard: number;
  /** Counts by the minute of the shared clock in which they were noted, oldest first, for one hour. */
  readonly minutes?: readonly (readonly [minute: number, count: number])[];
}

/** A period without data, and how far IVS has been asked about it. */
export interface LookBack {
  readonly fromMs: number;
  readonly toMs: number;
  /** First the channels whose streams changed meanwhile, then all others. */
  readonly phase: 'suspects' | 'all';
  /** The last channel that was asked about in this phase. */
  readonly after?: string;
  /** Who is asking now; if it expires without progress, any replica continues. */
  readonly claim?: { readonly by: string; readonly untilMs: number };
  /** Sessions that were completed so far. */
  readonly learnt: number;
}

/** The stream key of a channel; never its value. */
export interface KnownKey {
  readonly keyArn: string;
  /** The key is at least as old as this. */
  readonly sinceMs: number;
  /** True: created at that time. False: first seen at that time. */
  readonly made: boolean;
}

/** When the stream keys were audited, and who does so now. */
export interface KeyAuditNote {
  /** The end of the last audit of all keys. */
  readonly allMs?: number;
  /** The end of the last check of channels whose key is unknown. */
  readonly triedMs?: number;
  /** The next run continues listing after this channel. */
  readonly listedTo?: string;
  readonly claim?: { readonly by: string; readonly untilMs: number };
}
