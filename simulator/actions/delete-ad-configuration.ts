import type { ActionContext } from '../context.ts';
import { conflict } from '../errors.ts';
import { adConfigurationArn, byArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { findAdConfiguration } from './lookup.ts';

export const deleteAdConfigurationInput = byArn(adConfigurationArn);

/** Not while a channel refers to it. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_DeleteAdConfiguration.html */
export function deleteAdConfiguration(
  input: Checked<typeof deleteAdConfigurationInput>,
  context: ActionContext,
): undefined {
  const { arn } = findAdConfiguration(context, input.arn);
  if (context.store.inUse(arn)) throw conflict(`Ad configuration: ${arn} is in use by a channel`);
  context.store.adConfigurations.delete(arn);
}
