// A tour of the whole API on a simulator: every operation, so that every member of every answer is seen at least once.

import { generateKeyPairSync } from 'node:crypto';
import type { SimulatorHandle } from '#simulator/server.ts';

/** One call over plain HTTP, unchanged. */
export interface TourCall {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly status: number;
  readonly body: string;
}

/** Calls every operation of a simulator without quotas, in an order in which each can succeed. */
export async function tour({ url, control }: SimulatorHandle): Promise<TourCall[]> {
  const calls: TourCall[] = [];
  const send = async (operation: string, input: Record<string, unknown>, path = `/${operation}`, method = 'POST') => {
    const body = method === 'POST' ? { body: JSON.stringify(input) } : {};
    const answer = await fetch(url + path, { method, ...body });
    const text = await answer.text();
    calls.push({ operation, input, status: answer.status, body: text });
    if (!answer.ok) throw new Error(`${operation} ${JSON.stringify(input)}: ${answer.status} ${text}`);
    return text === '' ? {} : JSON.parse(text);
  };
  const tags = { tier: 'gold' };
  /** Two items and pages of one, so that there is a token. */
  const list = (operation: string, input: Record<string, unknown> = {}) => send(operation, { ...input, maxResults: 1 });

  const newRecording = async () => {
    const input = {
      name: 'recordings',
      destinationConfiguration: { s3: { bucketName: 'recordings' } },
      thumbnailConfiguration: { targetIntervalSeconds: 5, resolution: 'HD', storage: ['LATEST'] },
      renditionConfiguration: { renditionSelection: 'CUSTOM', renditions: ['HD', 'SD'] },
      tags,
    };
    return (await send('CreateRecordingConfiguration', input)).recordingConfiguration.arn as string;
  };
  const newPolicy = async () => {
    const input = { name: 'dach', allowedCountries: ['DE'], allowedOrigins: ['https://tv.example.com'], tags };
    return (await send('CreatePlaybackRestrictionPolicy', input)).playbackRestrictionPolicy.arn as string;
  };
  const newAds = async () => {
    const playbackConfigurationArn = 'arn:aws:mediatailor:us-west-2:111122223333:playbackConfiguration/ads';
    const input = { name: 'ads', mediaTailorPlaybackConfigurations: [{ playbackConfigurationArn }], tags };
    return (await send('CreateAdConfiguration', input)).adConfiguration.arn as string;
  };
  const newKeyPair = async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    const publicKeyMaterial = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    return (await send('ImportPlaybackKeyPair', { publicKeyMaterial, name: 'viewers', tags })).keyPair.arn as string;
  };
  const both = async (make: () => Promise<string>): Promise<[string, string]> => [await make(), await make()];

  const [recording, spareRecording] = await both(newRecording);
  const [policy, sparePolicy] = await both(newPolicy);
  const [ads, spareAds] = await both(newAds);
  const [keyPair, spareKeyPair] = await both(newKeyPair);
  const settings = {
    name: 'studio',
    authorized: true,
    recordingConfigurationArn: recording,
    playbackRestrictionPolicyArn: policy,
    adConfigurationArn: ads,
    tags,
  };
  const { channel, streamKey } = await send('CreateChannel', settings);
  const channelArn = channel.arn as string;
  const spare = await send('CreateChannel', {});
  const gone = `${channelArn.slice(0, -1)}-gone`;
  await send('UpdateChannel', { arn: channelArn, name: 'studio-a' });
  await send('GetChannel', { arn: channelArn });
  await send('BatchGetChannel', { arns: [channelArn, gone] });
  await list('ListChannels');

  await send('DeleteStreamKey', { arn: streamKey.arn });
  const key = (await send('CreateStreamKey', { channelArn, tags })).streamKey.arn as string;
  await send('GetStreamKey', { arn: key });
  await send('BatchGetStreamKey', { arns: [key, streamKey.arn] });
  await control.configure({ quotas: { streamKeysPerChannel: 2 } });
  await send('CreateStreamKey', { channelArn });
  await list('ListStreamKeys', { channelArn });

  await control.connect(channelArn, { rejectWith: 'MultitrackInputNotAllowed' });
  await send('GetStreamSession', { channelArn });
  await control.goLive([channelArn, spare.channel.arn], { viewers: 10 });
  await send('GetStreamSession', { channelArn });
  await list('ListStreamSessions', { channelArn });
  await send('ListStreamSessions', { channelArn });
  await send('GetStream', { channelArn });
  await list('ListStreams');
  await send('PutMetadata', { channelArn, metadata: 'x' });
  await send('InsertAdBreak', { channelArn, durationSeconds: 30 });
  const viewer = { channelArn, viewerId: 'alice', viewerSessionVersionsLessThanOrEqualTo: 1 };
  await send('StartViewerSessionRevocation', viewer);
  await send('BatchStartViewerSessionRevocation', { viewerSessions: [viewer, { ...viewer, channelArn: gone }] });
  await send('StopStream', { channelArn });

  await send('GetRecordingConfiguration', { arn: recording });
  await list('ListRecordingConfigurations');
  await send('DeleteRecordingConfiguration', { arn: spareRecording });
  await send('GetPlaybackKeyPair', { arn: keyPair });
  await list('ListPlaybackKeyPairs');
  await send('DeletePlaybackKeyPair', { arn: spareKeyPair });
  await send('GetPlaybackRestrictionPolicy', { arn: policy });
  await list('ListPlaybackRestrictionPolicies');
  await send('UpdatePlaybackRestrictionPolicy', { arn: policy, enableStrictOriginEnforcement: true });
  await send('DeletePlaybackRestrictionPolicy', { arn: sparePolicy });
  await send('GetAdConfiguration', { arn: ads });
  await list('ListAdConfigurations');
  await send('UpdateAdConfiguration', { arn: ads, postRollConfiguration: { enabled: true, durationSeconds: 20 } });
  await send('DeleteAdConfiguration', { arn: spareAds });

  const tagsOf = `/tags/${encodeURIComponent(channelArn)}`;
  await send('TagResource', { resourceArn: channelArn, tags }, tagsOf);
  await send('ListTagsForResource', { resourceArn: channelArn }, tagsOf, 'GET');
  await send('UntagResource', { resourceArn: channelArn, tagKeys: ['tier'] }, `${tagsOf}?tagKeys=tier`, 'DELETE');
  await control.end(spare.channel.arn);
  await send('DeleteChannel', { arn: spare.channel.arn });
  return calls;
}
