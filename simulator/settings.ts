// The settings of one simulator, with their defaults. Default times are short, so that tests are fast; REALISTIC_TIMINGS are what the
// audience of a rehearsal would expect.

import { type Change, overlay } from './overlay.ts';
import type { CallRate, OperationName } from './throttle/quotas.ts';
import type { Enforcement } from './throttle/throttle.ts';

/** How long things take, in simulated milliseconds. */
export interface Timings {
  /** Session Created → Stream Start. */
  readonly sessionToStartMs: number;
  /** Session Ended → Stream End. */
  readonly sessionEndToStreamEndMs: number;
  /** No data at all for this long ends a session; until then a new connection needs takeover. */
  readonly lossTimeoutMs: number;
  /** How long after it was disconnected an encoder that reconnects by itself tries again. */
  readonly encoderReconnectMs: number;
  /** How long after the end of its stream a recording is still written; a stream that starts sooner is not merged. */
  readonly recordingWriteMs: number;
  /** Recording configuration CREATING → ACTIVE or CREATE_FAILED. */
  readonly recordingConfigurationMs: number;
  /** InsertAdBreak → the start of the break in the playlists. The event names it; nothing waits for it. */
  readonly adBreakLeadMs: number;
}

export const QUICK_TIMINGS: Timings = {
  sessionToStartMs: 0,
  sessionEndToStreamEndMs: 0,
  lossTimeoutMs: 30_000,
  encoderReconnectMs: 1_000,
  recordingWriteMs: 0,
  recordingConfigurationMs: 0,
  adBreakLeadMs: 10_000,
};

export const REALISTIC_TIMINGS: Timings = {
  sessionToStartMs: 6_500,
  sessionEndToStreamEndMs: 2_000,
  lossTimeoutMs: 30_000,
  encoderReconnectMs: 3_000,
  recordingWriteMs: 10_000,
  recordingConfigurationMs: 2_000,
  adBreakLeadMs: 10_000,
};

/** How many resources an account may have. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html */
export interface ResourceQuotas {
  readonly channels: number;
  readonly concurrentStreams: number;
  readonly concurrentViews: number;
  readonly streamKeysPerChannel: number;
  readonly recordingConfigurations: number;
  readonly playbackKeyPairs: number;
  readonly takeoversPerStream: number;
  readonly adConfigurations: number;
  readonly playbackRestrictionPolicies: number;
  readonly countriesPerPolicy: number;
  readonly originsPerPolicy: number;
}

export const RESOURCE_QUOTAS: ResourceQuotas = {
  channels: 5_000,
  concurrentStreams: 100,
  concurrentViews: 15_000,
  streamKeysPerChannel: 1,
  recordingConfigurations: 20,
  playbackKeyPairs: 3,
  takeoversPerStream: 100,
  adConfigurations: 20,
  playbackRestrictionPolicies: 3,
  countriesPerPolicy: 200,
  originsPerPolicy: 5,
};

/** Undocumented or formerly different behaviour, which can be chosen. */
export interface Switches {
  /** The older reference text: UpdateChannel answers 200 on a live channel, effective with the next stream. */
  readonly updateLiveChannel: 'conflict' | 'next-stream';
  /** The form of a refused call: IVS's own, or that of the gateway in front of it. */
  readonly throttleError: 'ThrottlingException' | 'TooManyRequestsException';
  /** Error bodies contain only `exceptionMessage`, or `message` as well. */
  readonly errorBody: 'exceptionMessage' | 'both';
  /** The name field of limit breach events: the user guide's or the published schema's. */
  readonly limitField: 'limit_name' | 'limit';
  /** The Region that an event's envelope names: the channel's, or us-east-1 as in the user guide's samples. */
  readonly eventRegion: 'channel' | 'us-east-1';
  /** Largest PutMetadata payload in UTF-8 bytes ("1 KB"). */
  readonly metadataBytes: number;
  /** Whether a bucket in another Region is refused at once or ends as CREATE_FAILED (the older us-east-1 behaviour). */
  readonly foreignBucket: 'create-failed' | 'validation-error';
  /** Longest origin of a playback restriction policy: 128 characters in the API's model, 256 in the list of quotas. */
  readonly originLength: 128 | 256;
}

export const DEFAULT_SWITCHES: Switches = {
  updateLiveChannel: 'conflict',
  throttleError: 'ThrottlingException',
  errorBody: 'exceptionMessage',
  limitField: 'limit_name',
  eventRegion: 'channel',
  metadataBytes: 1024,
  foreignBucket: 'create-failed',
  originLength: 128,
};

/** Where events go: the SDK's own client settings, and optionally a queue that gets every IVS event without a rule. */
export interface SqsOptions {
  readonly endpoint?: string | undefined;
  readonly queueUrl?: string | undefined;
  readonly region?: string | undefined;
}

/** Everything `startSimulator` takes; each field is optional. */
export interface SimulatorOptions {
  /** 0, the default, picks a free port. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1: nothing listens outside loopback unless configured. */
  readonly host?: string | undefined;
  readonly region?: string | undefined;
  readonly accountId?: string | undefined;
  /** The seed of a run to repeat; default: a new one. */
  readonly seed?: string | number | undefined;
  readonly enforcement?: Enforcement | undefined;
  readonly callRates?: Partial<Readonly<Record<OperationName, CallRate>>> | undefined;
  readonly quotas?: Change<ResourceQuotas> | undefined;
  readonly timings?: Change<Timings> | undefined;
  readonly switches?: Change<Switches> | undefined;
  /** Simulated milliseconds per real one; 0 is a clock that only moves when told to. Default 1. */
  readonly clockRate?: number | undefined;
  /** Epoch milliseconds at which the simulated clock starts; default now. */
  readonly startAt?: number | undefined;
  readonly sqs?: SqsOptions | undefined;
  /** How many calls and cues the record keeps. Default 250,000 and 100,000. */
  readonly recordedCalls?: number | undefined;
  readonly recordedCues?: number | undefined;
}

/** The resolved form that the parts read. Switches, quotas and timings can be changed while it runs. */
export interface Settings {
  readonly region: string;
  readonly accountId: string;
  quotas: ResourceQuotas;
  timings: Timings;
  switches: Switches;
}

export function settle(options: SimulatorOptions): Settings {
  return {
    region: options.region ?? 'us-west-2',
    accountId: options.accountId ?? '111122223333',
    quotas: overlay(RESOURCE_QUOTAS, options.quotas),
    timings: overlay(QUICK_TIMINGS, options.timings),
    switches: overlay(DEFAULT_SWITCHES, options.switches),
  };
}
