// Tags change in IVS: rules match the new ones after the next listing, or at once if an operator requests a refresh.
import { TagResourceCommand, UntagResourceCommand } from '@aws-sdk/client-ivs';
import { expect, test } from 'vitest';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { commandLine } from '#test/support/command-line.ts';
import { eventually } from '#test/support/quiet.ts';
import { ivsFor } from '#test/support/simulator-sdk.ts';

/** No automatic listing while a test runs. */
const rarely = 'polling: {starving_interval: 500ms, full_interval: 1s, inventory_interval: 1h, silent_after: 30s}';
const often = 'polling: {starving_interval: 500ms, full_interval: 1s, inventory_interval: 1s, silent_after: 30s}';
const goldOnly = `
rules:
  - name: gold
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    match: {tags: {tier: [gold]}}
    for: 0s
    actions: [{put_metadata: {payload: {slate: true}}}]
    guards: {cooldown: 0s, max_live_percent: 100}
`;

async function setup({ polling }: { polling: string }) {
  const platform = await broadcast();
  const { control, url } = platform.simulator;
  const [channel] = await control.createChannels(1, { namePrefix: 'studio-', tags: { tier: 'silver' } });
  const { arn } = channel!;
  await control.goLive(arn);
  const ivs = ivsFor(url);
  const daemon = await platform.daemon({ rules: goldOnly, polling });
  // The first listing is complete when it was compared with BatchGetChannel, which alone returns the container format.
  await eventually(async () => {
    const { channels } = (await daemon.ask('GET', '/v1/channels')).body;
    return channels.some((each: any) => each.arn === arn && each.containerFormat !== undefined);
  });
  expect(await tagsOf(daemon, arn)).toEqual({ tier: 'silver' });
  return {
    control,
    arn,
    daemon,
    tag: (tier: string) => ivs.send(new TagResourceCommand({ resourceArn: arn, tags: { tier } })),
    untag: () => ivs.send(new UntagResourceCommand({ resourceArn: arn, tagKeys: ['tier'] })),
    cli: (...args: string[]) => cli(daemon, args),
    async [Symbol.asyncDispose]() {
      ivs.destroy();
      await platform[Symbol.asyncDispose]();
    },
  };
}

async function tagsOf(daemon: Daemon, arn: string): Promise<Record<string, string> | undefined> {
  const { body } = await daemon.ask('GET', '/v1/channels');
  return body.channels.find((channel: any) => channel.arn === arn)?.tags;
}

async function cli(daemon: Daemon, args: readonly string[]) {
  const { code, out, err } = await commandLine(args, { env: { AUTOPILOT_URL: daemon.url } });
  return { code, out, err };
}

test('refreshed for one channel, the rule matches its new tag at once, and the audit says who asked and what changed', async () => {
  await using rig = await setup({ polling: rarely });
  await rig.control.starve(rig.arn);
  await eventually(async () => (await rig.daemon.ask('GET', '/v1/streams?health=STARVING')).body.streams.length === 1);
  await rig.tag('gold');
  const before = await rig.control.cues();

  const path = `/v1/channels/${encodeURIComponent(rig.arn)}/refresh`;
  const answer = await rig.daemon.ask('POST', path, { reason: 'retagged' });

  expect(before).toEqual([]);
  expect(answer).toMatchObject({ status: 200, body: { changed: ['tags'], channel: { tags: { tier: 'gold' } } } });
  await eventually(async () => (await rig.control.cues()).length === 1);
  expect((await rig.daemon.ask('POST', path)).body.changed).toEqual([]);
  const { entries } = (await rig.daemon.ask('GET', '/v1/audit?what=refresh_channel')).body;
  expect(entries).toMatchObject([
    { outcome: 'already_done' },
    {
      outcome: 'done',
      channelArn: rig.arn,
      why: 'retagged',
      before: { tags: { tier: 'silver' } },
      after: { tags: { tier: 'gold' } },
    },
  ]);
});

test('the command line refreshes one channel or all of them, and prints what it found', async () => {
  await using rig = await setup({ polling: rarely });
  await rig.tag('gold');
  const one = await rig.cli('channel', 'refresh', 'studio-0001');
  await rig.untag();
  const added = await rig.control.createChannel({ name: 'newcomer', tags: { tier: 'gold' } });
  const all = await rig.cli('channel', 'refresh', '--all');

  expect(one).toEqual({ code: 0, out: 'studio-0001: tags is now "tier"="gold".', err: '' });
  expect(all).toEqual({ code: 0, out: '2 channels read.', err: '' });
  expect(await tagsOf(rig.daemon, rig.arn)).toEqual({});
  expect(await tagsOf(rig.daemon, added.arn)).toEqual({ tier: 'gold' });
  const { channels } = (await rig.daemon.ask('GET', '/v1/channels')).body;
  const settings = {
    authorized: false,
    insecureIngest: false,
    preset: '',
    playbackRestrictionPolicyArn: '',
    adConfigurationArn: '',
    containerFormat: 'TS',
    multitrackInputConfiguration: { enabled: false },
  };
  expect(channels).toMatchObject([settings, settings]);
  const json = await rig.cli('channel', 'refresh', '--all', '--json');
  expect(JSON.parse(json.out)).toMatchObject({
    jobs: [{ account: 'main', state: 'completed', result: { channels: 2 } }],
  });
  expect((await rig.cli('channel', 'refresh')).code).toBe(2);
  expect((await rig.cli('channel', 'refresh', 'studio-0001', '--all')).code).toBe(2);
});

test('a channel that IVS does not have is 404, and is deleted; a refusal of IVS is reported with its code', async () => {
  await using rig = await setup({ polling: rarely });
  const path = (arn: string) => `/v1/channels/${encodeURIComponent(arn)}/refresh`;
  const unknown = rig.arn.replace(/[^/]+$/, 'NoSuchChanne');
  await rig.control.addFault({ operation: 'GetChannel', error: 'AccessDeniedException', times: 1 });

  const refused = await rig.daemon.ask('POST', path(rig.arn));
  const missing = await rig.daemon.ask('POST', path(unknown));

  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(refused.body.code).toMatch(/^IVS_/);
  expect(await tagsOf(rig.daemon, rig.arn)).toEqual({ tier: 'silver' });
  expect(missing).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  expect((await rig.cli('channel', 'refresh', unknown)).err).toContain('IVS has no channel');
});

test('without a request, a changed tag is seen by the next listing', async () => {
  await using rig = await setup({ polling: often });
  await rig.control.starve(rig.arn);

  await rig.tag('gold');

  await eventually(async () => (await rig.control.cues()).length === 1);
});
