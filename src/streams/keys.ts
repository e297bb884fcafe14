// Where noticing keeps what it knows in the shared state, and what lies there.
import type { Channel, ChannelArn } from '#domain/channel.ts';
import type { StateView } from '#domain/shared-state.ts';
import type { StreamRecord } from '#domain/stream-record.ts';

export const keys = {
  /** StreamRecord: the newest session of a channel. */
  stream: (arn: ChannelArn) => `stream/${arn}`,
  /** PastSessions: earlier sessions that late events may still amend. */
  past: (arn: ChannelArn) => `past/${arn}`,
  /** ArchivedSessions: those that had no room among the earlier sessions. */
  rested: (arn: ChannelArn) => `rested/${arn}`,
  channel: (arn: ChannelArn) => `channel/${arn}`,
  gap: (source: 'poll' | 'events') => `gap/${source}`,
  /** PassNote: the newest complete passes. */
  pass: (scope: 'starving' | 'all') => `meta/pass-${scope}`,
  /** QueueNote: the newest read of the event queue. */
  queueRead: 'meta/queue-read',
  /** When somebody first looked for gaps, for sources that never gave anything. */
  watchedSince: 'meta/gaps-watched-since',
  disagreements: 'meta/disagreements',
  missingChannels: 'meta/missing-channels',
  /** Set once all channels have been listed for the first time. */
  inventoryListed: 'meta/inventory-listed',
} as const;

export type PastSessions = readonly StreamRecord[];

/** When each was archived, by its stream's id: what comes of it later would make a fragment that looks like another session. */
export type ArchivedSessions = Readonly<Record<string, number>>;

/** The newest complete pass of a scope, and the one before. */
export interface PassNote {
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly streams: number;
  /** The interval between passes that was in force. */
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

export function streamOf(view: StateView, arn: ChannelArn): StreamRecord | undefined {
  return view.get<StreamRecord>(keys.stream(arn));
}

export function pastOf(view: StateView, arn: ChannelArn): PastSessions {
  return view.get<PastSessions>(keys.past(arn)) ?? [];
}

export function archivedOf(view: StateView, arn: ChannelArn): ArchivedSessions {
  return view.get<ArchivedSessions>(keys.rested(arn)) ?? {};
}

export function channelOf(view: StateView, arn: ChannelArn): Channel | undefined {
  return view.get<Channel>(keys.channel(arn));
}
