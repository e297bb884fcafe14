import type { ActionContext } from '../context.ts';
import { quotaExceeded } from '../errors.ts';
import type { Channel } from '../store.ts';
import { tags } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { channelView, streamKeyView } from '../wire/views.ts';
import { mergeSettings, NEW_CHANNEL, settingMembers } from './channel-settings.ts';
import { addStreamKey } from './stream-keys.ts';

export const createChannelInput = structure({}, { ...settingMembers, tags });

/** A new channel, always with a stream key. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateChannel.html */
export function createChannel({ tags, ...input }: Checked<typeof createChannelInput>, context: ActionContext) {
  const { store, ids, settings } = context;
  const merged = mergeSettings(NEW_CHANNEL, input, context);
  if (store.channels.size >= settings.quotas.channels) {
    throw quotaExceeded(`Quota exceeded: an account can have ${settings.quotas.channels} channels`);
  }
  const id = ids.resource();
  const channel: Channel = {
    ...merged,
    seq: store.nextSeq(),
    arn: ids.arn('channel', id),
    id,
    host: ids.host(),
    srtPassphrase: ids.passphrase(),
    tags: new Map(tags),
  };
  store.addChannel(channel);
  const key = addStreamKey(context, channel.arn);
  return { channel: channelView(channel, settings), streamKey: streamKeyView(key) };
}
