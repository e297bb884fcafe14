// What a shard asks IVS before it accepts an operator's request: whether the resources that the request names exist.
import { whyNoAds } from '#domain/ad-breaks.ts';
import { createActionCalls } from '#ivs/action-calls.ts';
import type { IvsClientPort } from '#ivs/client.ts';
import { findAdConfiguration } from '#workers/ad-configuration.ts';
import { findPlaybackRestrictionPolicy } from '#workers/playback-restriction-policy.ts';
import { findRecordingConfiguration } from '#workers/recording-configuration.ts';

/** Each asks IVS, for at most ten seconds. @throws AppError IVS_…, LIMITER_… if IVS gives no answer */
export interface IvsLookups {
  /** The recording configuration with this name or ARN. @throws AppError RECORDING_CONFIGURATION_UNKNOWN, …_AMBIGUOUS */
  recordingConfiguration(wanted: string): Promise<unknown>;
  /** The ad configuration with this name or ARN. @throws AppError AD_CONFIGURATION_UNKNOWN, …_AMBIGUOUS */
  adConfiguration(wanted: string): Promise<unknown>;
  /** The playback restriction policy with this name or ARN. @throws AppError PLAYBACK_RESTRICTION_UNKNOWN, …_AMBIGUOUS */
  playbackRestrictionPolicy(wanted: string): Promise<unknown>;
  /** Why a channel cannot have ad breaks; undefined: it can. */
  adBreakProblem(channelArn: string): Promise<string | undefined>;
}

const longestMs = 10_000;

/** Over the limited client of a shard. */
export function ivsLookups(client: IvsClientPort): IvsLookups {
  const access = () => ({ ivs: createActionCalls(client), signal: AbortSignal.timeout(longestMs) });
  return {
    recordingConfiguration: (wanted) => findRecordingConfiguration(wanted, access()),
    adConfiguration: (wanted) => findAdConfiguration(wanted, access()),
    playbackRestrictionPolicy: (wanted) => findPlaybackRestrictionPolicy(wanted, access()),
    async adBreakProblem(channelArn) {
      const { ivs, signal } = access();
      return whyNoAds(await ivs.getChannel(channelArn, { signal }));
    },
  };
}
