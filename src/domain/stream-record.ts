// The one reconciled record of a stream session: what is true, since when, and how it is known.
import type { ChannelArn, StreamHealth, StreamId } from './channel.ts';
import type { DataSource, EventObservation, HttpObservation, SweepScope } from './observation.ts';
import type { Traceparent } from './trace.ts';

export const streamStates = ['created', 'live', 'ended', 'failed'] as const;
export type StreamState = (typeof streamStates)[number];

/** Where a fact came from. `arrivedAtMs` is ours, `eventTimeMs` the source's. */
export interface Evidence {
  /** `history`: IVS was asked afterwards, for time that nobody saw. */
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

/** A server-side ad break, as its event told. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/server-side-ad-insertion.html */
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
  /** Newest first, bounded; left out: none was told of. */
  readonly adBreaks?: readonly AdBreak[];
  readonly takeoverAtMs: number | undefined;
  /** `reason` of a Stream Failure or `code` of a Session Ended. */
  readonly failureReason: string | undefined;
  /** Who of ours ended it by StopStream; left out: nobody did, as far as is known. */
  readonly stoppedBy?: string;
  /** For each fact (`state`, `health`, `viewerCount`, `recording`), the evidence in force. */
  readonly evidence: Readonly<Record<string, Evidence>>;
  /** When a part of it came to be known that nobody saw; left out: none did. */
  readonly learntAtMs?: number;
  /** Newest last, bounded. */
  readonly timeline: readonly TimelineEntry[];
  /** What the fields above are derived from; of no interest outside of src/streams. */
  readonly basis: SessionBasis;
}

/**
 * The ad break of a live stream that is announced or running at this moment. AWS sends no event at its end, so it lasts until its
 * target time plus its duration.
 */
export function adBreakAt({ state, adBreaks = [] }: StreamRecord, nowMs: number): AdBreak | undefined {
  return state === 'live' ? adBreaks.find(({ endsAtMs }) => nowMs < endsAtMs) : undefined;
}

/**
 * Since when it is in doubt that a stream is still there: a complete sweep that is newer than all else that is known of it did not
 * list it. The next sweep lists it, or is the second that does not and ends it. Undefined: there is no doubt.
 */
export function unlistedSinceMs({ state, basis }: StreamRecord): number | undefined {
  return state === 'live' || state === 'created' ? basis.missed[0]?.startedAtMs : undefined;
}

/**
 * The moments that are known of a session, epoch ms; absent: not known. "By event" is EventBridge's time, cut to whole
 * seconds; moments compared with our own clock are taken at the end of their second.
 */
export interface SessionBasis {
  /** Session Created. */
  readonly createdMs?: number;
  /** Stream Start. */
  readonly startEventMs?: number;
  /** `startTime` in ListStreams. */
  readonly startPollMs?: number;
  /** The earliest moment it certainly existed; orders the sessions of a channel. */
  readonly firstSeenMs?: number;
  /** The earliest moment it certainly was live. */
  readonly firstLiveMs?: number;
  /** The newest moment it certainly was there, by our clock. */
  readonly aliveMs?: number;
  /** When the two newest sweeps listed it, the older one first: what two of them show, no event outweighs. */
  readonly listedMs?: readonly number[];
  /** Session Ended, and the end of a recording: over, but perhaps still listed. */
  readonly sessionEndedMs?: number;
  readonly recordingEndedMs?: number;
  /** An event of an unknown name: it began before, and nothing else is said. */
  readonly mentionedMs?: number;
  /** Stream End. */
  readonly endedMs?: number;
  /** Its Stream End was learnt afterwards, and told to the rules then. */
  readonly endLearnt?: true;
  /** Stream Failure. */
  readonly failedMs?: number;
  /** Start of the channel's next session. */
  readonly supersededMs?: number;
  /** The first two complete sweeps after `aliveMs` that did not list it. */
  readonly missed: readonly { readonly startedAtMs: number; readonly finishedAtMs: number }[];
  readonly sightings?: HealthBasis;
  readonly recording?: RecordingSign;
  /** Ends of recordings that this session's events told for earlier sessions, by their ids. */
  readonly mergedRecordings?: Readonly<Record<string, RecordingSign>>;
  /** Start of a complete sweep so long after the end that a recording of which no end was told is over as well. */
  readonly recordingOverdueMs?: number;
  /** Times of the prefix and of the failure's reason. */
  readonly prefixMs?: number;
  readonly failureMs?: number;
  readonly nameMs?: number;
}

/** What an event says of a recording, and when. */
export interface RecordingSign {
  readonly value: Exclude<StreamRecord['recording'], 'none'>;
  readonly atMs: number;
}

/** A health and the sightings that its present stretch rests on. */
export interface HealthBasis {
  readonly value: StreamHealth;
  /** Sightings of it, oldest first and never empty, bounded: when by our clock, and since when as the source said it. */
  readonly seen: readonly (readonly [atMs: number, sinceMs: number])[];
  /** When something else was seen last; all that is in `seen` came after it. */
  readonly brokenAt?: number;
  /** Starts of sweeps of the starving streams that did not list it, oldest first, bounded. */
  readonly absentMs?: readonly number[];
}

/** What folding an observation into the records brought about: the input of the rules. */
export type StreamChange = {
  /** Where what was observed stands in a trace. */
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
      /** When what it told will be too old to act on, if the next sweeps fail; left out where polls keep no pace (virtual time). */
      readonly staleAtMs?: number;
    }
  | {
      readonly kind: 'data_gap';
      readonly source: DataSource;
      readonly state: 'began' | 'ended';
      /** When it was noticed. */
      readonly atMs: number;
      /** The last data before it; left out: it was noticed at once. */
      readonly sinceMs?: number;
    }
  | { readonly kind: 'http'; readonly observation: HttpObservation; readonly atMs: number }
  | { readonly kind: 'keys'; readonly channelArns: readonly ChannelArn[]; readonly atMs: number }
  | { readonly kind: 'inventory'; readonly channelArns: readonly ChannelArn[]; readonly atMs: number }
);
