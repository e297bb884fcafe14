// The one reconciled record of a stream session: what is true, since when, and how it is known.
import type { ChannelArn, StreamHealth, StreamId } from './channel.ts';

export const streamStates = ['created', 'live', 'ended', 'failed'] as const;
export type StreamState = (typeof streamStates)[number];

/** Where a fact came from. `arrivedAtMs` is ours, `eventTimeMs` the source's. */
export interface Evidence {
  readonly source: 'event' | 'poll';
  /** Event name, or `ListStreams`. */
  readonly name: string;
  readonly eventTimeMs: number;
  readonly arrivedAtMs: number;
}

export interface TimelineEntry extends Evidence {
  /** What it changed, in plain words. */
  readonly text: string;
}

export interface LimitBreach {
  readonly limitName: string;
  readonly limitValue: number | undefined;
  readonly exceededBy: number | undefined;
  readonly limitUnit: string | undefined;
  readonly atMs: number;
}

export interface StreamRecord {
  readonly channelArn: ChannelArn;
  readonly streamId: StreamId;
  readonly channelName: string;
  readonly state: StreamState;
  readonly stateSinceMs: number;
  /** When the stream went live, as far as known. */
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly health: StreamHealth;
  readonly healthSinceMs: number;
  /** Undefined until counted; IVS's -1 is never stored. */
  readonly viewerCount: number | undefined;
  readonly viewerCountAtMs: number | undefined;
  readonly recording: 'none' | 'recording' | 'ended' | 'failed';
  readonly recordingSinceMs: number | undefined;
  readonly recordingPrefix: string | undefined;
  /** Newest first, bounded. */
  readonly limitBreaches: readonly LimitBreach[];
  readonly takeoverAtMs: number | undefined;
  /** `reason` of a Stream Failure or `code` of a Session Ended. */
  readonly failureReason: string | undefined;
  /** For each fact (`state`, `health`, `viewerCount`, `recording`), the evidence in force. */
  readonly evidence: Readonly<Record<string, Evidence>>;
  /** Newest last, bounded. */
  readonly timeline: readonly TimelineEntry[];
}

/** What folding an observation into the records brought about: the input of the rules. */
export type StreamChange =
  | {
      readonly kind: 'stream';
      readonly channelArn: ChannelArn;
      readonly before: StreamRecord | undefined;
      readonly after: StreamRecord;
      readonly atMs: number;
    }
  | {
      readonly kind: 'event';
      readonly observation: import('./observation.ts').EventObservation;
      readonly record: StreamRecord | undefined;
      readonly atMs: number;
    }
  | { readonly kind: 'poll'; readonly scope: 'starving' | 'all'; readonly complete: boolean; readonly atMs: number }
  | {
      readonly kind: 'data_gap';
      readonly source: 'poll' | 'events';
      readonly state: 'began' | 'ended';
      readonly atMs: number;
    }
  | { readonly kind: 'http'; readonly observation: import('./observation.ts').HttpObservation; readonly atMs: number }
  | { readonly kind: 'inventory'; readonly channelArns: readonly ChannelArn[]; readonly atMs: number };
