import type { ActionContext } from '../context.ts';
import { conflict } from '../errors.ts';
import { byArn, channelArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { findChannel, isOnAir } from './lookup.ts';

export const deleteChannelInput = byArn(channelArn);

/**
 * Deletes its keys too, and only works off air; its sessions stay readable.
 * https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_DeleteChannel.html
 */
export function deleteChannel(input: Checked<typeof deleteChannelInput>, context: ActionContext): undefined {
  const channel = findChannel(context, input.arn);
  if (isOnAir(context, channel.arn)) throw conflict(`Channel: ${channel.arn} is live and cannot be deleted`);
  context.store.removeChannel(channel);
}
