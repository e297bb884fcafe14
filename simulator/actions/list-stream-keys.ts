import type { ActionContext } from '../context.ts';
import { channelArn, pageMembers } from '../wire/fields.ts';
import { page } from '../wire/page.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { streamKeySummary } from '../wire/views.ts';
import { findChannel } from './lookup.ts';

export const listStreamKeysInput = structure({ channelArn }, pageMembers(50));

/** Never with values; one per page unless asked. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListStreamKeys.html */
export function listStreamKeys(input: Checked<typeof listStreamKeysInput>, context: ActionContext) {
  const channel = findChannel(context, input.channelArn);
  const { items, nextToken } = page(context.store.keysOf(channel.arn), input, {
    scope: `stream-keys ${channel.arn}`,
    defaultSize: 1,
  });
  return { streamKeys: items.map(streamKeySummary), nextToken };
}
