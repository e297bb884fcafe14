import type { ActionContext } from '../context.ts';
import { streamKeyArn } from '../wire/fields.ts';
import { type Checked, list, structure } from '../wire/shape.ts';
import { streamKeyView } from '../wire/views.ts';
import { batch } from './batch.ts';

export const batchGetStreamKeyInput = structure({ arns: list(streamKeyArn, { min: 1, max: 50 }) }, {});

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_BatchGetStreamKey.html */
export function batchGetStreamKey(input: Checked<typeof batchGetStreamKeyInput>, { store }: ActionContext) {
  const { found, errors } = batch(input.arns, (arn) => store.streamKeys.get(arn));
  return { streamKeys: found.map(streamKeyView), errors };
}
