import type { ActionContext } from '../context.ts';
import { channelArn } from '../wire/fields.ts';
import { type Checked, list, structure } from '../wire/shape.ts';
import { channelView } from '../wire/views.ts';
import { batch } from './batch.ts';

export const batchGetChannelInput = structure({ arns: list(channelArn, { min: 1, max: 50 }) }, {});

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_BatchGetChannel.html */
export function batchGetChannel(input: Checked<typeof batchGetChannelInput>, { store, settings }: ActionContext) {
  const { found, errors } = batch(input.arns, (arn) => store.channels.get(arn));
  return { channels: found.map((channel) => channelView(channel, settings)), errors };
}
