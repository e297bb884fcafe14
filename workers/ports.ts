// What the handlers of actions need from the rest of the program. src/shard/actions.ts implements these ports.
import type { ActionJob, ActionName, Lane, Pattern } from '#domain/action.ts';
import type { BatchJob, HeadStart } from '#domain/job.ts';
import type { Receiver, Route } from '#domain/receiver.ts';
import type { Matcher } from '#domain/rule.ts';
import type { Secret } from '#domain/secret.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { EventBus } from '#outbound/event-bus.ts';
import type { HttpSender } from '#outbound/http-sender.ts';
import type { MailSender } from '#outbound/mail.ts';
import type { SnsPublisher } from '#outbound/sns.ts';
import type { Clock } from '#runtime/clock.ts';
import type { SecretSink } from '#secrets/sink.ts';
import type { JobRun } from './host.ts';
import type { RunResult } from './outcome.ts';

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Called right before the call is sent; if it throws, the call fails with that error. recheck.ts uses it. */
  readonly confirm?: () => void;
}

/** GetStream, reduced to what actions read. */
export interface LiveStream {
  readonly streamId: string;
  readonly health: string;
  readonly startTimeMs: number | undefined;
  /** Undefined if IVS could not count. */
  readonly viewerCount: number | undefined;
}

/** GetChannel, reduced to what actions read. */
export interface ChannelDetails {
  readonly arn: string;
  readonly name: string;
  readonly type: string;
  readonly latencyMode: string;
  /** This and the next two: empty for none. */
  readonly recordingConfigurationArn: string;
  readonly adConfigurationArn: string;
  readonly playbackRestrictionPolicyArn: string;
  /** TS or FRAGMENTED_MP4; empty if IVS did not say. */
  readonly containerFormat: string;
  readonly authorized: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** A channel that is to be made. */
export type NewChannel = Omit<ChannelDetails, 'arn' | 'containerFormat'>;

/** BatchGetChannel, as far as it answers: what is left out is not known. */
export interface ChannelSettings {
  readonly arn: string;
  readonly recordingConfigurationArn?: string | undefined;
  readonly adConfigurationArn?: string | undefined;
  readonly playbackRestrictionPolicyArn?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

export interface StreamKeyValue {
  readonly arn: string;
  readonly value: Secret;
}

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RecordingConfiguration.html */
export interface RecordingConfiguration {
  readonly arn: string;
  readonly name: string;
  readonly state: string;
  readonly bucketName: string;
}

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_AdConfiguration.html */
export interface AdConfiguration {
  readonly arn: string;
  readonly name: string;
}

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_PlaybackRestrictionPolicy.html */
export interface PlaybackRestrictionPolicy {
  readonly arn: string;
  readonly name: string;
  /** Empty: every one. The same for the origins. */
  readonly allowedCountries: readonly string[];
  readonly allowedOrigins: readonly string[];
}

/** A viewer whose sessions were not revoked. */
export interface ViewerRevocationError {
  readonly viewerId: string;
  readonly code: string;
  readonly message: string;
}

export interface PlaybackKeyPair {
  readonly arn: string;
  readonly name: string;
  readonly fingerprint?: string | undefined;
}

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamSession.html */
export interface StreamSession {
  readonly streamId: string;
  readonly startTimeMs: number | undefined;
  readonly endTimeMs: number | undefined;
  /** The channel as it was when the stream went live. */
  readonly channelType: string;
  /** For multitrack input: SD, HD or FULL_HD; empty without it. */
  readonly maximumResolution: string;
  readonly video: readonly VideoTrack[];
  readonly audio: readonly AudioTrack[];
  readonly recordingConfigurationArn: string;
  /** This and the next one: undefined if IVS did not say. */
  readonly adConfigurationArn?: string | undefined;
  readonly playbackRestrictionPolicyArn?: string | undefined;
  /** Newest first. */
  readonly events: readonly { readonly name: string; readonly timeMs: number; readonly code?: string | undefined }[];
}

export interface VideoTrack {
  readonly codec: string;
  readonly encoder: string;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly framerate: number | undefined;
  readonly targetBitrateBps: number | undefined;
  readonly avcProfile: string;
  readonly avcLevel: string;
}

export interface AudioTrack {
  readonly codec: string;
  readonly channels: number | undefined;
  readonly sampleRateHz: number | undefined;
  readonly targetBitrateBps: number | undefined;
}

/**
 * The limited IVS client: one permit and one call for each method; lists return all pages.
 * @throws AppError IVS_… with the matching disposition (src/domain/error-catalog.ts).
 */
export interface IvsActions {
  getStream(channelArn: string, options: CallOptions): Promise<LiveStream>;
  stopStream(channelArn: string, options: CallOptions): Promise<void>;
  /** Not idempotent: after IVS_NO_ANSWER there may be a break. */
  insertAdBreak(
    channelArn: string,
    durationSeconds: number,
    options: CallOptions,
  ): Promise<{ readonly adBreakId: string }>;
  getStreamSession(channelArn: string, streamId: string | undefined, options: CallOptions): Promise<StreamSession>;
  getChannel(channelArn: string, options: CallOptions): Promise<ChannelDetails>;
  /** At most 50; channels that do not exist are left out. */
  getChannels(channelArns: readonly string[], options: CallOptions): Promise<readonly ChannelSettings[]>;
  updateChannel(
    channelArn: string,
    change: Partial<
      Pick<ChannelDetails, 'recordingConfigurationArn' | 'adConfigurationArn' | 'playbackRestrictionPolicyArn'>
    >,
    options: CallOptions,
  ): Promise<unknown>;
  /** Its stream key is not in the answer: use getStreamKey. */
  createChannel(channel: NewChannel, options: CallOptions): Promise<ChannelDetails>;
  /** ARNs of the channels with exactly this name. */
  listChannelsByName(name: string, options: CallOptions): Promise<string[]>;
  deleteChannel(channelArn: string, options: CallOptions): Promise<void>;
  /** ARNs of the channels that record with this configuration. */
  listChannelsByRecordingConfiguration(recordingConfigurationArn: string, options: CallOptions): Promise<string[]>;
  /** ARNs of the channels under this policy. */
  listChannelsByPlaybackRestrictionPolicy(policyArn: string, options: CallOptions): Promise<string[]>;
  listAdConfigurations(options: CallOptions): Promise<AdConfiguration[]>;
  getAdConfiguration(arn: string, options: CallOptions): Promise<AdConfiguration>;
  listPlaybackRestrictionPolicies(options: CallOptions): Promise<PlaybackRestrictionPolicy[]>;
  getPlaybackRestrictionPolicy(arn: string, options: CallOptions): Promise<PlaybackRestrictionPolicy>;
  /** A list that is left out stays as it is. */
  updatePlaybackRestrictionPolicy(
    arn: string,
    change: Partial<Pick<PlaybackRestrictionPolicy, 'allowedCountries' | 'allowedOrigins'>>,
    options: CallOptions,
  ): Promise<void>;
  /** At most 20 viewers of one channel. Resolves with those whose sessions were not revoked. */
  revokeViewerSessions(
    channelArn: string,
    revocation: { readonly viewerIds: readonly string[]; readonly versionsUpTo: number },
    options: CallOptions,
  ): Promise<ViewerRevocationError[]>;
  /** ARNs; the values are only in getStreamKey and createStreamKey. */
  listStreamKeys(channelArn: string, options: CallOptions): Promise<string[]>;
  getStreamKey(streamKeyArn: string, options: CallOptions): Promise<StreamKeyValue>;
  createStreamKey(channelArn: string, options: CallOptions): Promise<StreamKeyValue>;
  deleteStreamKey(streamKeyArn: string, options: CallOptions): Promise<void>;
  listRecordingConfigurations(options: CallOptions): Promise<RecordingConfiguration[]>;
  getRecordingConfiguration(arn: string, options: CallOptions): Promise<RecordingConfiguration>;
  createRecordingConfiguration(
    configuration: {
      readonly name: string;
      readonly bucketName: string;
      readonly reconnectWindowSeconds?: number;
      readonly tags?: Readonly<Record<string, string>>;
    },
    options: CallOptions,
  ): Promise<RecordingConfiguration>;
  deleteRecordingConfiguration(arn: string, options: CallOptions): Promise<void>;
  listPlaybackKeyPairs(options: CallOptions): Promise<PlaybackKeyPair[]>;
  importPlaybackKeyPair(
    input: { readonly name: string; readonly publicKeyMaterial: string },
    options: CallOptions,
  ): Promise<PlaybackKeyPair>;
  getPlaybackKeyPair(arn: string, options: CallOptions): Promise<PlaybackKeyPair>;
  deletePlaybackKeyPair(arn: string, options: CallOptions): Promise<void>;
  listTagsForResource(arn: string, options: CallOptions): Promise<Readonly<Record<string, string>>>;
  tagResource(arn: string, tags: Readonly<Record<string, string>>, options: CallOptions): Promise<void>;
  untagResource(arn: string, tagKeys: readonly string[], options: CallOptions): Promise<void>;
}

/** The metadata service (src/metadata): what its outbox accepted before. */
interface MetadataAccepted {
  /** The batch, or the part of one, that was accepted under each key; undefined where nothing was, or it is no longer kept. */
  acceptedUnder(keys: readonly string[]): Promise<readonly (string | undefined)[]>;
}

/** The metadata service: accepts items for its outbox. */
export interface MetadataSubmit extends MetadataAccepted {
  submit(batch: {
    /** The same id again is the same batch. */
    readonly requestId: string;
    readonly targets: {
      readonly channelArns?: readonly string[] | undefined;
      readonly live?: true | undefined;
      readonly tags?: Readonly<Record<string, readonly string[]>> | undefined;
    };
    readonly items: readonly {
      readonly payload: string | Readonly<Record<string, unknown>>;
      readonly key?: string | undefined;
      readonly expiresInMs?: number | undefined;
    }[];
    readonly lane: Lane;
    /** Who sends it, for people: `token mara`, `rule slate`. */
    readonly who?: string | undefined;
    readonly job?: BatchJob | undefined;
    readonly headStart?: HeadStart | undefined;
    readonly acceptedAs?: string | undefined;
    readonly dryRun?: boolean | undefined;
    /** Channels that are left out, whichever target chose them. */
    readonly spare?: ((channelArn: string) => boolean) | undefined;
  }): Promise<{
    readonly batchId: string;
    readonly channels: number;
    readonly items: number;
    /** Channels that get nothing, and why: `held`, `not_live`, `queue_full`, … */
    readonly skipped: readonly {
      readonly reason: string;
      readonly count: number;
      readonly examples: readonly string[];
    }[];
  }>;
}

/** The same for the parts of a fan-out. */
export interface MetadataParts extends MetadataAccepted {
  /** Accepts one item for each channel; a key that was used before adds nothing. @throws AppError OUTBOX_FULL */
  submitParts(batch: {
    readonly parts: readonly {
      readonly channelArn: string;
      readonly key: string;
      readonly payload: string | Readonly<Record<string, unknown>>;
    }[];
    readonly key: string | undefined;
    readonly expiresInMs: number | undefined;
    readonly lane: Lane;
    readonly who: string;
    readonly job: BatchJob;
    readonly headStart?: HeadStart | undefined;
    readonly acceptedAs?: string | undefined;
  }): Promise<{
    readonly batchId: string;
    /** For each part, in their order. */
    readonly states: readonly (
      | 'accepted'
      | 'repeated'
      | 'queue_full'
      | 'other_account_or_region'
      | 'payload_too_large'
    )[];
  }>;
}

/** The actions that deliver a key. */
export type DeliveringAction = 'rotate_stream_key' | 'rotate_playback_key_pair' | 'provision_channel' | 'lease_channel';

/** Everything that is the same for all jobs of a shard. */
export interface ActionPorts {
  readonly ivs: IvsActions;
  readonly state: SharedState;
  readonly clock: Clock;
  readonly random: () => number;
  /** The destination that the job's `deliver` names, within what the job's requester may name. */
  sink(job: ActionJob<DeliveringAction>): SecretSink;
  readonly http: Pick<HttpSender, 'send'>;
  readonly events: Pick<EventBus, 'put'>;
  readonly metadata: MetadataSubmit;
  readonly mail: Pick<MailSender, 'send'>;
  readonly sns: Pick<SnsPublisher, 'publish'>;
  receiver(name: string): Receiver | undefined;
  /** Where a `notify` without a receiver goes. */
  route(): Route | undefined;
  /** The base of links in messages; empty: messages have none. */
  externalUrl(): string;
  /** Counts a message to one integration of a receiver. */
  countNotification(labels: {
    readonly receiver: string;
    readonly integration: string;
    readonly outcome: 'delivered' | 'failed' | 'refused';
  }): void;
  /** How the account's calls of InsertAdBreak are shared. */
  readonly adBreaks: {
    /** Between two of them, by the quota. */
    spacingMs(): number;
    /** A job reads its channel this long before its turn: the queue for the quota must not run empty. */
    readonly aheadMs: number;
    /** After a lost answer, how long the event of the break is awaited. */
    readonly eventWindowMs: number;
  };
  /** The silence in force that holds back this action of a rule. */
  silenceOf(action: {
    readonly rule: string;
    readonly action: ActionName;
    readonly channelArn: string;
  }): { readonly id: string; readonly author: string; readonly reason: string } | undefined;
  /**
   * The text of a file without the final line break.
   * @param job the job whose parameters name the file; left out for a file that the configuration names
   * @throws AppError SECRET_FILE_UNREADABLE, FILE_NOT_ALLOWED
   */
  readSecretFile(path: string, job?: ActionJob): Promise<Secret>;
  /**
   * Writes a file that the job names, with mode 0600 and in one step; only a file that an earlier delivery made is replaced.
   * @throws AppError FILE_NOT_ALLOWED, REPORT_NOT_WRITTEN
   */
  writeFile(job: ActionJob, path: string, text: string): Promise<void>;
  /** Compiles a pattern of the rules language. */
  matcher(pattern: Pattern): Matcher;
  /** Whether a rule's `match` selects a channel, by what is known of it. */
  selects(match: Pattern, channelArn: string): boolean;
  /** Hides a value from every log line until it is released. */
  hide(value: Secret): Disposable;
  /** Hash of the configuration in force, for the audit. */
  configHash(): string;
  /** Signals that committed jobs wait for the relay. */
  nudge(): void;
}

/** One run of one action. */
export interface HandlerContext extends ActionPorts, JobRun {}

/** What a handler returns. `before` and `after` go into the audit; never a secret. */
export interface HandlerResult extends RunResult {
  readonly before?: unknown;
  readonly after?: unknown;
  /** For a dry run: the calls that it would have made, in order. */
  readonly calls?: readonly string[];
  /** The session that it ended by StopStream. */
  readonly stopped?: string | undefined;
}

/** Runs one action. Safe to repeat after any crash or lost answer: it reads from IVS what is left to do. */
export type ActionHandler<N extends ActionName> = (
  job: ActionJob<N>,
  context: HandlerContext,
) => Promise<HandlerResult>;
