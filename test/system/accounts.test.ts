// Two accounts in one Region, the first without a role: which things belong to which account, whoever asks and whichever queue delivered an
// event.
import { expect, test } from 'vitest';
import { kinds, logs, notes } from '#domain/state-registry.ts';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { commandLine } from '#test/support/command-line.ts';
import { eventually } from '#test/support/quiet.ts';

const accountsAndRules = `
accounts:
  - {name: first, region: us-west-2, queue_url: $QUEUE}
  - {name: second, region: us-west-2, assume_role_arn: "arn:aws:iam::444455556666:role/autopilot"}
rules:
  - name: goal
    mode: enforce
    trigger: {http: {name: goal}}
    actions: [{put_metadata: {payload: goal}}]
  - name: breach
    mode: enforce
    trigger: {event: {detail-type: [IVS Limit Breach]}}
    actions: [{emit_event: {detail_type: breach, detail: {}}}]
`;
const arnOf = (account: string, id = 'aBcDeFgHiJkL') => `arn:aws:ivs:us-west-2:${account}:channel/${id}`;
const ofFirst = '111122223333';
const ofSecond = '444455556666';
const ofNobody = '999988887777';

async function setup() {
  const platform = await broadcast();
  const [channel] = await platform.simulator.control.createChannels(1);
  const daemon = await platform.daemon({ rules: accountsAndRules.replace('$QUEUE', platform.queueUrl) });
  const [first, second] = daemon.app.shards;
  // The first account's own number is known from its channels.
  await eventually(() => first!.state.view.get(kinds.channel.of(channel!.arn)));
  const send = async (envelope: object) =>
    platform.send(
      JSON.stringify({
        version: '0',
        id: crypto.randomUUID(),
        'detail-type': 'IVS Stream State Change',
        source: 'aws.ivs',
        account: ofFirst,
        region: 'us-west-2',
        time: new Date().toISOString(),
        resources: [],
        detail: { event_name: 'Session Created', channel_name: 'x', stream_id: 'st-1A2b3c4D5e6F78ghij9Klmn' },
        ...envelope,
      }),
    );
  return {
    platform,
    daemon,
    first: first!,
    second: second!,
    send,
    [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
  };
}

const held = (shard: Daemon['app']['shards'][number] | undefined) =>
  Array.from(shard!.state.view.entries(kinds.hold), ([arn]) => arn);
const path = (arn: string) => encodeURIComponent(arn);

test('a hold, a trigger and an action on one channel reach the same account, whether its inventory knows the channel or not', async () => {
  await using t = await setup();
  const { daemon, first, second } = t;
  const arn = arnOf(ofSecond);

  const placed = await daemon.ask('PUT', `/v1/holds/${path(arn)}`, { reason: 'test' });
  const placedHere = await daemon.ask('PUT', `/v1/holds/${path(arnOf(ofFirst))}`, {});
  const notified = await daemon.ask('POST', '/v1/actions', {
    action: { emit_event: { detail_type: 'test', detail: {} } },
    channelArn: arn,
    reason: 'test',
    dryRun: true,
  });
  const batch = await daemon.ask('POST', '/v1/metadata/batches', {
    targets: { channelArns: [arn] },
    items: [{ payload: 'x' }],
    dryRun: true,
  });
  const triggered = await daemon.ask('POST', '/v1/triggers/goal', { channelArn: arn });

  expect([placed.status, placedHere.status, triggered.status]).toEqual([200, 200, 202]);
  expect([held(first), held(second)]).toEqual([[arnOf(ofFirst)], [arn]]);
  // IVS's stand-in has no such channel in this account, and was called for it.
  expect(notified.body).toMatchObject({ code: 'CHANNEL_UNKNOWN', detail: expect.stringContaining('account second') });
  expect(batch.body).toMatchObject({ channels: 1, skipped: [] });
  const { body: decided } = await daemon.ask('GET', `/v1/decisions?channelArn=${path(arn)}`);
  expect(decided.decisions).toMatchObject([{ rule: 'goal', channelArn: arn }]);
  const row = await daemon.ask('GET', `/v1/rules/goal/explain/${path(arnOf(ofNobody))}`);
  expect(row.status).toBe(404);
});

test('a channel of no configured account gets 404 everywhere, and nothing is written', async () => {
  await using t = await setup();
  const { daemon } = t;
  const arn = arnOf(ofNobody);

  const answers = await Promise.all([
    daemon.ask('PUT', `/v1/holds/${path(arn)}`, { reason: 'test' }),
    daemon.ask('DELETE', `/v1/holds/${path(arn)}`),
    daemon.ask('POST', '/v1/triggers/goal', { channelArn: arn }),
    daemon.ask('POST', `/v1/channels/${path(arn)}/refresh`),
    daemon.ask('POST', '/v1/actions', { action: { stop_stream: {} }, channelArn: arn, reason: 'test' }),
    daemon.ask('GET', `/v1/decisions?channelArn=${path(arn)}`),
    daemon.ask('GET', `/v1/rules/goal/explain/${path(arn)}`),
    daemon.ask('DELETE', `/v1/intents/set_recording/${path(arn)}`),
    daemon.ask('POST', '/v1/metadata/batches', { targets: { channelArns: [arn] }, items: [{ payload: 'x' }] }),
    daemon.ask('POST', '/v1/triggers/goal?account=frist', {}),
    daemon.ask('POST', '/v1/metadata/batches?account=frist', { targets: { live: true }, items: [{ payload: 'x' }] }),
    daemon.ask('POST', '/v1/actions?account=frist', {
      action: { notify: { receiver: 'x', text: 'x' } },
      reason: 'test',
    }),
  ]);

  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
  expect(answers.slice(-3).map(({ body }) => body.detail)).toEqual(
    Array(3).fill(expect.stringContaining('no account frist (did you mean first?)')),
  );
  for (const { state } of daemon.app.shards) {
    expect([...state.view.entries(kinds.hold), ...state.view.entries(kinds.stream)]).toEqual([]);
  }
});

test('an event goes to the account of its channel, whichever queue delivered it; one that belongs to nobody is kept, and not acted on', async () => {
  await using t = await setup();
  const { daemon, first, second, send } = t;
  const breach = { 'detail-type': 'IVS Limit Breach', detail: { limit_name: 'Concurrent Viewers', limit_value: 1 } };
  const streams = (shard: typeof first) => Array.from(shard.state.view.entries(kinds.stream), ([arn]) => arn);

  // The ARN decides, whatever the envelope says about account and Region.
  await send({ resources: [arnOf(ofSecond)], account: ofNobody, region: 'eu-west-1' });
  await send({ resources: [arnOf(ofNobody)] });
  await send({ resources: [arnOf(ofFirst).replace('us-west-2', 'eu-west-1')] });
  // Without an ARN, the account and the Region of the queue.
  await send({ ...breach, account: ofSecond, region: 'ap-south-1' });
  await send({ ...breach, account: ofNobody });
  // What is missing is not a fact: its owner is unknown.
  await send({ ...breach, account: undefined });
  await send({ ...breach, account: '*' });
  await send({ resources: [arnOf(ofFirst)], account: ofSecond });

  await eventually(() => streams(first).length > 0 && streams(second).length > 0);
  await eventually(async () => (await t.platform.queueDepth()) === 0);
  expect(streams(first)).toEqual([arnOf(ofFirst)]);
  expect(streams(second)).toEqual([arnOf(ofSecond)]);
  const breaches = async (shard: typeof first) =>
    (await shard.state.readLog(logs.journal, { limit: 10 })).filter(({ entry }) => entry.rule === 'breach');
  await eventually(async () => (await breaches(second)).length === 1);
  expect(await breaches(first)).toEqual([]);
  const { events: kept } = (await daemon.ask('GET', '/v1/events/kept')).body;
  expect(kept.map(({ reason }: { reason: string }) => reason)).toEqual(Array(5).fill('other_account_or_region'));
  expect(kept.at(-1).body).toContain(arnOf(ofNobody));
  const { values } = await daemon.metrics.eventsReceived.get();
  expect(values.find(({ labels }) => labels.outcome === 'other_account_or_region')?.value).toBe(5);
});

test('with one queue for several accounts, each event goes to the account and Region in it if its channel matches; uncertain ones are kept', async () => {
  await using platform = await broadcast();
  const { queueUrl } = platform;
  const shared = `
accounts:
  - {name: first, region: us-west-2, account_id: "${ofFirst}", queue_url: "${queueUrl}"}
  - {name: second, region: us-west-2, account_id: "${ofSecond}", assume_role_arn: "arn:aws:iam::{account}:role/autopilot", queue_url: "${queueUrl}"}
`;
  const daemon = await platform.daemon({ rules: shared });
  const [first, second] = daemon.app.shards as [Daemon['app']['shards'][number], Daemon['app']['shards'][number]];
  const send = (account: string, region: string, channelArn: string) =>
    platform.send(
      JSON.stringify({
        version: '0',
        id: crypto.randomUUID(),
        'detail-type': 'IVS Stream State Change',
        source: 'aws.ivs',
        account,
        region,
        time: new Date().toISOString(),
        resources: [channelArn],
        detail: { event_name: 'Session Created', channel_name: 'x', stream_id: 'st-1A2b3c4D5e6F78ghij9Klmn' },
      }),
    );
  await send(ofSecond, 'us-west-2', arnOf(ofSecond));
  await send(ofFirst, 'us-west-2', arnOf(ofFirst));
  // From another account than its channel's, from another Region, from an account that is not configured.
  await send(ofFirst, 'us-west-2', arnOf(ofSecond, 'other1'));
  await send(ofSecond, 'eu-west-1', arnOf(ofSecond, 'other2'));
  await send(ofNobody, 'us-west-2', arnOf(ofNobody));

  const streams = (shard: typeof first) => Array.from(shard.state.view.entries(kinds.stream), ([arn]) => arn);
  const keptBodies = async () =>
    (await daemon.ask('GET', '/v1/events/kept')).body.events as { readonly reason: string }[];
  await eventually(
    async () => streams(first).length > 0 && streams(second).length > 0 && (await keptBodies()).length === 3,
  );
  expect(streams(first)).toEqual([arnOf(ofFirst)]);
  expect(streams(second)).toEqual([arnOf(ofSecond)]);
  expect((await keptBodies()).map(({ reason }) => reason)).toEqual(Array(3).fill('other_account_or_region'));
  // Not a standby: there is nothing to activate, and nothing is written.
  expect(await daemon.ask('POST', '/v1/activate', {})).toMatchObject({
    status: 200,
    body: { standby: false, startedAsStandby: false, effects: [] },
  });
  expect(first.state.view.get(notes.activation)).toBeUndefined();
  const refused = await commandLine(['activate', '--yes'], { env: { AUTOPILOT_URL: daemon.url } });
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('is no standby') });
  // One reads for both: neither treats its own silence as missing events.
  expect([first, second].map((shard) => shard.intake.consumer !== undefined)).toEqual([true, false]);
  for (const shard of [first, second]) await eventually(() => shard.state.view.get(notes.queueRead));
});
