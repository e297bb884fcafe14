import type { ActionContext } from '../context.ts';
import { resourceArn, tagKeys } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { findTags } from './lookup.ts';

export const untagResourceInput = structure({ resourceArn, tagKeys }, {});

/** A key that does not exist is not an error. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_UntagResource.html */
export function untagResource(input: Checked<typeof untagResourceInput>, context: ActionContext) {
  const tags = findTags(context, input.resourceArn);
  for (const key of input.tagKeys) tags.delete(key);
  return {};
}
