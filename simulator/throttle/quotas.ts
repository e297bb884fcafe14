// Call-rate quotas per account and Region, as published; none is adjustable. Resource quotas live in settings.ts.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html

/** Calls per second: for the whole account and, where the service counts that too, for each channel. */
export interface CallRate {
  readonly account: number;
  readonly channel?: number;
}

/** One row for each operation of the simulator. */
export const CALL_RATES = {
  BatchGetChannel: { account: 5 },
  BatchGetStreamKey: { account: 5 },
  BatchStartViewerSessionRevocation: { account: 2 },
  CreateAdConfiguration: { account: 3 },
  CreateChannel: { account: 5 },
  CreatePlaybackRestrictionPolicy: { account: 5 },
  CreateRecordingConfiguration: { account: 3 },
  CreateStreamKey: { account: 5 },
  DeleteAdConfiguration: { account: 3 },
  DeleteChannel: { account: 5 },
  DeletePlaybackKeyPair: { account: 3 },
  DeletePlaybackRestrictionPolicy: { account: 5 },
  DeleteRecordingConfiguration: { account: 3 },
  DeleteStreamKey: { account: 5 },
  GetAdConfiguration: { account: 3 },
  GetChannel: { account: 5 },
  GetPlaybackKeyPair: { account: 3 },
  GetPlaybackRestrictionPolicy: { account: 5 },
  GetRecordingConfiguration: { account: 3 },
  GetStream: { account: 5 },
  GetStreamKey: { account: 5 },
  GetStreamSession: { account: 5 },
  ImportPlaybackKeyPair: { account: 3 },
  InsertAdBreak: { account: 1 },
  ListAdConfigurations: { account: 3 },
  ListChannels: { account: 5 },
  ListPlaybackKeyPairs: { account: 3 },
  ListPlaybackRestrictionPolicies: { account: 5 },
  ListRecordingConfigurations: { account: 3 },
  ListStreamKeys: { account: 5 },
  ListStreamSessions: { account: 5 },
  ListStreams: { account: 5 },
  ListTagsForResource: { account: 10 },
  PutMetadata: { account: 155, channel: 5 },
  StartViewerSessionRevocation: { account: 10 },
  StopStream: { account: 5 },
  TagResource: { account: 10 },
  UntagResource: { account: 10 },
  /** The list of quotas has no row for it: this is the lowest rate of any operation. */
  UpdateAdConfiguration: { account: 1 },
  UpdateChannel: { account: 5 },
  UpdatePlaybackRestrictionPolicy: { account: 5 },
} as const satisfies Readonly<Record<string, CallRate>>;

export type OperationName = keyof typeof CALL_RATES;
