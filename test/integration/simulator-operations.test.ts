// Every operation's success, through the real SDK.
import { generateKeyPairSync } from 'node:crypto';
import * as ivsSdk from '@aws-sdk/client-ivs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { failureOf, ivsFor, sender } from '#test/support/simulator-sdk.ts';

const simulator = await startSimulator({ enforcement: 'off', seed: 'operations' });
const { control } = simulator;
const ivs = ivsFor(simulator.url);

afterAll(async () => {
  ivs.destroy();
  await simulator.close();
});
afterEach(() => control.clearFaults());

const NO_CHANNEL = 'arn:aws:ivs:us-west-2:111122223333:channel/nosuchthing1';

const send = sender(ivs);

const publicKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();

const newChannel = (name = ''): Promise<{ arn: string; streamKeyArn: string }> => control.createChannel({ name });

async function newRecording(bucketName = 'recordings'): Promise<string> {
  const made = await send('CreateRecordingConfiguration')({ destinationConfiguration: { s3: { bucketName } } });
  return made['recordingConfiguration'].arn;
}

describe('channels', () => {
  it('CreateChannel returns a channel with every default and its stream key', async () => {
    const { channel, streamKey } = await send('CreateChannel')({ name: 'studio-a', tags: { tier: 'gold' } });
    expect(channel).toEqual({
      arn: expect.stringMatching(/^arn:aws:ivs:us-west-2:111122223333:channel\/[A-Za-z0-9]{12}$/),
      name: 'studio-a',
      latencyMode: 'LOW',
      type: 'STANDARD',
      recordingConfigurationArn: '',
      ingestEndpoint: expect.stringMatching(/^[0-9a-f]{12}\.global-contribute\.live-video\.net$/),
      playbackUrl: expect.stringMatching(/^https:\/\/[0-9a-f]{12}\.us-west-2\.playback\.live-video\.net\/.+\.m3u8$/),
      authorized: false,
      tags: { tier: 'gold' },
      insecureIngest: false,
      preset: '',
      srt: { endpoint: expect.stringMatching(/\.srt\.live-video\.net$/), passphrase: expect.any(String) },
      playbackRestrictionPolicyArn: '',
      multitrackInputConfiguration: { enabled: false, policy: 'ALLOW', maximumResolution: 'FULL_HD' },
      containerFormat: 'TS',
      adConfigurationArn: '',
    });
    expect(streamKey).toEqual({
      arn: expect.stringMatching(/:stream-key\/[A-Za-z0-9]{12}$/),
      value: expect.stringMatching(/^sk_us-west-2_[A-Za-z0-9]{12}_[A-Za-z0-9]+$/),
      channelArn: channel.arn,
      tags: {},
    });
    expect(await send('GetChannel')({ arn: channel.arn })).toEqual({ channel });
  });

  it('an ADVANCED channel has a preset, and loses it when it becomes STANDARD again', async () => {
    const { channel } = await send('CreateChannel')({ type: 'ADVANCED_HD' });
    expect(channel.preset).toBe('HIGHER_BANDWIDTH_DELIVERY');
    const updated = await send('UpdateChannel')({ arn: channel.arn, type: 'STANDARD' });
    expect(updated['channel']).toMatchObject({ type: 'STANDARD', preset: '' });
  });

  it('UpdateChannel changes the named members and nothing else', async () => {
    const { channel } = await send('CreateChannel')({ name: 'before', authorized: true, insecureIngest: true });
    const updated = await send('UpdateChannel')({ arn: channel.arn, latencyMode: 'NORMAL' });
    expect(updated).toEqual({ channel: { ...channel, latencyMode: 'NORMAL' } });
    expect(await send('GetChannel')({ arn: channel.arn })).toEqual(updated);
  });

  it('a live channel can be neither updated nor deleted, until its Stream End', async () => {
    const { arn } = await newChannel();
    await control.configure({ timings: { sessionEndToStreamEndMs: 150 } });
    await control.goLive(arn);
    expect(await failureOf(send('UpdateChannel')({ arn, name: 'x' }))).toBe('409 ConflictException');
    expect(await failureOf(send('DeleteChannel')({ arn }))).toBe('409 ConflictException');
    await send('StopStream')({ channelArn: arn });
    expect(await failureOf(send('DeleteChannel')({ arn }))).toBe('409 ConflictException');
    await control.configure({ timings: { sessionEndToStreamEndMs: 0 } });
    await expect.poll(() => control.events({ channelArn: arn, name: 'Stream End' })).toHaveLength(1);
    expect(await send('DeleteChannel')({ arn })).toEqual({});
    expect(await failureOf(send('GetChannel')({ arn }))).toBe('404 ResourceNotFoundException');
  });

  it('with a switch a live channel can be updated, for its next stream', async () => {
    const { arn } = await newChannel('older-rule');
    await control.goLive(arn);
    await control.configure({ switches: { updateLiveChannel: 'next-stream' } });
    const updated = await send('UpdateChannel')({ arn, name: 'later' });
    await control.configure({ switches: { updateLiveChannel: 'conflict' } });
    expect(updated['channel'].name).toBe('later');
    expect((await send('GetStreamSession')({ channelArn: arn }))['streamSession'].channel.name).toBe('older-rule');
    await control.end(arn);
  });

  it('ListChannels pages through everything once, filters by name or recording, and refuses both filters together', async () => {
    const made = await control.createChannels(205, { tags: { batch: 'pages' } });
    const seen: string[] = [];
    for await (const page of ivsSdk.paginateListChannels({ client: ivs }, {})) {
      expect(page.channels!.length).toBeLessThanOrEqual(100);
      seen.push(...page.channels!.map(({ arn }) => arn!));
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(made.every(({ arn }) => seen.includes(arn))).toBe(true);
    const { channels } = await send('ListChannels')({ filterByName: 'channel-0007' });
    expect(channels).toEqual([
      {
        arn: made[6]!.arn,
        name: 'channel-0007',
        latencyMode: 'LOW',
        authorized: false,
        recordingConfigurationArn: '',
        tags: { batch: 'pages' },
        insecureIngest: false,
        type: 'STANDARD',
        preset: '',
        playbackRestrictionPolicyArn: '',
        adConfigurationArn: '',
      },
    ]);
    const recordingArn = await newRecording();
    await send('UpdateChannel')({ arn: made[0]!.arn, recordingConfigurationArn: recordingArn });
    const recorded = await send('ListChannels')({ filterByRecordingConfigurationArn: recordingArn });
    expect(recorded['channels'].map((channel: { arn: string }) => channel.arn)).toEqual([made[0]!.arn]);
    const both = { filterByName: 'x', filterByRecordingConfigurationArn: recordingArn };
    expect(await failureOf(send('ListChannels')(both))).toBe('409 ConflictException');
  });

  it('BatchGetChannel returns what exists and an error for each that does not', async () => {
    const { arn } = await newChannel('batch');
    const { channels, errors } = await send('BatchGetChannel')({ arns: [NO_CHANNEL, arn] });
    expect(channels).toEqual([(await send('GetChannel')({ arn }))['channel']]);
    expect(errors).toEqual([{ arn: NO_CHANNEL, code: 'ResourceNotFoundException', message: expect.any(String) }]);
  });

  it('the account has a quota of channels', async () => {
    const { channels } = await control.health();
    await control.configure({ quotas: { channels } });
    expect(await failureOf(send('CreateChannel')({}))).toBe('402 ServiceQuotaExceededException');
    await control.configure({ quotas: { channels: 5_000 } });
  });
});

describe('stream keys', () => {
  it('a channel has one key: a second is refused until the first is deleted, and lists never show the value', async () => {
    const { arn, streamKeyArn } = await newChannel();
    expect(await failureOf(send('CreateStreamKey')({ channelArn: arn }))).toBe('402 ServiceQuotaExceededException');
    const { streamKey } = await send('GetStreamKey')({ arn: streamKeyArn });
    expect(Object.keys(streamKey).toSorted()).toEqual(['arn', 'channelArn', 'tags', 'value']);
    expect(await send('ListStreamKeys')({ channelArn: arn })).toEqual({
      streamKeys: [{ arn: streamKeyArn, channelArn: arn, tags: {} }],
    });
    expect(await send('DeleteStreamKey')({ arn: streamKeyArn })).toEqual({});
    expect(await send('ListStreamKeys')({ channelArn: arn })).toEqual({ streamKeys: [] });
    const made = await send('CreateStreamKey')({ channelArn: arn, tags: { made: 'again' } });
    expect(made['streamKey'].value).not.toBe(streamKey.value);
    const { streamKeys, errors } = await send('BatchGetStreamKey')({ arns: [made['streamKey'].arn, streamKeyArn] });
    expect(streamKeys).toEqual([made['streamKey']]);
    expect(errors).toMatchObject([{ arn: streamKeyArn, code: 'ResourceNotFoundException' }]);
  });

  it('deleting a channel deletes its key', async () => {
    const { arn, streamKeyArn } = await newChannel();
    await send('DeleteChannel')({ arn });
    expect(await failureOf(send('GetStreamKey')({ arn: streamKeyArn }))).toBe('404 ResourceNotFoundException');
  });
});

describe('recording configurations', () => {
  it('one is CREATING, then ACTIVE, can be read with its defaults, listed, and deleted once no channel uses it', async () => {
    const destinationConfiguration = { s3: { bucketName: 'example-recordings' } };
    const made = (await send('CreateRecordingConfiguration')({ name: 'prod', destinationConfiguration }))[
      'recordingConfiguration'
    ];
    expect(made).toEqual({
      arn: expect.stringMatching(/:recording-configuration\/[A-Za-z0-9]{12}$/),
      name: 'prod',
      destinationConfiguration,
      state: 'CREATING',
      tags: {},
      thumbnailConfiguration: { recordingMode: 'INTERVAL', targetIntervalSeconds: 60, storage: ['SEQUENTIAL'] },
      recordingReconnectWindowSeconds: 0,
      renditionConfiguration: { renditionSelection: 'ALL' },
    });
    const active = { ...made, state: 'ACTIVE' };
    expect(await send('GetRecordingConfiguration')({ arn: made.arn })).toEqual({ recordingConfiguration: active });
    const { recordingConfigurations } = await send('ListRecordingConfigurations')({});
    const { arn, name, tags } = made;
    expect(recordingConfigurations).toContainEqual({ arn, name, destinationConfiguration, state: 'ACTIVE', tags });
    const channel = await newChannel();
    await send('UpdateChannel')({ arn: channel.arn, recordingConfigurationArn: arn });
    expect(await failureOf(send('DeleteRecordingConfiguration')({ arn }))).toBe('409 ConflictException');
    await send('UpdateChannel')({ arn: channel.arn, recordingConfigurationArn: '' });
    expect(await send('DeleteRecordingConfiguration')({ arn })).toEqual({});
    expect(await failureOf(send('GetRecordingConfiguration')({ arn }))).toBe('404 ResourceNotFoundException');
  });

  it('thumbnails and renditions are kept as chosen', async () => {
    const destinationConfiguration = { s3: { bucketName: 'example-recordings' } };
    for (const chosen of [
      {
        thumbnailConfiguration: {
          recordingMode: 'INTERVAL',
          targetIntervalSeconds: 1,
          resolution: 'LOWEST_RESOLUTION',
          storage: ['SEQUENTIAL', 'LATEST'],
        },
        renditionConfiguration: { renditionSelection: 'CUSTOM', renditions: ['FULL_HD', 'SD'] },
        recordingReconnectWindowSeconds: 300,
      },
      {
        thumbnailConfiguration: { recordingMode: 'DISABLED' },
        renditionConfiguration: { renditionSelection: 'NONE' },
        recordingReconnectWindowSeconds: 0,
      },
    ]) {
      const made = await send('CreateRecordingConfiguration')({ destinationConfiguration, ...chosen });
      const { arn } = made['recordingConfiguration'];
      expect((await send('GetRecordingConfiguration')({ arn }))['recordingConfiguration']).toMatchObject(chosen);
      await send('DeleteRecordingConfiguration')({ arn });
    }
  });

  it('a bucket in another Region ends as CREATE_FAILED and cannot be attached; with a switch it is refused at once', async () => {
    await control.setBuckets({ 'far-away': { region: 'eu-west-1' } });
    const arn = await newRecording('far-away');
    expect((await send('GetRecordingConfiguration')({ arn }))['recordingConfiguration'].state).toBe('CREATE_FAILED');
    expect(await failureOf(send('CreateChannel')({ recordingConfigurationArn: arn }))).toBe('400 ValidationException');
    await control.configure({ switches: { foreignBucket: 'validation-error' } });
    expect(await failureOf(newRecording('far-away'))).toBe('400 ValidationException');
    await control.configure({ switches: { foreignBucket: 'create-failed' } });
  });

  it('an account can have twenty, and pages of any size', async () => {
    const before = (await send('ListRecordingConfigurations')({}))['recordingConfigurations'].length;
    for (let n = before; n < 20; n++) await newRecording();
    expect(await failureOf(newRecording())).toBe('402 ServiceQuotaExceededException');
    const first = await send('ListRecordingConfigurations')({ maxResults: 15 });
    const second = await send('ListRecordingConfigurations')({ maxResults: 15, nextToken: first['nextToken'] });
    expect([first, second].map((page) => page['recordingConfigurations'].length)).toEqual([15, 5]);
    expect(second).not.toHaveProperty('nextToken');
  });
});

describe('playback key pairs', () => {
  it('public EC keys are imported with a fingerprint, at most three and each once, and deleted', async () => {
    const material = publicKey();
    const { keyPair } = await send('ImportPlaybackKeyPair')({
      publicKeyMaterial: material,
      name: 'first',
      tags: { a: 'b' },
    });
    expect(keyPair).toEqual({
      arn: expect.stringMatching(/:playback-key\/[A-Za-z0-9]{12}$/),
      name: 'first',
      fingerprint: expect.stringMatching(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/),
      tags: { a: 'b' },
    });
    expect(await send('GetPlaybackKeyPair')({ arn: keyPair.arn })).toEqual({ keyPair });
    expect(await failureOf(send('ImportPlaybackKeyPair')({ publicKeyMaterial: material }))).toBe(
      '409 ConflictException',
    );
    await send('ImportPlaybackKeyPair')({ publicKeyMaterial: publicKey() });
    await send('ImportPlaybackKeyPair')({ publicKeyMaterial: publicKey() });
    const fourth = send('ImportPlaybackKeyPair')({ publicKeyMaterial: publicKey() });
    expect(await failureOf(fourth)).toBe('402 ServiceQuotaExceededException');
    const { keyPairs } = await send('ListPlaybackKeyPairs')({});
    expect(keyPairs).toHaveLength(3);
    expect(keyPairs[0]).toEqual({ arn: keyPair.arn, name: 'first', tags: { a: 'b' } });
    expect(await send('DeletePlaybackKeyPair')({ arn: keyPair.arn })).toEqual({});
    expect((await send('ListPlaybackKeyPairs')({}))['keyPairs']).toHaveLength(2);
  });

  it('a private key, an RSA key or a key on another curve is refused', async () => {
    const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const ec = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const privatePem = ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const rsaPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const p256Pem = p256.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    for (const publicKeyMaterial of [privatePem, rsaPem, p256Pem]) {
      expect(await failureOf(send('ImportPlaybackKeyPair')({ publicKeyMaterial }))).toBe('400 ValidationException');
    }
  });
});

describe('tags', () => {
  it('every kind of resource can be tagged, read and untagged, even with odd but legal keys', async () => {
    const { arn, streamKeyArn } = await newChannel();
    for (const resourceArn of [arn, streamKeyArn]) {
      const tags = { tier: 'gold', 'a/b:c=d': 'x y', __proto__x: '', 'straße ü': 'é' };
      expect(await send('TagResource')({ resourceArn, tags })).toEqual({});
      expect(await send('TagResource')({ resourceArn, tags: { tier: 'silver' } })).toEqual({});
      expect(await send('ListTagsForResource')({ resourceArn })).toEqual({ tags: { ...tags, tier: 'silver' } });
      expect(await send('UntagResource')({ resourceArn, tagKeys: ['a/b:c=d', 'straße ü', 'not there'] })).toEqual({});
      expect(await send('ListTagsForResource')({ resourceArn })).toEqual({ tags: { tier: 'silver', __proto__x: '' } });
    }
    expect((await send('GetChannel')({ arn }))['channel'].tags).toEqual({ tier: 'silver', __proto__x: '' });
  });

  it('a resource holds fifty tags and no more, and a refused call changes none', async () => {
    const { arn: resourceArn } = await newChannel();
    const many = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${from + n}`, 'v']));
    await send('TagResource')({ resourceArn, tags: many(0, 40) });
    expect(await failureOf(send('TagResource')({ resourceArn, tags: many(35, 20) }))).toBe('400 ValidationException');
    expect(Object.keys((await send('ListTagsForResource')({ resourceArn }))['tags'])).toHaveLength(40);
    await send('TagResource')({ resourceArn, tags: many(30, 20) });
    expect(Object.keys((await send('ListTagsForResource')({ resourceArn }))['tags'])).toHaveLength(50);
  });
});

describe('streams', () => {
  it('GetStream, ListStreams, PutMetadata and StopStream work while live and are ChannelNotBroadcasting before and after', async () => {
    const { arn: channelArn } = await newChannel('live');
    const offline = async () => {
      const cases = [
        ['GetStream', {}],
        ['StopStream', {}],
        ['PutMetadata', { metadata: 'x' }],
      ] as const;
      for (const [name, more] of cases) {
        expect(await failureOf(send(name)({ channelArn, ...more }))).toBe('404 ChannelNotBroadcasting');
      }
    };
    await offline();
    const [streamId] = await control.goLive(channelArn, { viewers: 7 });
    const { stream } = await send('GetStream')({ channelArn });
    expect(stream).toEqual({
      channelArn,
      streamId,
      playbackUrl: (await send('GetChannel')({ arn: channelArn }))['channel'].playbackUrl,
      startTime: expect.any(Date),
      state: 'LIVE',
      health: 'HEALTHY',
      viewerCount: 7,
    });
    const { playbackUrl, ...summary } = stream;
    expect(playbackUrl).toContain('.m3u8');
    expect((await send('ListStreams')({ filterBy: { health: 'HEALTHY' } }))['streams']).toEqual([summary]);
    expect((await send('ListStreams')({ filterBy: { health: 'STARVING' } }))['streams']).toEqual([]);
    expect(await send('PutMetadata')({ channelArn, metadata: 'x'.repeat(1024) })).toEqual({});
    expect(await control.cues({ channelArn })).toMatchObject([{ streamId, metadata: 'x'.repeat(1024) }]);
    expect(await send('StopStream')({ channelArn })).toEqual({});
    await offline();
  });

  it('sessions are kept with their events, newest first, even after the channel is gone', async () => {
    const { arn: channelArn } = await newChannel('sessions');
    const [first] = await control.goLive(channelArn);
    await control.starve(channelArn);
    await control.breach({ limit: 'Ingest Bitrate', limitValue: 8_500_000, value: 8_920_000, channel: channelArn });
    await control.end(channelArn);
    const [second] = await control.goLive(channelArn);
    const { streamSession: live } = await send('GetStreamSession')({ channelArn });
    expect(live).not.toHaveProperty('endTime');
    expect(live).toMatchObject({ streamId: second, channel: { name: 'sessions' } });
    expect(live.ingestConfigurations.videoConfigurations).toHaveLength(1);
    expect(live.ingestConfiguration.video).toEqual(live.ingestConfigurations.videoConfigurations[0]);
    await control.end(channelArn);
    await send('DeleteChannel')({ arn: channelArn });
    const { streamSession } = await send('GetStreamSession')({ channelArn, streamId: first });
    expect(streamSession.endTime).toBeInstanceOf(Date);
    expect(streamSession.truncatedEvents.map(({ name, type }: any) => `${type}: ${name}`)).toEqual([
      'IVS Stream State Change: Stream End',
      'IVS Stream State Change: Session Ended',
      'IVS Limit Breach: Ingest Bitrate',
      'IVS Stream Health Change: Starvation Start',
      'IVS Stream State Change: Stream Start',
      'IVS Stream State Change: Session Created',
    ]);
    const firstPage = await send('ListStreamSessions')({ channelArn, maxResults: 1 });
    const lastPage = await send('ListStreamSessions')({ channelArn, maxResults: 1, nextToken: firstPage['nextToken'] });
    expect([...firstPage['streamSessions'], ...lastPage['streamSessions']]).toMatchObject([
      { streamId: second, hasErrorEvent: false },
      { streamId: first, hasErrorEvent: true },
    ]);
    expect(lastPage).not.toHaveProperty('nextToken');
  });

  it('a channel without any session returns none, and an empty list', async () => {
    const { arn: channelArn } = await newChannel();
    expect(await failureOf(send('GetStreamSession')({ channelArn }))).toBe('404 ResourceNotFoundException');
    expect(await send('ListStreamSessions')({ channelArn })).toEqual({ streamSessions: [] });
  });
});
