import type { ActionContext } from '../context.ts';
import { channelArn, tags } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { streamKeyView } from '../wire/views.ts';
import { findChannel } from './lookup.ts';
import { addStreamKey } from './stream-keys.ts';

export const createStreamKeyInput = structure({ channelArn }, { tags });

/** Fails while the channel has its one key. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateStreamKey.html */
export function createStreamKey(input: Checked<typeof createStreamKeyInput>, context: ActionContext) {
  const channel = findChannel(context, input.channelArn);
  return { streamKey: streamKeyView(addStreamKey(context, channel.arn, input.tags)) };
}
