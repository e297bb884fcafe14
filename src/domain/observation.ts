// Everything the daemon can observe. Intake makes observations; src/streams updates the records from them; src/rules evaluates the changes.
import type { ChannelArn, StreamId, StreamSnapshot } from './channel.ts';

/** An EventBridge event as it arrived. https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export interface EventEnvelope {
  readonly version?: string;
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601: when it happened. Unlike the time of arrival, this is the true time. */
  readonly time: string;
  readonly region: string;
  /** The channel's ARN; empty for a breach of an account's limit. */
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** An IVS event from the queue, once for each envelope id. */
export interface EventObservation {
  readonly kind: 'event';
  readonly envelope: EventEnvelope;
  /** Undefined for a breach of an account's limit. */
  readonly channelArn: ChannelArn | undefined;
  readonly eventTimeMs: number;
  readonly arrivedAtMs: number;
  /** It did not arrive as an event: IVS was asked afterwards. */
  readonly learnt?: true;
}

/** `starving` lists with filterBy.health = STARVING; `all` lists every live stream. */
export type SweepScope = 'starving' | 'all';

/** What names a session. */
export type StreamName = Pick<StreamSnapshot, 'channelArn' | 'streamId'>;

/** One sweep of ListStreams. */
export interface PollObservation {
  readonly kind: 'poll';
  readonly scope: SweepScope;
  /** Unique for each sweep. */
  readonly pollId: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  /** The current interval between sweeps; undefined if polls have no interval (virtual time). */
  readonly everyMs?: number;
  /** False if a page failed: then presence counts, and absence does not. */
  readonly complete: boolean;
  /** Number of pages read: a filtered list may have short pages, and a stream may move between pages meanwhile. */
  readonly pages: number;
  readonly streams: readonly StreamSnapshot[];
  /** In the last piece of a large sweep: the streams of the earlier pieces. */
  readonly alreadyApplied?: readonly StreamName[];
  /** In a piece of a large sweep: the sessions, absent from the whole list, that this piece judges. The last piece judges all others. */
  readonly unlisted?: readonly StreamName[];
  /** True in every piece of a large sweep but the last. */
  readonly continues?: boolean;
}

/** Sources that give data by themselves: sweeps, and the event queue. */
export type DataSource = 'poll' | 'events';

/** A source of data went silent, or came back. While a source is silent, missing data means nothing. */
export interface DataGapObservation {
  readonly kind: 'data_gap';
  readonly source: DataSource;
  readonly state: 'began' | 'ended';
  /** When it was noticed. */
  readonly atMs: number;
  /** The last data before it; undefined: it was noticed at once. */
  readonly sinceMs?: number;
}

/** A request of an operator or another program over HTTP: the `http` trigger of a rule. */
export interface HttpObservation {
  readonly kind: 'http';
  /** Unique; the same id means the same observation. */
  readonly requestId: string;
  /** The proven identity of the sender. */
  readonly author?: string;
  /** The name that the rule's trigger listens to. */
  readonly name: string;
  readonly channelArn: ChannelArn | undefined;
  readonly body: unknown;
  readonly atMs: number;
}

/** A refresh of the channel inventory (ListChannels) changed or removed channels. */
export interface InventoryObservation {
  readonly kind: 'inventory';
  readonly channels: readonly import('./channel.ts').Channel[];
  readonly removed: readonly ChannelArn[];
  /** True in every piece of a large refresh but the last, which has all that were removed: only there, absence is noted. */
  readonly continues?: boolean;
  readonly atMs: number;
  /** False for a refresh of single channels: then absence means nothing. */
  readonly complete: boolean;
  /** What was known before the reading began. A channel that differs from this at the commit was read again later, and is left out. */
  readonly known?: ReadonlyMap<string, import('./channel.ts').Channel>;
}

/** What IVS reports afterwards about sessions that began or ended unobserved (ListStreamSessions, GetStreamSession). */
export interface HistoryObservation {
  readonly kind: 'history';
  readonly channelArn: ChannelArn;
  readonly sessions: readonly HistorySession[];
  readonly atMs: number;
}

export interface HistorySession {
  readonly streamId: StreamId;
  readonly startTimeMs: number;
  /** Undefined: it is live. */
  readonly endTimeMs?: number;
  /** As stored by IVS, without those that IVS no longer knows. */
  readonly events: readonly {
    readonly name: string;
    /** A detail type of EventBridge. */
    readonly type: string;
    readonly timeMs: number;
    readonly code?: string;
  }[];
}

/** What an audit of the stream keys found. */
export interface KeysObservation {
  readonly kind: 'keys';
  readonly channels: readonly KeyFinding[];
  /** Channels that the inventory no longer contains. */
  readonly gone: readonly ChannelArn[];
  readonly atMs: number;
}

export interface KeyFinding {
  readonly channelArn: ChannelArn;
  /** None, one, or several, which should not happen. */
  readonly keyArns: readonly string[];
  /** When IVS was asked. */
  readonly readAtMs: number;
}

export type Observation =
  | EventObservation
  | PollObservation
  | DataGapObservation
  | HttpObservation
  | InventoryObservation
  | HistoryObservation
  | KeysObservation;
