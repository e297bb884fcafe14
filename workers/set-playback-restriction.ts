// set_playback_restriction: applies a playback restriction policy (countries, origins) to a channel, or removes it.
import { kinds } from '#domain/state-registry.ts';
import { channelSettingHandler } from './channel-setting.ts';
import { findPlaybackRestrictionPolicy } from './playback-restriction-policy.ts';

export const setPlaybackRestriction = channelSettingHandler<'set_playback_restriction'>({
  member: 'playbackRestrictionPolicyArn',
  check: 'playback_restriction',
  memory: kinds.playbackRestriction,
  async resolve({ policy }, context) {
    if (policy === 'none') return '';
    await context.progress('find_policy', { policy });
    return (await findPlaybackRestrictionPolicy(policy, context)).arn;
  },
  summary: ({ policy }, arn) => (arn === '' ? 'playback unrestricted' : `playback under ${policy}`),
});
