import type { ActionContext } from '../context.ts';
import { byArn, channelArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { channelView } from '../wire/views.ts';
import { findChannel } from './lookup.ts';

export const getChannelInput = byArn(channelArn);

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetChannel.html */
export const getChannel = (input: Checked<typeof getChannelInput>, context: ActionContext) => ({
  channel: channelView(findChannel(context, input.arn), context.settings),
});
