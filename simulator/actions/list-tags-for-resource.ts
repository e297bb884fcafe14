import type { ActionContext } from '../context.ts';
import { resourceArn } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { tagsView } from '../wire/views.ts';
import { findTags } from './lookup.ts';

export const listTagsForResourceInput = structure({ resourceArn }, {});

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListTagsForResource.html */
export const listTagsForResource = (input: Checked<typeof listTagsForResourceInput>, context: ActionContext) => ({
  tags: tagsView(findTags(context, input.resourceArn)),
});
