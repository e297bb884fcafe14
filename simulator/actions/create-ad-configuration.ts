import type { ActionContext } from '../context.ts';
import { quotaExceeded } from '../errors.ts';
import type { AdConfiguration } from '../store.ts';
import { tags } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { adConfigurationView } from '../wire/views.ts';
import { adMembers, playbackConfigurationArns, playbackConfigurations } from './ad-settings.ts';

export const createAdConfigurationInput = structure(
  { mediaTailorPlaybackConfigurations: playbackConfigurations },
  { ...adMembers, tags },
);

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateAdConfiguration.html */
export function createAdConfiguration(
  input: Checked<typeof createAdConfigurationInput>,
  { store, ids, settings }: ActionContext,
) {
  const arns = playbackConfigurationArns(input.mediaTailorPlaybackConfigurations, store);
  const most = settings.quotas.adConfigurations;
  if (store.adConfigurations.size >= most) {
    throw quotaExceeded(`Quota exceeded: an account can have ${most} ad configurations`);
  }
  const configuration: AdConfiguration = {
    seq: store.nextSeq(),
    arn: ids.arn('ad-configuration', ids.resource()),
    name: input.name ?? '',
    playbackConfigurations: arns,
    postRoll: input.postRollConfiguration ?? { enabled: false, durationSeconds: 15 },
    tags: new Map(input.tags),
  };
  store.adConfigurations.set(configuration.arn, configuration);
  return { adConfiguration: adConfigurationView(configuration) };
}
