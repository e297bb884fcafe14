import type { ActionContext } from '../context.ts';
import { overlay } from '../overlay.ts';
import type { AdConfiguration } from '../store.ts';
import { adConfigurationArn } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { adConfigurationView } from '../wire/views.ts';
import { adMembers, playbackConfigurationArns, playbackConfigurations } from './ad-settings.ts';
import { findAdConfiguration } from './lookup.ts';

export const updateAdConfigurationInput = structure(
  { arn: adConfigurationArn },
  { ...adMembers, mediaTailorPlaybackConfigurations: playbackConfigurations },
);

/** Changes the named members. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_UpdateAdConfiguration.html */
export function updateAdConfiguration(input: Checked<typeof updateAdConfigurationInput>, context: ActionContext) {
  const configuration = findAdConfiguration(context, input.arn);
  const { mediaTailorPlaybackConfigurations: given } = input;
  const change = {
    name: input.name,
    playbackConfigurations: given === undefined ? undefined : playbackConfigurationArns(given, context.store),
    postRoll: input.postRollConfiguration,
  };
  Object.assign(configuration, overlay<AdConfiguration>(configuration, change));
  return { adConfiguration: adConfigurationView(configuration) };
}
