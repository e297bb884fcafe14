import type { ActionContext } from '../context.ts';
import { quotaExceeded } from '../errors.ts';
import type { PlaybackRestrictionPolicy } from '../store.ts';
import { tags } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { policyView } from '../wire/views.ts';
import { checkRestrictions, policyMembers } from './playback-restrictions.ts';

export const createPlaybackRestrictionPolicyInput = structure({}, { ...policyMembers, tags });

/** Without lists it restricts nothing. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreatePlaybackRestrictionPolicy.html */
export function createPlaybackRestrictionPolicy(
  input: Checked<typeof createPlaybackRestrictionPolicyInput>,
  { store, ids, settings }: ActionContext,
) {
  checkRestrictions(input, settings);
  const most = settings.quotas.playbackRestrictionPolicies;
  if (store.playbackRestrictionPolicies.size >= most) {
    throw quotaExceeded(`Quota exceeded: an account can have ${most} playback restriction policies`);
  }
  const policy: PlaybackRestrictionPolicy = {
    seq: store.nextSeq(),
    arn: ids.arn('playback-restriction-policy', ids.resource()),
    name: input.name ?? '',
    allowedCountries: input.allowedCountries ?? [],
    allowedOrigins: input.allowedOrigins ?? [],
    enableStrictOriginEnforcement: input.enableStrictOriginEnforcement ?? false,
    tags: new Map(input.tags),
  };
  store.playbackRestrictionPolicies.set(policy.arn, policy);
  return { playbackRestrictionPolicy: policyView(policy) };
}
