import type { ActionContext } from '../context.ts';
import { byArn, policyArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { policyView } from '../wire/views.ts';
import { findPlaybackRestrictionPolicy } from './lookup.ts';

export const getPlaybackRestrictionPolicyInput = byArn(policyArn);

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetPlaybackRestrictionPolicy.html */
export const getPlaybackRestrictionPolicy = (
  input: Checked<typeof getPlaybackRestrictionPolicyInput>,
  context: ActionContext,
) => ({ playbackRestrictionPolicy: policyView(findPlaybackRestrictionPolicy(context, input.arn)) });
