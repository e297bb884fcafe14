// Call-rate quotas per account and Region, as published; none is adjustable. Resource quotas live in settings.ts.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html

/** Calls per second: for the whole account and, where the service counts that too, for each channel. */
export interface CallRate {
  readonly account: number;
  readonly channel?: number;
}

/** One row for each operation the simulator answers. */
export const CALL_RATES = {
  BatchGetChannel: { account: 5 },
  BatchGetStreamKey: { account: 5 },
  CreateChannel: { account: 5 },
  CreateRecordingConfiguration: { account: 3 },
  CreateStreamKey: { account: 5 },
  DeleteChannel: { account: 5 },
  DeletePlaybackKeyPair: { account: 3 },
  DeleteRecordingConfiguration: { account: 3 },
  DeleteStreamKey: { account: 5 },
  GetChannel: { account: 5 },
  GetPlaybackKeyPair: { account: 3 },
  GetRecordingConfiguration: { account: 3 },
  GetStream: { account: 5 },
  GetStreamKey: { account: 5 },
  GetStreamSession: { account: 5 },
  ImportPlaybackKeyPair: { account: 3 },
  ListChannels: { account: 5 },
  ListPlaybackKeyPairs: { account: 3 },
  ListRecordingConfigurations: { account: 3 },
  ListStreamKeys: { account: 5 },
  ListStreamSessions: { account: 5 },
  ListStreams: { account: 5 },
  ListTagsForResource: { account: 10 },
  PutMetadata: { account: 155, channel: 5 },
  StopStream: { account: 5 },
  TagResource: { account: 10 },
  UntagResource: { account: 10 },
  UpdateChannel: { account: 5 },
} as const satisfies Readonly<Record<string, CallRate>>;

export type OperationName = keyof typeof CALL_RATES;
