// Playback restriction policies: finds the one that was named.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_PlaybackRestrictionPolicy.html
import { findNamed } from './named-resource.ts';
import type { HandlerContext, PlaybackRestrictionPolicy } from './ports.ts';

/** The policy with this name or ARN. @throws AppError PLAYBACK_RESTRICTION_UNKNOWN, PLAYBACK_RESTRICTION_AMBIGUOUS */
export function findPlaybackRestrictionPolicy(
  wanted: string,
  { ivs, signal }: Pick<HandlerContext, 'ivs' | 'signal'>,
): Promise<PlaybackRestrictionPolicy> {
  return findNamed(wanted, {
    type: 'playback-restriction-policy',
    unknown: 'PLAYBACK_RESTRICTION_UNKNOWN',
    ambiguous: 'PLAYBACK_RESTRICTION_AMBIGUOUS',
    get: (arn) => ivs.getPlaybackRestrictionPolicy(arn, { signal }),
    list: () => ivs.listPlaybackRestrictionPolicies({ signal }),
  });
}
