import type { ActionContext } from '../context.ts';
import { byChannelArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { findLive } from './lookup.ts';

export const stopStreamInput = byChannelArn;

/** Disconnects the encoder, which may well come back. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StopStream.html */
export function stopStream(input: Checked<typeof stopStreamInput>, context: ActionContext) {
  context.ingest.stop(findLive(context, input.channelArn));
  return {};
}
