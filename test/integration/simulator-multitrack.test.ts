// Multitrack input: what a channel allows, what happens to encoders that send something else, and what a session reports.

import { afterAll, expect, it } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { failureOf, ivsFor, sender } from '#test/support/simulator-sdk.ts';

const simulator = await startSimulator({ seed: 'multitrack', enforcement: 'off' });
const { control } = simulator;
const ivs = ivsFor(simulator.url);
const send = sender(ivs);

afterAll(async () => {
  ivs.destroy();
  await simulator.close();
});

const HD = { width: 1280, height: 720, videoBitrate: 3_000_000 };
const SD = { width: 640, height: 360, videoBitrate: 800_000 };
const multitrack = (policy: string, maximumResolution = 'FULL_HD') => ({ enabled: true, policy, maximumResolution });

it.each([
  ['without a policy', { multitrackInputConfiguration: { enabled: true, maximumResolution: 'HD' } }],
  ['without a largest resolution', { multitrackInputConfiguration: { enabled: true, policy: 'ALLOW' } }],
  ['in MPEG-TS', { multitrackInputConfiguration: multitrack('ALLOW'), containerFormat: 'TS' }],
  ['with the default container', { multitrackInputConfiguration: multitrack('ALLOW') }],
  [
    'on a BASIC channel',
    { type: 'BASIC', multitrackInputConfiguration: multitrack('ALLOW'), containerFormat: 'FRAGMENTED_MP4' },
  ],
  [
    'with an unknown policy',
    { multitrackInputConfiguration: multitrack('PERHAPS'), containerFormat: 'FRAGMENTED_MP4' },
  ],
])('multitrack input cannot be enabled %s', async (_, input) => {
  expect(await failureOf(send('CreateChannel')(input))).toBe('400 ValidationException');
});

it('a session lists all tracks, and the first one separately', async () => {
  const { channel } = await send('CreateChannel')({
    multitrackInputConfiguration: multitrack('REQUIRE'),
    containerFormat: 'FRAGMENTED_MP4',
  });
  expect(channel).toMatchObject({
    multitrackInputConfiguration: multitrack('REQUIRE'),
    containerFormat: 'FRAGMENTED_MP4',
    srt: { endpoint: expect.stringMatching(/\.srt\.live-video\.net$/), passphrase: expect.any(String) },
  });
  await control.goLive(channel.arn, {
    media: { tracks: [HD, { ...SD, framerate: 25, videoCodec: 'hvc1.1.6.L93.B0' }] },
  });
  const { streamSession } = await send('GetStreamSession')({ channelArn: channel.arn });
  const { videoConfigurations, audioConfigurations } = streamSession.ingestConfigurations;
  expect(videoConfigurations).toMatchObject([
    { track: 'Track0', videoWidth: 1920, videoHeight: 1080, targetBitrate: 6_000_000, targetFramerate: 30 },
    { track: 'Track1', videoWidth: 1280, videoHeight: 720, targetBitrate: 3_000_000, targetFramerate: 30 },
    { track: 'Track2', videoWidth: 640, videoHeight: 360, targetFramerate: 25, codec: 'hvc1.1.6.L93.B0' },
  ]);
  expect(streamSession.ingestConfiguration).toEqual({ video: videoConfigurations[0], audio: audioConfigurations[0] });
  await control.end(channel.arn);
});

it.each([
  ['MultitrackInputNotAllowed', undefined, {}, [HD]],
  ['MultitrackInputRequired', multitrack('REQUIRE'), {}, []],
  ['InvalidMultitrackInputTrackCount', multitrack('ALLOW'), {}, [HD, SD, SD, SD, SD]],
  ['InvalidMultitrackInputVideoTrackMediaProperties', multitrack('ALLOW', 'HD'), {}, [SD]],
  ['InvalidMultitrackInputVideoTrackMediaProperties', multitrack('ALLOW', 'SD'), { width: 852, height: 480 }, [HD]],
] as const)('an encoder is refused with %s', async (code, configuration, first, tracks) => {
  const { arn } = await control.createChannel(
    configuration === undefined
      ? {}
      : { multitrackInputConfiguration: configuration as any, containerFormat: 'FRAGMENTED_MP4' },
  );
  const [answer] = await control.connect(arn, { media: { ...first, tracks } });
  expect(answer).toMatchObject({ accepted: false, reason: 'SessionRejected' });
  const [ended] = await control.events({ name: 'Session Ended', channelArn: arn });
  expect(ended!.event.detail).toMatchObject({ code });
  const { streamSession } = await send('GetStreamSession')({ channelArn: arn });
  expect(streamSession.truncatedEvents[0]).toMatchObject({ name: 'Session Ended', code });
});

it('a channel that allows multitrack input accepts a single track as well, and pictures up to its largest resolution', async () => {
  const { arn } = await control.createChannel({
    multitrackInputConfiguration: { enabled: true, policy: 'ALLOW', maximumResolution: 'HD' },
    containerFormat: 'FRAGMENTED_MP4',
  });
  await control.goLive(arn);
  await control.end(arn);
  await control.goLive(arn, { media: { width: 1280, height: 720, tracks: [SD] } });
  const [takeover] = await control.connect(arn, { priority: 1, media: { width: 1280, height: 720 } });
  expect(takeover).toMatchObject({ accepted: false, reason: 'TakeoverRefused' });
  const [failure] = await control.events({ name: 'Stream Takeover Failure', channelArn: arn });
  expect(failure!.event.detail).toMatchObject({ code: 'StreamTakeoverMediaMismatch' });
  await control.end(arn);
});

it.each([
  ['BASIC', '', undefined],
  ['STANDARD', '', undefined],
  ['ADVANCED_SD', 'HIGHER_BANDWIDTH_DELIVERY', undefined],
  ['ADVANCED_HD', 'CONSTRAINED_BANDWIDTH_DELIVERY', 'CONSTRAINED_BANDWIDTH_DELIVERY'],
])('a channel of the type %s has the preset "%s"', async (type, preset, asked) => {
  const { channel } = await send('CreateChannel')({ type, preset: asked });
  expect(channel).toMatchObject({ type, preset });
  const back = await send('UpdateChannel')({ arn: channel.arn, type: 'STANDARD' });
  expect(back['channel'].preset).toBe('');
});
