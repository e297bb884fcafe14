// Playback restriction policies, through the real SDK.

import * as ivsSdk from '@aws-sdk/client-ivs';
import { afterAll, afterEach, expect, it } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { failureOf, ivsFor, sender } from '#test/support/simulator-sdk.ts';

const simulator = await startSimulator({ seed: 'restrictions', enforcement: 'off' });
const { control } = simulator;
const ivs = ivsFor(simulator.url);
const send = sender(ivs);

afterAll(async () => {
  ivs.destroy();
  await simulator.close();
});

const newPolicy = async (input: Record<string, unknown> = {}) =>
  (await send('CreatePlaybackRestrictionPolicy')(input))['playbackRestrictionPolicy'] as { arn: string };
const attach = (arn: string, playbackRestrictionPolicyArn: string) =>
  send('UpdateChannel')({ arn, playbackRestrictionPolicyArn });
const all = async () =>
  (await send('ListPlaybackRestrictionPolicies')({ maxResults: 100 }))['playbackRestrictionPolicies'];

afterEach(async () => {
  for (const { arn } of await all()) await send('DeletePlaybackRestrictionPolicy')({ arn });
});

it('one is created with its defaults, read, changed in the named members, tagged and deleted', async () => {
  const made = await newPolicy();
  expect(made).toEqual({
    arn: expect.stringMatching(/^arn:aws:ivs:us-west-2:111122223333:playback-restriction-policy\/[A-Za-z0-9]{12}$/),
    name: '',
    allowedCountries: [],
    allowedOrigins: [],
    enableStrictOriginEnforcement: false,
    tags: {},
  });
  const { arn } = made;
  const change = { allowedCountries: ['DE', 'AT', 'CH'], allowedOrigins: ['https://tv.example.com', 'null'] };
  const changed = await send('UpdatePlaybackRestrictionPolicy')({
    arn,
    ...change,
    enableStrictOriginEnforcement: true,
  });
  expect(changed['playbackRestrictionPolicy']).toEqual({ ...made, ...change, enableStrictOriginEnforcement: true });
  const emptied = await send('UpdatePlaybackRestrictionPolicy')({ arn, allowedCountries: [], name: 'dach' });
  await send('TagResource')({ resourceArn: arn, tags: { tier: 'gold' } });
  const expected = { ...emptied['playbackRestrictionPolicy'], tags: { tier: 'gold' } };
  expect(expected).toMatchObject({ allowedCountries: [], allowedOrigins: change.allowedOrigins, name: 'dach' });
  expect(await send('GetPlaybackRestrictionPolicy')({ arn })).toEqual({ playbackRestrictionPolicy: expected });
  expect(await all()).toEqual([expected]);
  expect(await send('DeletePlaybackRestrictionPolicy')({ arn })).toEqual({});
  expect(await failureOf(send('GetPlaybackRestrictionPolicy')({ arn }))).toBe('404 ResourceNotFoundException');
});

it('a refused change changes nothing', async () => {
  const made = await newPolicy({ allowedCountries: ['DE'] });
  const change = { arn: made.arn, allowedCountries: ['FR'], allowedOrigins: ['https://example.com/path'] };
  expect(await failureOf(send('UpdatePlaybackRestrictionPolicy')(change))).toBe('400 ValidationException');
  expect(await send('GetPlaybackRestrictionPolicy')({ arn: made.arn })).toEqual({ playbackRestrictionPolicy: made });
});

it('an account can have three, and a page has one unless asked', async () => {
  const made = [];
  for (const name of ['one', 'two', 'three']) made.push((await newPolicy({ name })).arn);
  expect(await failureOf(newPolicy())).toBe('402 ServiceQuotaExceededException');
  const pages: string[][] = [];
  for await (const page of ivsSdk.paginateListPlaybackRestrictionPolicies({ client: ivs }, {})) {
    pages.push(page.playbackRestrictionPolicies!.map(({ arn }) => arn!));
  }
  expect(pages).toEqual(made.map((arn) => [arn]));
  expect(await all()).toHaveLength(3);
});

it('an origin has up to 128 characters, or 256 with a switch', async () => {
  const origin = (length: number) => `https://${'x'.repeat(length - 8)}`;
  await newPolicy({ allowedOrigins: [origin(128)] });
  expect(await failureOf(newPolicy({ allowedOrigins: [origin(129)] }))).toBe('400 ValidationException');
  await control.configure({ switches: { originLength: 256 } });
  await newPolicy({ allowedOrigins: [origin(256)] });
  expect(await failureOf(newPolicy({ allowedOrigins: [origin(257)] }))).toBe('400 ValidationException');
  await control.configure({ switches: { originLength: 128 } });
});

it('channels refer to one until it is replaced by the empty string; until then it cannot be deleted', async () => {
  const { arn } = await newPolicy();
  const { channel } = await send('CreateChannel')({ playbackRestrictionPolicyArn: arn });
  const other = await control.createChannel({ playbackRestrictionPolicyArn: arn });
  const listed = async (filter: string) =>
    (await send('ListChannels')({ filterByPlaybackRestrictionPolicyArn: filter }))['channels'];
  expect((await listed(arn)).map((one: { arn: string }) => one.arn)).toEqual([channel.arn, other.arn]);
  const both = { filterByPlaybackRestrictionPolicyArn: arn, filterByName: 'x' };
  expect(await failureOf(send('ListChannels')(both))).toBe('409 ConflictException');
  await attach(channel.arn, '');
  expect((await send('GetChannel')({ arn: channel.arn }))['channel'].playbackRestrictionPolicyArn).toBe('');
  expect(await failureOf(send('DeletePlaybackRestrictionPolicy')({ arn }))).toBe('409 ConflictException');
  await attach(other.arn, '');
  expect(await listed(arn)).toEqual([]);
  await send('DeletePlaybackRestrictionPolicy')({ arn });
});

it('while a channel is live its policy can be edited, but neither attached nor detached', async () => {
  const { arn: policy } = await newPolicy();
  const { arn } = await control.createChannel({ playbackRestrictionPolicyArn: policy });
  await control.goLive(arn);
  expect(await failureOf(attach(arn, ''))).toBe('409 ConflictException');
  const change = { arn: policy, allowedCountries: ['IS'] };
  expect((await send('UpdatePlaybackRestrictionPolicy')(change))['playbackRestrictionPolicy']).toMatchObject({
    allowedCountries: ['IS'],
  });
  await control.end(arn);
  await attach(arn, '');
});
