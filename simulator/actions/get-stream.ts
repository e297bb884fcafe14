import type { ActionContext } from '../context.ts';
import { byChannelArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { streamView } from '../wire/views.ts';
import { findLive } from './lookup.ts';

export const getStreamInput = byChannelArn;

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetStream.html */
export const getStream = (input: Checked<typeof getStreamInput>, context: ActionContext) => ({
  stream: streamView(findLive(context, input.channelArn), context.clock.now(), context.settings),
});
