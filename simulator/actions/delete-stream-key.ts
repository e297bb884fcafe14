import type { ActionContext } from '../context.ts';
import { byArn, streamKeyArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { findStreamKey } from './lookup.ts';

export const deleteStreamKeyInput = byArn(streamKeyArn);

/**
 * Stops new connections; a running stream continues. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_DeleteStreamKey.html
 */
export function deleteStreamKey(input: Checked<typeof deleteStreamKeyInput>, context: ActionContext): undefined {
  context.store.removeStreamKey(findStreamKey(context, input.arn));
}
