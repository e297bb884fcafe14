import type { ActionContext } from '../context.ts';
import { conflict } from '../errors.ts';
import { byArn, policyArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { findPlaybackRestrictionPolicy } from './lookup.ts';

export const deletePlaybackRestrictionPolicyInput = byArn(policyArn);

/** Not while a channel refers to it. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_DeletePlaybackRestrictionPolicy.html */
export function deletePlaybackRestrictionPolicy(
  input: Checked<typeof deletePlaybackRestrictionPolicyInput>,
  context: ActionContext,
): undefined {
  const { arn } = findPlaybackRestrictionPolicy(context, input.arn);
  if (context.store.inUse(arn)) throw conflict(`Playback restriction policy: ${arn} is in use by a channel`);
  context.store.playbackRestrictionPolicies.delete(arn);
}
