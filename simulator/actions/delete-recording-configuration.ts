import type { ActionContext } from '../context.ts';
import { conflict } from '../errors.ts';
import { byArn, recordingArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { findRecordingConfiguration } from './lookup.ts';

export const deleteRecordingConfigurationInput = byArn(recordingArn);

/** Not while a channel refers to it. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_DeleteRecordingConfiguration.html */
export function deleteRecordingConfiguration(
  input: Checked<typeof deleteRecordingConfigurationInput>,
  context: ActionContext,
): undefined {
  const { arn } = findRecordingConfiguration(context, input.arn);
  if (context.store.inUse(arn)) throw conflict(`Recording configuration: ${arn} is in use by a channel`);
  context.store.recordingConfigurations.delete(arn);
}
