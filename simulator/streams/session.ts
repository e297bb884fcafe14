// One broadcast of one channel, from the accepted key to the last segment, and what can be read about it afterwards.

import type { ChannelSettings, RecordingConfiguration } from '../store.ts';
import type { ViewerCurve } from './viewers.ts';

/** What the encoder sends. */
export interface Media {
  readonly width: number;
  readonly height: number;
  readonly framerate: number;
  readonly videoBitrate: number;
  readonly videoCodec: string;
  readonly audioBitrate: number;
  readonly audioCodec: string;
  readonly audioSampleRate: number;
  readonly audioChannels: number;
  readonly encoder: string;
  /** Multitrack input: the tracks after the first, which the other members describe. */
  readonly tracks: readonly Track[];
}

export const DEFAULT_MEDIA: Media = {
  width: 1920,
  height: 1080,
  framerate: 30,
  videoBitrate: 6_000_000,
  videoCodec: 'avc1.4D401F',
  audioBitrate: 160_000,
  audioCodec: 'mp4a.40.2',
  audioSampleRate: 48_000,
  audioChannels: 2,
  encoder: 'virtual encoder',
  tracks: [],
};

/** A video track that is sent in addition to the first one. */
export interface Track {
  readonly width: number;
  readonly height: number;
  readonly videoBitrate: number;
  readonly framerate?: number | undefined;
  readonly videoCodec?: string | undefined;
}

/** An ad break that was inserted into a stream; times are simulated epoch milliseconds. */
export interface AdBreak {
  readonly id: string;
  readonly durationSeconds: number;
  readonly targetStartAt: number;
  readonly endsAt: number;
}

/** An entry of a session's truncated events. */
export interface SessionEvent {
  readonly name: string;
  /** The event's detail-type. */
  readonly type: string;
  readonly at: number;
  readonly code?: string;
}

/** `starting`: key accepted, nothing to watch yet. `ending`: the encoder is gone, the last segments are not written yet. */
export type Phase = 'starting' | 'live' | 'ending' | 'ended';

/** The channel as it was when the session began. */
export type ChannelSnapshot = Readonly<ChannelSettings> & {
  readonly arn: string;
  readonly id: string;
  readonly host: string;
  readonly srtPassphrase: string;
  readonly tags: ReadonlyMap<string, string>;
};

export interface Session {
  /** Order of creation among all resources. */
  readonly created: number;
  /** Position in the list of live streams: the order of going live; before that, of creation. */
  seq: number;
  readonly streamId: string;
  readonly channelArn: string;
  readonly channel: ChannelSnapshot;
  /** The configuration that the channel records with; undefined if it does not record. */
  readonly recording: RecordingConfiguration | undefined;
  readonly startedAt: number;
  /** The same as the service formats it: read far more often than made. */
  readonly startTime: string;
  media: Media;
  phase: Phase;
  endedAt?: number;
  health: 'HEALTHY' | 'STARVING' | 'UNKNOWN';
  viewers: ViewerCurve;
  /** Viewers whose sessions were ended by revocation since the audience was set, with the newest revoked version of each. */
  revoked: Map<string, number>;
  /** The newest ad break; it may be over. */
  adBreak?: AdBreak;
  /** The priority of the encoder that sends now; undefined if it gave none. */
  priority: number | undefined;
  takeovers: number;
  hasErrorEvent: boolean;
  /** Newest last. */
  readonly events: SessionEvent[];
}

/** How many events a session keeps; older ones are lost. */
export const SESSION_EVENTS = 500;
