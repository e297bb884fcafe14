import type { ActionContext } from '../context.ts';
import { adConfigurationArn, byArn } from '../wire/fields.ts';
import type { Checked } from '../wire/shape.ts';
import { adConfigurationView } from '../wire/views.ts';
import { findAdConfiguration } from './lookup.ts';

export const getAdConfigurationInput = byArn(adConfigurationArn);

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetAdConfiguration.html */
export const getAdConfiguration = (input: Checked<typeof getAdConfigurationInput>, context: ActionContext) => ({
  adConfiguration: adConfigurationView(findAdConfiguration(context, input.arn)),
});
