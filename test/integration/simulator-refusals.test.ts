// Every error in every operation's row, and the inputs that each refuses, through the real SDK.

import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { OPERATIONS } from '#simulator/operations.ts';
import { startSimulator } from '#simulator/server.ts';
import { failureOf, ivsFor, sender } from '#test/support/simulator-sdk.ts';

const simulator = await startSimulator({ enforcement: 'off', seed: 'refusals' });
const { control } = simulator;
const ivs = ivsFor(simulator.url);
const send = sender(ivs);

afterAll(async () => {
  ivs.destroy();
  await simulator.close();
});
afterEach(() => control.clearFaults());

const NO_CHANNEL = 'arn:aws:ivs:us-west-2:111122223333:channel/nosuchthing1';
const NO_KEY = 'arn:aws:ivs:us-west-2:111122223333:stream-key/nosuchthing1';
const NO_PAIR = 'arn:aws:ivs:us-west-2:111122223333:playback-key/nosuchthing1';
const NO_POLICY = 'arn:aws:ivs:us-west-2:111122223333:playback-restriction-policy/nosuchthing1';
const NO_ADS = 'arn:aws:ivs:us-west-2:111122223333:ad-configuration/nosuchthing1';
const PLAYBACK = 'arn:aws:mediatailor:us-west-2:111122223333:playbackConfiguration/ads';
const VIEWER = { channelArn: NO_CHANNEL, viewerId: 'viewer-1' };
const NO_RECORDING = 'arn:aws:ivs:us-west-2:111122223333:recording-configuration/nosuchthing1';

describe('every error that a row declares', () => {
  const inputs: Record<string, Record<string, unknown>> = {
    BatchGetChannel: { arns: [NO_CHANNEL] },
    BatchGetStreamKey: { arns: [NO_KEY] },
    CreateRecordingConfiguration: { destinationConfiguration: { s3: { bucketName: 'recordings' } } },
    ImportPlaybackKeyPair: { publicKeyMaterial: 'x' },
    PutMetadata: { channelArn: NO_CHANNEL, metadata: 'x' },
    ListTagsForResource: { resourceArn: NO_CHANNEL },
    TagResource: { resourceArn: NO_CHANNEL, tags: {} },
    UntagResource: { resourceArn: NO_CHANNEL, tagKeys: ['a'] },
    CreateChannel: {},
  };
  const byChannelArn = [
    'CreateStreamKey',
    'InsertAdBreak',
    'StartViewerSessionRevocation',
    'GetStream',
    'GetStreamSession',
    'ListStreamKeys',
    'ListStreamSessions',
    'StopStream',
  ];
  const inputOf = (name: string): Record<string, unknown> =>
    inputs[name] ?? (byChannelArn.includes(name) ? { channelArn: NO_CHANNEL } : { arn: NO_CHANNEL });

  it.each(OPERATIONS.map(({ name, errors }) => [name, errors] as const))(
    '%s: %j can be produced on demand',
    async (name, errors) => {
      const statuses: Record<string, number> = {
        AccessDeniedException: 403,
        PendingVerification: 403,
        ValidationException: 400,
        ServiceQuotaExceededException: 402,
        ResourceNotFoundException: 404,
        ChannelNotBroadcasting: 404,
        ConflictException: 409,
        ThrottlingException: 429,
        InternalServerException: 500,
        StreamUnavailable: 503,
        ServiceUnavailable: 503,
      };
      for (const error of errors) {
        const id = await control.addFault({ operation: name, error, times: 1 });
        expect(await failureOf(send(name)(inputOf(name)))).toBe(`${statuses[error]} ${error}`);
        expect((await control.faults()).map((fault) => fault.id)).not.toContain(id);
      }
    },
  );

  it.each([
    ['CreateStreamKey', { channelArn: NO_CHANNEL }],
    ['DeleteChannel', { arn: NO_CHANNEL }],
    ['DeletePlaybackKeyPair', { arn: NO_PAIR }],
    ['DeleteRecordingConfiguration', { arn: NO_RECORDING }],
    ['DeleteStreamKey', { arn: NO_KEY }],
    ['GetChannel', { arn: NO_CHANNEL }],
    ['GetPlaybackKeyPair', { arn: NO_PAIR }],
    ['GetRecordingConfiguration', { arn: NO_RECORDING }],
    ['GetStream', { channelArn: NO_CHANNEL }],
    ['GetStreamKey', { arn: NO_KEY }],
    ['GetStreamSession', { channelArn: NO_CHANNEL }],
    ['ListStreamKeys', { channelArn: NO_CHANNEL }],
    ['ListStreamSessions', { channelArn: NO_CHANNEL }],
    ['ListTagsForResource', { resourceArn: NO_CHANNEL }],
    ['PutMetadata', { channelArn: NO_CHANNEL, metadata: 'x' }],
    ['StopStream', { channelArn: NO_CHANNEL }],
    ['TagResource', { resourceArn: NO_CHANNEL, tags: { a: 'b' } }],
    ['UntagResource', { resourceArn: NO_CHANNEL, tagKeys: ['a'] }],
    ['UpdateChannel', { arn: NO_CHANNEL, name: 'x' }],
    ['CreateChannel', { recordingConfigurationArn: NO_RECORDING }],
    ['CreateChannel', { playbackRestrictionPolicyArn: NO_POLICY }],
    ['CreateChannel', { adConfigurationArn: NO_ADS }],
    ['GetPlaybackRestrictionPolicy', { arn: NO_POLICY }],
    ['UpdatePlaybackRestrictionPolicy', { arn: NO_POLICY, name: 'x' }],
    ['DeletePlaybackRestrictionPolicy', { arn: NO_POLICY }],
    ['GetAdConfiguration', { arn: NO_ADS }],
    ['UpdateAdConfiguration', { arn: NO_ADS, name: 'x' }],
    ['DeleteAdConfiguration', { arn: NO_ADS }],
    ['InsertAdBreak', { channelArn: NO_CHANNEL, durationSeconds: 30 }],
    ['StartViewerSessionRevocation', VIEWER],
    ['TagResource', { resourceArn: NO_POLICY, tags: { a: 'b' } }],
    ['ListTagsForResource', { resourceArn: NO_ADS }],
  ])('%s: an unknown resource is a 404 ResourceNotFoundException', async (name, input) => {
    expect(await failureOf(send(name)(input))).toBe('404 ResourceNotFoundException');
  });

  it.each([
    ['BatchGetChannel', { arns: [] }],
    ['BatchGetChannel', { arns: Array.from({ length: 51 }, () => NO_CHANNEL) }],
    ['BatchGetStreamKey', { arns: ['no arn'] }],
    ['CreateChannel', { name: 'two words' }],
    ['CreateChannel', { name: 'x'.repeat(129) }],
    ['CreateChannel', { latencyMode: 'ULTRA' }],
    ['CreateChannel', { type: 'STANDARD', preset: 'HIGHER_BANDWIDTH_DELIVERY' }],
    ['CreateChannel', { tags: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, 'v'])) }],
    ['CreateChannel', { tags: { 'no#hash': 'v' } }],
    ['CreateChannel', { tags: { 'aws:mine': 'v' } }],
    ['CreateChannel', { multitrackInputConfiguration: { enabled: true, policy: 'ALLOW', maximumResolution: 'HD' } }],
    ['CreateChannel', { containerFormat: 'FRAGMENTED_MP4', multitrackInputConfiguration: { enabled: true } }],
    ['CreateRecordingConfiguration', {}],
    ['CreateRecordingConfiguration', { destinationConfiguration: {} }],
    ['CreateRecordingConfiguration', { destinationConfiguration: { s3: { bucketName: 'No_Bucket' } } }],
    [
      'CreateRecordingConfiguration',
      { destinationConfiguration: { s3: { bucketName: 'ok-bucket' } }, recordingReconnectWindowSeconds: 301 },
    ],
    [
      'CreateRecordingConfiguration',
      {
        destinationConfiguration: { s3: { bucketName: 'ok-bucket' } },
        renditionConfiguration: { renditionSelection: 'CUSTOM' },
      },
    ],
    ['CreateStreamKey', { channelArn: NO_KEY }],
    ['DeleteChannel', { arn: '' }],
    ['DeletePlaybackKeyPair', { arn: NO_CHANNEL }],
    ['DeleteRecordingConfiguration', { arn: NO_CHANNEL }],
    ['DeleteStreamKey', { arn: NO_CHANNEL }],
    ['GetChannel', { arn: NO_KEY }],
    ['GetPlaybackKeyPair', { arn: NO_CHANNEL }],
    ['GetRecordingConfiguration', { arn: NO_CHANNEL }],
    ['GetStream', { channelArn: 'x' }],
    ['GetStreamKey', { arn: NO_CHANNEL }],
    ['GetStreamSession', { channelArn: NO_CHANNEL, streamId: 'st-tooshort' }],
    ['ImportPlaybackKeyPair', { publicKeyMaterial: 'no key' }],
    ['ListChannels', { maxResults: 101 }],
    ['ListChannels', { nextToken: 'bm90IG91cnM' }],
    ['ListPlaybackKeyPairs', { maxResults: 0 }],
    ['ListRecordingConfigurations', { nextToken: 'not a token' }],
    ['ListStreamKeys', { channelArn: NO_CHANNEL, maxResults: 51 }],
    ['ListStreamSessions', { channelArn: NO_CHANNEL, maxResults: 101 }],
    ['ListStreams', { filterBy: { health: 'ILL' } }],
    ['ListTagsForResource', { resourceArn: 'x' }],
    ['PutMetadata', { channelArn: NO_CHANNEL, metadata: '' }],
    ['PutMetadata', { channelArn: NO_CHANNEL, metadata: 'é'.repeat(513) }],
    ['StopStream', { channelArn: 'x' }],
    ['TagResource', { resourceArn: NO_CHANNEL, tags: { k: 'v'.repeat(257) } }],
    ['UntagResource', { resourceArn: 'x', tagKeys: ['a'] }],
    ['UpdateChannel', { arn: NO_KEY }],
    ['CreatePlaybackRestrictionPolicy', { name: 'two words' }],
    ['CreatePlaybackRestrictionPolicy', { allowedCountries: ['USA'] }],
    ['CreatePlaybackRestrictionPolicy', { allowedCountries: ['XX'] }],
    ['CreatePlaybackRestrictionPolicy', { allowedCountries: ['de'] }],
    ['CreatePlaybackRestrictionPolicy', { allowedCountries: Array.from({ length: 201 }, () => 'DE') }],
    ['CreatePlaybackRestrictionPolicy', { allowedOrigins: ['https://example.com/live'] }],
    ['CreatePlaybackRestrictionPolicy', { allowedOrigins: ['example.com'] }],
    ['CreatePlaybackRestrictionPolicy', { allowedOrigins: [''] }],
    ['CreatePlaybackRestrictionPolicy', { allowedOrigins: [`https://${'x'.repeat(121)}`] }],
    ['CreatePlaybackRestrictionPolicy', { allowedOrigins: Array.from({ length: 6 }, (_, n) => `https://o${n}`) }],
    ['GetPlaybackRestrictionPolicy', { arn: NO_CHANNEL }],
    ['ListPlaybackRestrictionPolicies', { maxResults: 101 }],
    ['UpdatePlaybackRestrictionPolicy', { arn: NO_CHANNEL }],
    ['DeletePlaybackRestrictionPolicy', { arn: '' }],
    ['CreateAdConfiguration', {}],
    ['CreateAdConfiguration', { mediaTailorPlaybackConfigurations: [] }],
    ['CreateAdConfiguration', { mediaTailorPlaybackConfigurations: [{}] }],
    ['CreateAdConfiguration', { mediaTailorPlaybackConfigurations: [{ playbackConfigurationArn: NO_CHANNEL }] }],
    [
      'CreateAdConfiguration',
      { mediaTailorPlaybackConfigurations: Array.from({ length: 4 }, () => ({ playbackConfigurationArn: PLAYBACK })) },
    ],
    [
      'CreateAdConfiguration',
      {
        mediaTailorPlaybackConfigurations: [{ playbackConfigurationArn: PLAYBACK }],
        postRollConfiguration: { enabled: true },
      },
    ],
    [
      'CreateAdConfiguration',
      {
        mediaTailorPlaybackConfigurations: [{ playbackConfigurationArn: PLAYBACK }],
        postRollConfiguration: { enabled: true, durationSeconds: 301 },
      },
    ],
    ['GetAdConfiguration', { arn: NO_POLICY }],
    ['ListAdConfigurations', { maxResults: 0 }],
    ['UpdateAdConfiguration', { arn: NO_ADS, mediaTailorPlaybackConfigurations: [] }],
    ['DeleteAdConfiguration', { arn: NO_CHANNEL }],
    ['InsertAdBreak', { channelArn: NO_CHANNEL }],
    ['InsertAdBreak', { channelArn: NO_CHANNEL, durationSeconds: 0 }],
    ['InsertAdBreak', { channelArn: NO_CHANNEL, durationSeconds: 301 }],
    ['InsertAdBreak', { channelArn: NO_CHANNEL, durationSeconds: 1.5 }],
    ['StartViewerSessionRevocation', { channelArn: NO_CHANNEL }],
    ['StartViewerSessionRevocation', { ...VIEWER, viewerId: 'x'.repeat(41) }],
    ['StartViewerSessionRevocation', { ...VIEWER, viewerId: '' }],
    ['StartViewerSessionRevocation', { ...VIEWER, viewerSessionVersionsLessThanOrEqualTo: -1 }],
    ['BatchStartViewerSessionRevocation', { viewerSessions: [] }],
    ['BatchStartViewerSessionRevocation', { viewerSessions: Array.from({ length: 21 }, () => VIEWER) }],
    ['BatchStartViewerSessionRevocation', { viewerSessions: [VIEWER, { channelArn: NO_CHANNEL }] }],
  ])('%s refuses %j', async (name, input) => {
    expect(await failureOf(send(name)(input))).toBe('400 ValidationException');
  });
});
