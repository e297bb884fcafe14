import type { ActionContext } from '../context.ts';
import { byArn, playbackKeyArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { findPlaybackKeyPair } from './lookup.ts';

export const deletePlaybackKeyPairInput = byArn(playbackKeyArn);

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_DeletePlaybackKeyPair.html */
export function deletePlaybackKeyPair(input: Checked<typeof deletePlaybackKeyPairInput>, context: ActionContext) {
  context.store.playbackKeyPairs.delete(findPlaybackKeyPair(context, input.arn).arn);
  return {};
}
