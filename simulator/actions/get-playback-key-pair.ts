import type { ActionContext } from '../context.ts';
import { byArn, playbackKeyArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { keyPairView } from '../wire/views.ts';
import { findPlaybackKeyPair } from './lookup.ts';

export const getPlaybackKeyPairInput = byArn(playbackKeyArn);

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetPlaybackKeyPair.html */
export const getPlaybackKeyPair = (input: Checked<typeof getPlaybackKeyPairInput>, context: ActionContext) => ({
  keyPair: keyPairView(findPlaybackKeyPair(context, input.arn)),
});
