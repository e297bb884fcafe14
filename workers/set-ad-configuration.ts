// set_ad_configuration: gives a channel an ad configuration, without which there are no ad breaks, or removes it.
import { kinds } from '#domain/state-registry.ts';
import { assertCanHaveAds, findAdConfiguration } from './ad-configuration.ts';
import { channelSettingHandler } from './channel-setting.ts';

export const setAdConfiguration = channelSettingHandler<'set_ad_configuration'>({
  member: 'adConfigurationArn',
  check: 'ad_configuration',
  memory: kinds.adConfiguration,
  async resolve({ configuration }, context) {
    if (configuration === 'none') return '';
    await context.progress('find_configuration', { configuration });
    return (await findAdConfiguration(configuration, context)).arn;
  },
  summary: ({ configuration }, arn) => (arn === '' ? 'ads off' : `ads of ${configuration}`),
  assertPossible: assertCanHaveAds,
});
