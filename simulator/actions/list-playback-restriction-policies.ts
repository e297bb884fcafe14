import type { ActionContext } from '../context.ts';
import { pageMembers } from '../wire/fields.ts';
import { page } from '../wire/page.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { policyView } from '../wire/views.ts';

export const listPlaybackRestrictionPoliciesInput = structure({}, pageMembers(100));

/** One per page unless asked. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListPlaybackRestrictionPolicies.html */
export function listPlaybackRestrictionPolicies(
  input: Checked<typeof listPlaybackRestrictionPoliciesInput>,
  { store }: ActionContext,
) {
  const { items, nextToken } = page(store.playbackRestrictionPolicies.values(), input, {
    scope: 'playback-restriction-policies',
    defaultSize: 1,
  });
  return { playbackRestrictionPolicies: items.map(policyView), nextToken };
}
