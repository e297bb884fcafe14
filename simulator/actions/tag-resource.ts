import type { ActionContext } from '../context.ts';
import { invalid } from '../errors.ts';
import { resourceArn, TAGS_PER_RESOURCE, tags } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { findTags } from './lookup.ts';

export const tagResourceInput = structure({ resourceArn, tags }, {});

/** Adds or replaces tags, all or none. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_TagResource.html */
export function tagResource(input: Checked<typeof tagResourceInput>, context: ActionContext) {
  const present = findTags(context, input.resourceArn);
  const after = new Map([...present, ...input.tags]);
  if (after.size > TAGS_PER_RESOURCE) throw invalid(`A resource can have ${TAGS_PER_RESOURCE} tags`);
  for (const [key, value] of input.tags) present.set(key, value);
  return {};
}
