// The two calls that tell the value of a stream key. Each returns undefined when another look at the channel's keys must come first.
import type { Fence } from './lease.ts';
import type { HandlerContext, StreamKeyValue } from './ports.ts';
import { isCode } from './preconditions.ts';

/** Makes the key of a channel that has none. Returns undefined when it has one after all: an answer was lost, or somebody was quicker. */
export async function createKey(
  context: HandlerContext,
  channelArn: string,
  fence: Fence,
): Promise<StreamKeyValue | undefined> {
  await context.progress('create_stream_key', {});
  await fence.renew();
  try {
    return await context.ivs.createStreamKey(channelArn, { signal: context.signal });
  } catch (error) {
    if (isCode(error, 'IVS_QUOTA_EXCEEDED')) return undefined;
    throw error;
  }
}

/** Returns undefined when the key is gone: somebody replaced it in this moment, or its channel is gone, which the next look shows. */
export async function readKey(context: HandlerContext, keyArn: string): Promise<StreamKeyValue | undefined> {
  await context.progress('get_stream_key', { keyArn });
  try {
    return await context.ivs.getStreamKey(keyArn, { signal: context.signal });
  } catch (error) {
    if (isCode(error, 'IVS_NOT_FOUND')) return undefined;
    throw error;
  }
}
