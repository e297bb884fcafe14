// The one reconciled record of a stream session: what is true, since when, and how it is known.
import type { ChannelArn, StreamHealth, StreamId } from './channel.ts';
import type { DataSource, EventObservation, HttpObservation, SweepScope } from './observation.ts';
import type { Traceparent } from './trace.ts';

export const streamStates = ['created', 'live', 'ended', 'failed'] as const;
export type StreamState = (typeof streamStates)[number];

/** Where a value came from. `arrivedAtMs` is by our clock, `eventTimeMs` the source's. */
export interface Evidence {
  /** `history`: IVS was asked afterwards, about a period without data. */
  readonly source: 'event' | 'poll' | 'history';
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

/**
 * A server-side ad break, as its event reported it.
 * https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/server-side-ad-insertion.html
 */
export interface AdBreak {
  readonly id: string;
  /** When it was inserted: the time of its event. */
  readonly insertedAtMs: number;
  /** Its target time, about ten seconds later. */
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

export interface StreamRecord {
  readonly channelArn: ChannelArn;
  readonly streamId: StreamId;
  readonly channelName: string;
  readonly state: StreamState;
  readonly stateSinceMs: number;
  /** When the stream went live, if known. */
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
  /** Newest first, bounded; undefined: none was reported. */
  readonly adBreaks?: readonly AdBreak[];
  readonly takeoverAtMs: number | undefined;
  /** `reason` of a Stream Failure or `code` of a Session Ended. */
  readonly failureReason: string | undefined;
  /** Who ended it through this daemon's StopStream; undefined: nobody, as far as is known. */
  readonly stoppedBy?: string;
  /** For each value (`state`, `health`, `viewerCount`, `recording`), the evidence in force. */
  readonly evidence: Readonly<Record<string, Evidence>>;
  /** When an unobserved part of it was last learnt; undefined: there was none. */
  readonly learntAtMs?: number;
  /** Newest last, bounded. */
  readonly timeline: readonly TimelineEntry[];
  /** What the fields above are derived from; only src/streams uses it. */
  readonly basis: SessionBasis;
}

/**
 * The ad break of a live stream that is announced or running now. AWS sends no event at its end, so it lasts until its target time plus
 * its duration.
 */
export function adBreakAt({ state, adBreaks = [] }: StreamRecord, nowMs: number): AdBreak | undefined {
  return state === 'live' ? adBreaks.find(({ endsAtMs }) => nowMs < endsAtMs) : undefined;
}

/**
 * Since when it has been uncertain that a stream still exists: a complete sweep, newer than everything else known about the stream, did
 * not list it. The next sweep either lists it, or is the second that does not, and ends it. Undefined: there is no doubt.
 */
export function unlistedSinceMs({ state, basis }: StreamRecord): number | undefined {
  return state === 'live' || state === 'created' ? basis.missed[0]?.startedAtMs : undefined;
}

/**
 * The known moments of a session, epoch ms; undefined: unknown. "By event" is EventBridge's time, truncated to whole seconds; to compare
 * it with our own clock, the end of its second is used.
 */
export interface SessionBasis {
  /** Session Created. */
  readonly createdMs?: number;
  /** Stream Start. */
  readonly startEventMs?: number;
  /** `startTime` in ListStreams. */
  readonly startPollMs?: number;
  /** The earliest moment at which it certainly existed; orders the sessions of a channel. */
  readonly firstSeenMs?: number;
  /** The earliest moment at which it was certainly live. */
  readonly firstLiveMs?: number;
  /** The latest moment at which it certainly existed, by our clock. */
  readonly aliveMs?: number;
  /** When the two newest sweeps listed it, the older one first: no event outweighs two sweeps. */
  readonly listedMs?: readonly number[];
  /** Session Ended, and the end of a recording: it is over, but perhaps still listed. */
  readonly sessionEndedMs?: number;
  readonly recordingEndedMs?: number;
  /** An event with an unknown name: it only shows that the session began earlier. */
  readonly mentionedMs?: number;
  /** Stream End. */
  readonly endedMs?: number;
  /** Its Stream End was learnt afterwards, and reported to the rules then. */
  readonly endLearnt?: true;
  /** Stream Failure. */
  readonly failedMs?: number;
  /** Start of the channel's next session. */
  readonly supersededMs?: number;
  /** The first two complete sweeps after `aliveMs` that did not list it. */
  readonly missed: readonly { readonly startedAtMs: number; readonly finishedAtMs: number }[];
  readonly sightings?: HealthBasis;
  readonly recording?: RecordingSign;
  /** Ends of recordings that this session's events reported for earlier sessions, by their ids. */
  readonly mergedRecordings?: Readonly<Record<string, RecordingSign>>;
  /** Start of a complete sweep so long after the end that a recording without a reported end is over as well. */
  readonly recordingOverdueMs?: number;
  /** Times of the prefix and of the failure's reason. */
  readonly prefixMs?: number;
  readonly failureMs?: number;
  readonly nameMs?: number;
}

/** What an event says about a recording, and when. */
export interface RecordingSign {
  readonly value: Exclude<StreamRecord['recording'], 'none'>;
  readonly atMs: number;
}

/** A health, and the sightings that support its current stretch. */
export interface HealthBasis {
  readonly value: StreamHealth;
  /** Sightings of it, oldest first and never empty, bounded: when, by our clock, and since when according to the source. */
  readonly seen: readonly (readonly [atMs: number, sinceMs: number])[];
  /** When a different health was last seen; everything in `seen` came later. */
  readonly brokenAt?: number;
  /** Starts of sweeps of the starving streams that did not list it, oldest first, bounded. */
  readonly absentMs?: readonly number[];
}

/** What an observation changed in the records: the input of the rules. */
export type StreamChange = {
  /** The place of the observation in a trace. */
  readonly trace?: Traceparent | undefined;
} & (
  | {
      readonly kind: 'stream';
      readonly channelArn: ChannelArn;
      readonly before: StreamRecord | undefined;
      readonly after: StreamRecord;
      readonly atMs: number;
    }
  | {
      readonly kind: 'event';
      readonly observation: EventObservation;
      readonly record: StreamRecord | undefined;
      readonly atMs: number;
    }
  | {
      readonly kind: 'poll';
      readonly scope: SweepScope;
      readonly complete: boolean;
      readonly atMs: number;
      /** When its data will be too old to act on if the next sweeps fail; undefined if polls have no interval (virtual time). */
      readonly staleAtMs?: number;
    }
  | {
      readonly kind: 'data_gap';
      readonly source: DataSource;
      readonly state: 'began' | 'ended';
      /** When it was noticed. */
      readonly atMs: number;
      /** The last data before it; undefined: it was noticed at once. */
      readonly sinceMs?: number;
    }
  | { readonly kind: 'http'; readonly observation: HttpObservation; readonly atMs: number }
  | { readonly kind: 'keys'; readonly channelArns: readonly ChannelArn[]; readonly atMs: number }
  | { readonly kind: 'inventory'; readonly channelArns: readonly ChannelArn[]; readonly atMs: number }
);
