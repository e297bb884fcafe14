import type { ActionContext } from '../context.ts';
import { byArn, streamKeyArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { streamKeyView } from '../wire/views.ts';
import { findStreamKey } from './lookup.ts';

export const getStreamKeyInput = byArn(streamKeyArn);

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetStreamKey.html */
export const getStreamKey = (input: Checked<typeof getStreamKeyInput>, context: ActionContext) => ({
  streamKey: streamKeyView(findStreamKey(context, input.arn)),
});
