import type { ActionContext } from '../context.ts';
import { overlay } from '../overlay.ts';
import { policyArn } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { policyView } from '../wire/views.ts';
import { findPlaybackRestrictionPolicy } from './lookup.ts';
import { checkRestrictions, policyMembers } from './playback-restrictions.ts';

export const updatePlaybackRestrictionPolicyInput = structure({ arn: policyArn }, policyMembers);

/**
 * Changes the named members, even while channels with the policy are live.
 * https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_UpdatePlaybackRestrictionPolicy.html
 */
export function updatePlaybackRestrictionPolicy(
  { arn, ...change }: Checked<typeof updatePlaybackRestrictionPolicyInput>,
  context: ActionContext,
) {
  const policy = findPlaybackRestrictionPolicy(context, arn);
  checkRestrictions(change, context.settings);
  Object.assign(policy, overlay(policy, change));
  return { playbackRestrictionPolicy: policyView(policy) };
}
