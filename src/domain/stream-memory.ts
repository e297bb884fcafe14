// What is remembered of polls, queue and earlier sessions, as it lies in the shared state (state-registry.ts says where).
import type { StreamRecord } from './stream-record.ts';

export type PastSessions = readonly StreamRecord[];

/** When each was archived, by its stream's id: what comes of it later would make a fragment that looks like another session. */
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

/** A read of the event queue, and how long the oldest message that came with it had waited. */
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
 * `started`: a poll found what no event had begun, even minutes later; `ended`: a poll closed what no event had ended; `health`: a
 * poll corrected a health that rested on an event.
 */
export interface Disagreements {
  readonly started: number;
  readonly ended: number;
  readonly health: number;
}

export interface KeptDisagreements extends Disagreements {
  /** Sessions in a row of which no event told anything. */
  readonly unheard: number;
  /** Counts by the minute of the shared clock in which they were noted, oldest first; an hour of them. */
  readonly minutes?: readonly (readonly [minute: number, count: number])[];
}

/** Time that nobody saw, and how far IVS has been asked about it. */
export interface LookBack {
  readonly fromMs: number;
  readonly toMs: number;
  /** First the channels whose streams changed meanwhile, then all others. */
  readonly phase: 'suspects' | 'all';
  /** The last channel that was asked about in this phase. */
  readonly after?: string;
  /** Who asks now; when it is over without news, anybody goes on. */
  readonly claim?: { readonly by: string; readonly untilMs: number };
  /** Sessions that were completed so far. */
  readonly learnt: number;
}

/** The stream key of a channel; never its value. */
export interface KnownKey {
  readonly keyArn: string;
  /** The key is at least as old as this. */
  readonly sinceMs: number;
  /** It was made then; otherwise it was first seen then. */
  readonly made: boolean;
}

/** When the stream keys were audited, and who does so now. */
export interface KeyAuditNote {
  /** The end of the last audit of all keys. */
  readonly allMs?: number;
  /** The end of the last look at channels whose key is not known. */
  readonly triedMs?: number;
  /** Where the next run goes on listing: after this channel. */
  readonly listedTo?: string;
  readonly claim?: { readonly by: string; readonly untilMs: number };
}
