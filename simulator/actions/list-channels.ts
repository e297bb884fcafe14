import type { ActionContext } from '../context.ts';
import { conflict } from '../errors.ts';
import { adConfigurationArnOrEmpty, name, pageMembers, policyArnOrEmpty, recordingArnOrEmpty } from '../wire/fields.ts';
import { page } from '../wire/page.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { channelSummary } from '../wire/views.ts';

export const listChannelsInput = structure(
  {},
  {
    filterByName: name,
    filterByRecordingConfigurationArn: recordingArnOrEmpty,
    filterByPlaybackRestrictionPolicyArn: policyArnOrEmpty,
    filterByAdConfigurationArn: adConfigurationArnOrEmpty,
    ...pageMembers(100),
  },
);

type Filter = 'name' | 'recordingConfigurationArn' | 'playbackRestrictionPolicyArn' | 'adConfigurationArn';

/** One filter at most. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListChannels.html */
export function listChannels(input: Checked<typeof listChannelsInput>, { store }: ActionContext) {
  const filters = Object.entries({
    name: input.filterByName,
    recordingConfigurationArn: input.filterByRecordingConfigurationArn,
    playbackRestrictionPolicyArn: input.filterByPlaybackRestrictionPolicyArn,
    adConfigurationArn: input.filterByAdConfigurationArn,
  }).filter(([, wanted]) => wanted !== undefined);
  if (filters.length > 1) throw conflict('Filters are mutually exclusive: use one of them');
  const [member, wanted] = filters[0] ?? [];
  const channels = store.channels.values().filter((channel) => {
    if (member === undefined) return true;
    return channel[member as Filter] === wanted;
  });
  const { items, nextToken } = page(channels, input, {
    scope: `channels ${member ?? ''} ${wanted ?? ''}`,
    defaultSize: 100,
  });
  return { channels: items.map(channelSummary), nextToken };
}
