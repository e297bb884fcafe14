// The two calls that return the value of a stream key. Each returns undefined if the channel's keys must be listed again first.
import type { Fence } from './lease.ts';
import type { HandlerContext, StreamKeyValue } from './ports.ts';
import { isCode } from './preconditions.ts';

/** Creates the key of a channel that has none. Returns undefined if it has one after all: an answer was lost, or somebody was faster. */
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

/** Returns undefined if the key is gone: somebody replaced it just now, or its channel is gone, which the next listing shows. */
export async function readKey(context: HandlerContext, keyArn: string): Promise<StreamKeyValue | undefined> {
  await context.progress('get_stream_key', { keyArn });
  try {
    return await context.ivs.getStreamKey(keyArn, { signal: context.signal });
  } catch (error) {
    if (isCode(error, 'IVS_NOT_FOUND')) return undefined;
    throw error;
  }
}
