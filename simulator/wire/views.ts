// The form of resources in answers: exactly the members each operation lists, absent strings as "", absent tags as {}.

import type { Settings } from '../settings.ts';
import type { AdConfiguration, Channel, PlaybackKeyPair, PlaybackRestrictionPolicy, StreamKey } from '../store.ts';
import type { ChannelSnapshot, Session } from '../streams/session.ts';
import { viewerCount } from '../streams/viewers.ts';

type Place = Pick<Settings, 'region' | 'accountId'>;

export const tagsView = (tags: ReadonlyMap<string, string>): Record<string, string> => Object.fromEntries(tags);

export const playbackUrl = (channel: Pick<Channel, 'host' | 'id'>, { region, accountId }: Place): string =>
  `https://${channel.host}.${region}.playback.live-video.net/api/video/v1/${region}.${accountId}.channel.${channel.id}.m3u8`;

export const channelView = (channel: ChannelSnapshot, place: Place) => ({
  arn: channel.arn,
  name: channel.name,
  latencyMode: channel.latencyMode,
  type: channel.type,
  recordingConfigurationArn: channel.recordingConfigurationArn,
  ingestEndpoint: `${channel.host}.global-contribute.live-video.net`,
  playbackUrl: playbackUrl(channel, place),
  authorized: channel.authorized,
  tags: tagsView(channel.tags),
  insecureIngest: channel.insecureIngest,
  preset: channel.preset,
  srt: { endpoint: `${channel.host}.srt.live-video.net`, passphrase: channel.srtPassphrase },
  playbackRestrictionPolicyArn: channel.playbackRestrictionPolicyArn,
  multitrackInputConfiguration: channel.multitrackInputConfiguration,
  containerFormat: channel.containerFormat,
  adConfigurationArn: channel.adConfigurationArn,
});

export const channelSummary = (channel: Channel) => ({
  arn: channel.arn,
  name: channel.name,
  latencyMode: channel.latencyMode,
  authorized: channel.authorized,
  recordingConfigurationArn: channel.recordingConfigurationArn,
  tags: tagsView(channel.tags),
  insecureIngest: channel.insecureIngest,
  type: channel.type,
  preset: channel.preset,
  playbackRestrictionPolicyArn: channel.playbackRestrictionPolicyArn,
  adConfigurationArn: channel.adConfigurationArn,
});

export const streamKeyView = (key: StreamKey) => ({
  arn: key.arn,
  value: key.value,
  channelArn: key.channelArn,
  tags: tagsView(key.tags),
});

export const streamKeySummary = (key: StreamKey) => ({
  arn: key.arn,
  channelArn: key.channelArn,
  tags: tagsView(key.tags),
});

export const streamSummary = (session: Session, now: number) => ({
  channelArn: session.channelArn,
  streamId: session.streamId,
  state: 'LIVE',
  health: session.health,
  viewerCount: viewerCount(session, now),
  startTime: session.startTime,
});

export const streamView = (session: Session, now: number, place: Place) => {
  const { channelArn, streamId, ...rest } = streamSummary(session, now);
  return { channelArn, streamId, playbackUrl: playbackUrl(session.channel, place), ...rest };
};

export const keyPairView = (keyPair: PlaybackKeyPair) => ({
  arn: keyPair.arn,
  name: keyPair.name,
  fingerprint: keyPair.fingerprint,
  tags: tagsView(keyPair.tags),
});

export const keyPairSummary = (keyPair: PlaybackKeyPair) => ({
  arn: keyPair.arn,
  name: keyPair.name,
  tags: tagsView(keyPair.tags),
});

/** A policy has the same form alone and in a list. */
export const policyView = (policy: PlaybackRestrictionPolicy) => ({
  arn: policy.arn,
  allowedCountries: policy.allowedCountries,
  allowedOrigins: policy.allowedOrigins,
  enableStrictOriginEnforcement: policy.enableStrictOriginEnforcement,
  name: policy.name,
  tags: tagsView(policy.tags),
});

/** An ad configuration has the same form alone and in a list. */
export const adConfigurationView = (configuration: AdConfiguration) => ({
  arn: configuration.arn,
  name: configuration.name,
  mediaTailorPlaybackConfigurations: configuration.playbackConfigurations.map((arn) => ({
    playbackConfigurationArn: arn,
  })),
  postRollConfiguration: configuration.postRoll,
  tags: tagsView(configuration.tags),
});
