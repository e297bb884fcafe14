// The channels of the stand of page-stand.ts: their ARNs, names and tags.
import type { Channel, ChannelArn } from '#domain/channel.ts';

export const channelArnAt = (index: number) =>
  `arn:aws:ivs:us-west-2:111122223333:channel/${String(index).padStart(4, '0')}abcdEFGH` as ChannelArn;

const shows = [
  'Evening News',
  'Derby Live',
  'Quiz Night',
  'Cooking with Ada',
  'Synth Hour',
  'Chess Arena',
  'Garden TV',
];

export function channelAt(index: number): Channel {
  return {
    arn: channelArnAt(index),
    name: `${shows[index % shows.length]} ${Math.floor(index / shows.length) + 1}`,
    type: 'STANDARD',
    latencyMode: 'LOW',
    recordingConfigurationArn: '',
    tags: {
      tier: ['gold', 'silver', 'bronze'][index % 3]!,
      show: shows[index % shows.length]!.toLowerCase().split(' ')[0]!,
    },
  };
}
