// How a channel gets a key; CreateChannel and CreateStreamKey both do it.

import type { ActionContext } from '../context.ts';
import { quotaExceeded } from '../errors.ts';
import type { StreamKey } from '../store.ts';

/** Adds a key to the channel, or refuses because it already has as many as it may have (one). */
export function addStreamKey(
  context: ActionContext,
  channelArn: string,
  tags: ReadonlyMap<string, string> = new Map(),
): StreamKey {
  const { store, ids, settings } = context;
  const most = settings.quotas.streamKeysPerChannel;
  if (store.keysOf(channelArn).length >= most) {
    throw quotaExceeded(`Quota exceeded: a channel can have ${most} stream key(s): ${channelArn}`);
  }
  const id = ids.resource();
  const key: StreamKey = {
    seq: store.nextSeq(),
    arn: ids.arn('stream-key', id),
    value: ids.streamKeyValue(id),
    channelArn,
    tags: new Map(tags),
  };
  store.addStreamKey(key);
  return key;
}
