// Everything the daemon can notice. Intake makes observations; src/streams folds them into records; src/rules judges the changes.
import type { ChannelArn, StreamId, StreamSnapshot } from './channel.ts';

/** An EventBridge event as it arrived. https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export interface EventEnvelope {
  readonly version?: string;
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601: when it happened; the truth, unlike the time of arrival. */
  readonly time: string;
  readonly region: string;
  /** The channel's ARN, or empty for a breach of an account's limit. */
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** An IVS event taken from the queue, once for each envelope id. */
export interface EventObservation {
  readonly kind: 'event';
  readonly envelope: EventEnvelope;
  /** Undefined for a breach of an account's limit. */
  readonly channelArn: ChannelArn | undefined;
  readonly eventTimeMs: number;
  readonly arrivedAtMs: number;
  /** Not delivered as an event: IVS was asked for it afterwards. */
  readonly learnt?: true;
}

/** `starving` asks for filterBy.health = STARVING; `all` for every live stream. */
export type SweepScope = 'starving' | 'all';

/** One sweep of ListStreams. */
export interface PollObservation {
  readonly kind: 'poll';
  readonly scope: SweepScope;
  /** Unique for each sweep. */
  readonly pollId: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  /** The interval between sweeps that is in force; left out where polls keep no pace (virtual time). */
  readonly everyMs?: number;
  /** False when a page failed: presence counts then, absence does not. */
  readonly complete: boolean;
  /** How many pages were read: a filtered list may have short ones, and what is listed may move from one to another meanwhile. */
  readonly pages: number;
  readonly streams: readonly StreamSnapshot[];
  /** In a piece of a large sweep: the streams that the pieces before it carried; absence is judged by the last piece. */
  readonly alreadyApplied?: readonly Pick<StreamSnapshot, 'channelArn' | 'streamId'>[];
  /** True in every piece of a large sweep but the last. */
  readonly continues?: boolean;
}

/** Where data comes from by itself: sweeps, and the event queue. */
export type DataSource = 'poll' | 'events';

/** A source of data went silent, or came back. While one is silent, missing data means nothing. */
export interface DataGapObservation {
  readonly kind: 'data_gap';
  readonly source: DataSource;
  readonly state: 'began' | 'ended';
  /** When it was noticed. */
  readonly atMs: number;
  /** The last data before it; left out: it was noticed at once. */
  readonly sinceMs?: number;
}

/** An operator or another program asks through HTTP: the `http` trigger of a rule. */
export interface HttpObservation {
  readonly kind: 'http';
  /** Unique; a repeat of the same id is the same observation. */
  readonly requestId: string;
  /** Who sent it, as far as it is proven. */
  readonly author?: string;
  /** The name the rule's trigger listens to. */
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
  readonly atMs: number;
  /** False for a refresh of single channels: absence means nothing then. */
  readonly complete: boolean;
  /** What was known before the reading began; a channel that is known otherwise at the commit was read later, and is left out. */
  readonly known?: ReadonlyMap<string, import('./channel.ts').Channel>;
}

/** What IVS tells afterwards of sessions that began or ended while nobody looked (ListStreamSessions, GetStreamSession). */
export interface HistoryObservation {
  readonly kind: 'history';
  readonly channelArn: ChannelArn;
  readonly sessions: readonly HistorySession[];
  readonly atMs: number;
}

export interface HistorySession {
  readonly streamId: StreamId;
  readonly startTimeMs: number;
  /** Left out: it is live. */
  readonly endTimeMs?: number;
  /** As IVS kept them; without those that it does not know any more. */
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
  /** Channels that the inventory does not have any more. */
  readonly gone: readonly ChannelArn[];
  readonly atMs: number;
}

export interface KeyFinding {
  readonly channelArn: ChannelArn;
  /** None, one, or more than there should be. */
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
