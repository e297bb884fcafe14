// Ad configurations and ad breaks, through the real SDK and in virtual time.

import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { failureOf, ivsFor, sender } from '#test/support/simulator-sdk.ts';

const START = Date.UTC(2026, 10, 20, 18, 0, 0, 400);
const simulator = await startSimulator({ seed: 'ads', enforcement: 'off', clockRate: 0, startAt: START });
const { control } = simulator;
const ivs = ivsFor(simulator.url);
const send = sender(ivs);

afterAll(async () => {
  ivs.destroy();
  await simulator.close();
});

const playback = (name: string): string => `arn:aws:mediatailor:eu-west-1:444455556666:playbackConfiguration/${name}`;
const from = (...names: string[]) => names.map((name) => ({ playbackConfigurationArn: playback(name) }));

const newAds = async (input: Record<string, unknown> = {}) => {
  const answer = await send('CreateAdConfiguration')({ mediaTailorPlaybackConfigurations: from('ads'), ...input });
  return answer['adConfiguration'] as { arn: string; name: string };
};
const attach = (arn: string, adConfigurationArn: string) => send('UpdateChannel')({ arn, adConfigurationArn });
const insert = (channelArn: string, durationSeconds = 30) => send('InsertAdBreak')({ channelArn, durationSeconds });

describe('ad configurations', () => {
  afterEach(async () => {
    await control.setPlaybackConfigurations({ [playback('odd')]: {} });
    for (const { arn } of (await send('ListAdConfigurations')({}))['adConfigurations'])
      await send('DeleteAdConfiguration')({ arn });
  });

  it('one is created with its defaults, read, changed in the named members, tagged and deleted', async () => {
    const made = await newAds();
    expect(made).toEqual({
      arn: expect.stringMatching(/^arn:aws:ivs:us-west-2:111122223333:ad-configuration\/[A-Za-z0-9]{12}$/),
      name: '',
      mediaTailorPlaybackConfigurations: from('ads'),
      postRollConfiguration: { enabled: false, durationSeconds: 15 },
      tags: {},
    });
    const { arn } = made;
    const postRollConfiguration = { enabled: true, durationSeconds: 60 };
    const changed = await send('UpdateAdConfiguration')({ arn, name: 'evening', postRollConfiguration });
    expect(changed['adConfiguration']).toEqual({ ...made, name: 'evening', postRollConfiguration });
    const replaced = await send('UpdateAdConfiguration')({
      arn,
      mediaTailorPlaybackConfigurations: from('one', 'two', 'three'),
    });
    await send('TagResource')({ resourceArn: arn, tags: { tier: 'gold' } });
    const expected = { ...replaced['adConfiguration'], tags: { tier: 'gold' } };
    expect(expected).toMatchObject({ name: 'evening', postRollConfiguration });
    expect(await send('GetAdConfiguration')({ arn })).toEqual({ adConfiguration: expected });
    expect(await send('ListAdConfigurations')({})).toEqual({ adConfigurations: [expected] });
    expect(await send('DeleteAdConfiguration')({ arn })).toEqual({});
    expect(await failureOf(send('GetAdConfiguration')({ arn }))).toBe('404 ResourceNotFoundException');
  });

  it('an account can have twenty, all on one page, and pages of any size', async () => {
    for (let n = 0; n < 20; n++) await newAds({ name: `ads-${n}` });
    expect(await failureOf(newAds())).toBe('402 ServiceQuotaExceededException');
    expect((await send('ListAdConfigurations')({}))['adConfigurations']).toHaveLength(20);
    const first = await send('ListAdConfigurations')({ maxResults: 12 });
    const rest = await send('ListAdConfigurations')({ maxResults: 12, nextToken: first['nextToken'] });
    expect([...first['adConfigurations'], ...rest['adConfigurations']].map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, n) => `ads-${n}`),
    );
  });

  it('a playback configuration that is missing or plays something else is refused', async () => {
    const create = () => newAds({ mediaTailorPlaybackConfigurations: from('ads', 'odd') });
    await control.setPlaybackConfigurations({ [playback('odd')]: { missing: true } });
    expect(await failureOf(create())).toBe('404 ResourceNotFoundException');
    for (const contentSource of [
      'https://origin.example.com/',
      'https://a1b2c3d4e5f6.us-west-2.playback.live-video.net/api/video/v1/x.m3u8',
    ]) {
      await control.setPlaybackConfigurations({ [playback('odd')]: { contentSource } });
      expect(await failureOf(create())).toBe('400 ValidationException');
    }
    const contentSource = 'https://a1b2c3d4e5f6.us-west-2.playback.live-video.net/';
    await control.setPlaybackConfigurations({ [playback('odd')]: { contentSource } });
    await create();
  });

  it('channels refer to one until it is replaced by the empty string; until then it cannot be deleted', async () => {
    const { arn } = await newAds();
    const { channel } = await send('CreateChannel')({ adConfigurationArn: arn });
    expect(channel.adConfigurationArn).toBe(arn);
    const other = await control.createChannel();
    await attach(other.arn, arn);
    const listed = async (filter: string) =>
      (await send('ListChannels')({ filterByAdConfigurationArn: filter }))['channels'];
    expect((await listed(arn)).map((one: { arn: string }) => one.arn)).toEqual([channel.arn, other.arn]);
    expect((await listed(arn))[0].adConfigurationArn).toBe(arn);
    const both = { filterByAdConfigurationArn: arn, filterByPlaybackRestrictionPolicyArn: '' };
    expect(await failureOf(send('ListChannels')(both))).toBe('409 ConflictException');
    expect(await failureOf(send('DeleteAdConfiguration')({ arn }))).toBe('409 ConflictException');
    await attach(channel.arn, '');
    expect(await failureOf(send('DeleteAdConfiguration')({ arn }))).toBe('409 ConflictException');
    await send('DeleteChannel')({ arn: other.arn });
    expect(await listed(arn)).toEqual([]);
    await send('DeleteAdConfiguration')({ arn });
  });

  it('needs the container format TS', async () => {
    const { arn: adConfigurationArn } = await newAds();
    const fragmented = { containerFormat: 'FRAGMENTED_MP4' };
    const refused = '400 ValidationException';
    expect(await failureOf(send('CreateChannel')({ adConfigurationArn, ...fragmented }))).toBe(refused);
    const { arn } = await control.createChannel({ containerFormat: 'FRAGMENTED_MP4' });
    expect(await failureOf(attach(arn, adConfigurationArn))).toBe(refused);
    await send('UpdateChannel')({ arn, containerFormat: 'TS', adConfigurationArn });
    expect(await failureOf(send('UpdateChannel')({ arn, ...fragmented }))).toBe(refused);
    await send('UpdateChannel')({ arn, ...fragmented, adConfigurationArn: '' });
  });

  it('a live channel keeps its ad configuration', async () => {
    const { arn: adConfigurationArn } = await newAds();
    const { arn } = await control.createChannel();
    await control.goLive(arn);
    expect(await failureOf(attach(arn, adConfigurationArn))).toBe('409 ConflictException');
    await control.end(arn);
  });
});

describe('ad breaks', () => {
  const live = async (name = 'show') => {
    const { arn } = await control.createChannel({ name, ads: true });
    const [streamId] = await control.goLive(arn);
    return { arn, streamId };
  };

  it('one is announced by an event with its target time, and excludes another until it is over', async () => {
    const { arn, streamId } = await live('evening-show');
    const { adBreakId } = await insert(arn, 20);
    expect(adBreakId).toMatch(/^[A-Za-z0-9]{12}$/);
    const [record] = await control.events({ name: 'Ad Break Inserted', channelArn: arn });
    expect(record!.event).toMatchObject({
      'detail-type': 'IVS Ad Break State Change',
      source: 'aws.ivs',
      region: 'us-west-2',
      resources: [arn],
    });
    const { target_start_time: target, ...detail } = record!.event.detail as Record<string, unknown>;
    expect(detail).toEqual({
      event_name: 'Ad Break Inserted',
      channel_name: 'evening-show',
      stream_id: streamId,
      ad_break_id: adBreakId,
      duration_seconds: 20,
    });
    expect(target).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const startsAt = Date.parse(String(target));
    const now = await control.now();
    expect(startsAt - now).toBeGreaterThanOrEqual(10_000);
    expect(startsAt - now).toBeLessThan(11_000);
    expect((await control.channels(arn))[0]!.adBreak).toEqual({
      id: adBreakId,
      durationSeconds: 20,
      targetStartAt: startsAt,
      endsAt: startsAt + 20_000,
    });

    expect(await failureOf(insert(arn))).toBe('409 ConflictException');
    await control.advance(startsAt + 20_000 - now - 1);
    expect(await failureOf(insert(arn))).toBe('409 ConflictException');
    await control.advance(1);
    expect((await control.channels(arn))[0]).not.toHaveProperty('adBreak');
    expect((await insert(arn))['adBreakId']).not.toBe(adBreakId);
    const { streamSession } = await send('GetStreamSession')({ channelArn: arn });
    const told = streamSession.truncatedEvents.filter(({ type }: any) => type === 'IVS Ad Break State Change');
    expect(told.map(({ name }: any) => name)).toEqual(['Ad Break Inserted', 'Ad Break Inserted']);
    expect(
      (await control.calls({ operation: 'InsertAdBreak', channelArn: arn })).map(({ outcome }) => outcome),
    ).toEqual(['ok', 'ConflictException', 'ConflictException', 'ok']);
    await control.end(arn);
  });

  it('a channel that is offline or has no ad configuration gets none', async () => {
    const { arn } = await live();
    await insert(arn);
    await control.end(arn);
    expect(await failureOf(insert(arn))).toBe('404 ChannelNotBroadcasting');
    await control.goLive(arn);
    await insert(arn);
    await control.end(arn);
    const plain = await control.createChannel();
    await control.goLive(plain.arn);
    expect(await failureOf(insert(plain.arn))).toBe('400 ValidationException');
    await control.end(plain.arn);
  });

  it('breaks of different channels do not exclude each other, and the account has one call a second', async () => {
    const channels = [await live('a'), await live('b')];
    await control.configure({ enforcement: 'sliding-window' });
    await insert(channels[0]!.arn);
    expect(await failureOf(insert(channels[1]!.arn))).toBe('429 ThrottlingException');
    await control.advance(1_000);
    await insert(channels[1]!.arn);
    await control.configure({ enforcement: 'off' });
    await control.end(channels.map(({ arn }) => arn));
  });

  it('an answer can be lost although the break was inserted', async () => {
    const { arn } = await live();
    await control.addFault({ operation: 'InsertAdBreak', channelArn: arn, reset: 'after-effect', times: 1 });
    await expect(insert(arn)).rejects.toThrow();
    expect(await control.events({ name: 'Ad Break Inserted', channelArn: arn })).toHaveLength(1);
    expect(await failureOf(insert(arn))).toBe('409 ConflictException');
    await control.end(arn);
  });

  it('with a switch the event names us-east-1, as in the samples of the user guide', async () => {
    const { arn } = await live();
    await control.configure({ switches: { eventRegion: 'us-east-1' } });
    await insert(arn);
    await control.configure({ switches: { eventRegion: 'channel' } });
    const [{ event }] = (await control.events({ name: 'Ad Break Inserted', channelArn: arn })) as [any];
    expect(event).toMatchObject({ region: 'us-east-1', resources: [arn] });
    expect(arn).toContain(':us-west-2:');
    await control.end(arn);
  });

  it('another client of the account can insert breaks, by request and by scenario', async () => {
    const { arn } = await live();
    const [adBreak] = await control.insertAdBreak(arn, 15);
    expect(await failureOf(insert(arn))).toBe('409 ConflictException');
    await expect(control.insertAdBreak(arn, 15)).rejects.toThrow('has an ad break');
    const [record] = await control.events({ name: 'Ad Break Inserted', channelArn: arn });
    expect(record!.event.detail).toMatchObject({ ad_break_id: adBreak!.id, duration_seconds: 15 });
    await control.end(arn);

    await using other = await startSimulator({ clockRate: 0 });
    await other.control.loadScenario(`
name: ads
channels: [{count: 10, namePrefix: show-, ads: true}]
timeline:
  - {at: 0s, connect: {channels: all}}
  - {at: 1m, note: a break for all that have none, adBreak: {channels: all, durationSeconds: 30}, repeat: {every: 20s, times: 2}}
`);
    await other.control.advance(90_000);
    const events = await other.control.events({ name: 'Ad Break Inserted' });
    expect(events.map(({ event }) => event.resources[0])).toHaveLength(10);
  });
});
