// What the intake needs from others: access to IVS within its quotas, and a sink for observations. src/shard/intake.ts implements it.
import type { Lane } from '#domain/action.ts';
import type { ChannelArn, ListedChannel, StreamId, StreamSnapshot } from '#domain/channel.ts';
import type { UnknownEvent } from '#domain/log-entries.ts';
import type { EventObservation, HistorySession, Observation } from '#domain/observation.ts';

export interface CallOptions {
  /** The priority if several wait for a permit of the same operation. */
  readonly lane: Lane;
  readonly signal: AbortSignal;
  /** How long the call may wait for its permit. */
  readonly waitMs?: number;
}

/** One call is one page and one permit. Failures, including unusable answers, are AppErrors. The last page has no `nextToken`. */
export interface StreamReader {
  /** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListStreams.html */
  listStreams(
    request: { readonly filterBy?: { readonly health: 'STARVING' }; readonly nextToken?: string },
    options: CallOptions,
  ): Promise<{ readonly streams: readonly StreamSnapshot[]; readonly nextToken: string | undefined }>;
}

export interface ChannelReader {
  /** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListChannels.html */
  listChannels(
    request: { readonly nextToken?: string },
    options: CallOptions,
  ): Promise<{ readonly channels: readonly ListedChannel[]; readonly nextToken: string | undefined }>;
  /** @throws AppError IVS_NOT_FOUND if the channel does not exist */
  getChannel(arn: ChannelArn, options: CallOptions): Promise<ListedChannel>;
  /**
   * At most 50, with the fields that a listing leaves out. Channels that do not exist are left out.
   * https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_BatchGetChannel.html
   */
  getChannels(arns: readonly ChannelArn[], options: CallOptions): Promise<readonly ListedChannel[]>;
}

/** Past and live sessions: the lists go back 60 days. */
export interface HistoryReader {
  /** Newest first. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListStreamSessions.html */
  listStreamSessions(
    channelArn: ChannelArn,
    nextToken: string | undefined,
    options: CallOptions,
  ): Promise<{
    readonly sessions: readonly {
      readonly streamId: StreamId;
      readonly startTimeMs: number | undefined;
      readonly endTimeMs: number | undefined;
    }[];
    readonly nextToken: string | undefined;
  }>;
  /** The events of a session that IVS has kept. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetStreamSession.html */
  sessionEvents(channelArn: ChannelArn, streamId: StreamId, options: CallOptions): Promise<HistorySession['events']>;
}

/** Stream keys by their ARNs; their values do not leave the client. */
export interface KeyReader {
  /**
   * At most 50. A key that is neither found nor missing could not be read.
   * https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_BatchGetStreamKey.html
   */
  getStreamKeys(
    arns: readonly string[],
    options: CallOptions,
  ): Promise<{
    readonly keys: readonly { readonly arn: string; readonly channelArn: ChannelArn }[];
    readonly missing: readonly string[];
  }>;
  /**
   * The ARNs of a channel's keys; undefined: the channel does not exist.
   * https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListStreamKeys.html
   */
  listStreamKeys(channelArn: ChannelArn, options: CallOptions): Promise<readonly string[] | undefined>;
}

/** Takes an observation; resolves when everything that follows from it is committed, rejects if it is not. */
export type Observe = (observation: Observation) => Promise<unknown>;

export interface EventSink {
  /**
   * As `Observe`: the message is deleted from the queue only after this resolved. `repeated`: it was observed before; `not_ours`: it
   * belongs to an account or Region that is not configured, and nothing was done.
   */
  observe(observation: EventObservation): Promise<'taken' | 'repeated' | 'not_ours'>;
  /** Keeps an unknown event for inspection; bounded. */
  keepUnknown(event: UnknownEvent): Promise<void>;
  /** The queue was read, even if it was empty. */
  queueRead(read: QueueRead): Promise<void>;
}

export interface QueueRead {
  /** By our clock. */
  readonly atMs: number;
  /** How long the oldest message of the read had waited; 0 if there was none. */
  readonly lagMs: number;
}
