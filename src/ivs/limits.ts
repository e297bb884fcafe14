// The call-rate quota of every operation as a table, and what a configuration may change about it. limiter.ts enforces it.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
import { type IvsOperation, ivsOperations } from '#domain/ivs-operations.ts';

/** Calls in any one second: for the account in one Region and, if the service counts that too, for each channel. */
export interface CallLimit {
  readonly perAccount: number;
  readonly perChannel?: number;
}

const userGuide = 'https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html';
/** The guide has no row for it, so this is the lowest rate of any listed operation. */
const assumed = 'assumed';

interface LimitRow extends CallLimit {
  readonly source: typeof userGuide | typeof assumed;
}

/** One row for each operation of the service. Not adjustable at AWS; other software may share the account's quota. */
export const publishedLimits = {
  BatchGetChannel: { perAccount: 5, source: userGuide },
  BatchGetStreamKey: { perAccount: 5, source: userGuide },
  BatchStartViewerSessionRevocation: { perAccount: 2, source: userGuide },
  CreateAdConfiguration: { perAccount: 3, source: userGuide },
  CreateChannel: { perAccount: 5, source: userGuide },
  CreatePlaybackRestrictionPolicy: { perAccount: 5, source: userGuide },
  CreateRecordingConfiguration: { perAccount: 3, source: userGuide },
  CreateStreamKey: { perAccount: 5, source: userGuide },
  DeleteAdConfiguration: { perAccount: 3, source: userGuide },
  DeleteChannel: { perAccount: 5, source: userGuide },
  DeletePlaybackKeyPair: { perAccount: 3, source: userGuide },
  DeletePlaybackRestrictionPolicy: { perAccount: 5, source: userGuide },
  DeleteRecordingConfiguration: { perAccount: 3, source: userGuide },
  DeleteStreamKey: { perAccount: 5, source: userGuide },
  GetAdConfiguration: { perAccount: 3, source: userGuide },
  GetChannel: { perAccount: 5, source: userGuide },
  GetPlaybackKeyPair: { perAccount: 3, source: userGuide },
  GetPlaybackRestrictionPolicy: { perAccount: 5, source: userGuide },
  GetRecordingConfiguration: { perAccount: 3, source: userGuide },
  GetStream: { perAccount: 5, source: userGuide },
  GetStreamKey: { perAccount: 5, source: userGuide },
  GetStreamSession: { perAccount: 5, source: userGuide },
  ImportPlaybackKeyPair: { perAccount: 3, source: userGuide },
  InsertAdBreak: { perAccount: 1, source: userGuide },
  ListAdConfigurations: { perAccount: 3, source: userGuide },
  ListChannels: { perAccount: 5, source: userGuide },
  ListPlaybackKeyPairs: { perAccount: 3, source: userGuide },
  ListPlaybackRestrictionPolicies: { perAccount: 5, source: userGuide },
  ListRecordingConfigurations: { perAccount: 3, source: userGuide },
  ListStreamKeys: { perAccount: 5, source: userGuide },
  ListStreamSessions: { perAccount: 5, source: userGuide },
  ListStreams: { perAccount: 5, source: userGuide },
  ListTagsForResource: { perAccount: 10, source: userGuide },
  PutMetadata: { perAccount: 155, perChannel: 5, source: userGuide },
  StartViewerSessionRevocation: { perAccount: 10, source: userGuide },
  StopStream: { perAccount: 5, source: userGuide },
  TagResource: { perAccount: 10, source: userGuide },
  UntagResource: { perAccount: 10, source: userGuide },
  UpdateAdConfiguration: { perAccount: 1, source: assumed },
  UpdateChannel: { perAccount: 5, source: userGuide },
  UpdatePlaybackRestrictionPolicy: { perAccount: 5, source: userGuide },
} as const satisfies Readonly<Record<IvsOperation, LimitRow>>;

export type OperationName = IvsOperation;

export const operationNames: readonly OperationName[] = ivsOperations;

export interface LimitSettings {
  /** Rates that differ from the table, by operation. */
  readonly overrides?: Readonly<Partial<Record<OperationName, CallLimit>>>;
  /**
   * Our part of every account's quota, above 0 and up to 1; the rest is for other software. Default 1. A channel's own quota is not
   * shared: if other software sends to the same channels, give PutMetadata a lower one.
   */
  readonly share?: number;
}

/** Returns the limit of an operation under these settings. @throws RangeError that names an impossible setting */
export function limitsFrom({ overrides = {}, share = 1 }: LimitSettings): (operation: OperationName) => CallLimit {
  if (!(share > 0 && share <= 1)) throw new RangeError(`limits.share must be above 0 and at most 1, not ${share}`);
  for (const [operation, limit] of Object.entries(overrides)) {
    if (!Object.hasOwn(publishedLimits, operation)) {
      throw new RangeError(`limits.overrides.${operation}: there is no such operation`);
    }
    for (const [field, value] of Object.entries(limit)) {
      if (!(Number.isInteger(value) && value > 0)) {
        throw new RangeError(`limits.overrides.${operation}.${field} must be a whole number above 0, not ${value}`);
      }
    }
  }
  return (operation) => {
    const { perAccount, perChannel }: CallLimit = overrides[operation] ?? publishedLimits[operation];
    // Our share is rounded down, so that the shares never add up to more than the quota; but one call a second stays possible.
    const ours = Math.max(1, Math.floor(perAccount * share));
    return perChannel === undefined
      ? { perAccount: ours }
      : { perAccount: ours, perChannel: Math.min(perChannel, ours) };
  };
}
