import type { ActionContext } from '../context.ts';
import { conflict } from '../errors.ts';
import { channelArn } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { channelView } from '../wire/views.ts';
import { mergeSettings, settingMembers } from './channel-settings.ts';
import { findChannel, isOnAir } from './lookup.ts';

export const updateChannelInput = structure({ arn: channelArn }, settingMembers);

/**
 * Changes the named members, off air (or, with a switch, for the next stream).
 * https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_UpdateChannel.html
 */
export function updateChannel({ arn, ...input }: Checked<typeof updateChannelInput>, context: ActionContext) {
  const channel = findChannel(context, arn);
  if (context.settings.switches.updateLiveChannel === 'conflict' && isOnAir(context, arn)) {
    throw conflict(`Channel: ${arn} is live and cannot be updated`);
  }
  context.store.changeChannel(channel, mergeSettings(channel, input, context));
  return { channel: channelView(channel, context.settings) };
}
