// Accounts that are divided among processes: who carries what, what a process does for other processes' accounts, and several Redis
// servers.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { keyPrefix } from '#runtime/redis.ts';
import { broadcast, type Daemon, quickSettings } from '#test/support/broadcast.ts';
import { daemonProcess } from '#test/support/daemon-process.ts';
import { eventually } from '#test/support/quiet.ts';
import { ownRedis } from '#test/support/redis.ts';

const ids = { one: '111122223333', two: '444455556666', three: '777788889999' } as const;
const arnOf = (account: keyof typeof ids, id = 'aBcDeFgHiJkL') => `arn:aws:ivs:us-west-2:${ids[account]}:channel/${id}`;
const path = (arn: string) => encodeURIComponent(arn);

/** `of` adds settings to an entry. */
function accounts(queueUrl: string, of: Partial<Record<keyof typeof ids, string>> = {}): string {
  const entry = (name: keyof typeof ids, more = '') =>
    `  - {name: ${name}, region: us-west-2, account_id: "${ids[name]}"${more}${of[name] ?? ''}}\n`;
  const queue = `, queue_url: "${queueUrl}"`;
  return `accounts:\n${entry('one', queue)}${entry('two')}${entry('three')}`;
}

const rules = `
rules:
  - name: goal
    mode: enforce
    trigger: {http: {name: goal}}
    actions: [{put_metadata: {payload: goal}}]
  - name: ask-first
    mode: enforce
    trigger: {http: {name: ask}}
    actions: [{emit_event: {detail_type: asked, detail: {}}, approval: {by: operator, timeout: 10m}}]
`;

/** Nobody waits for half a minute here. A separate process gives a sign of life every two seconds. */
const carrierPace = { everyMs: 100, goneMs: 6_000, patienceMs: 300 };

const accountsOf = async (daemon: Pick<Daemon, 'ask'>) =>
  Object.fromEntries(
    (await daemon.ask('GET', '/v1/accounts')).body.accounts.map(({ name, ...rest }: any) => [name, rest]),
  ) as Record<keyof typeof ids, any>;
const alertsOf = async (daemon: Pick<Daemon, 'ask'>, kind: string) =>
  (await daemon.ask('GET', `/v1/alerts?kind=${kind}`)).body.alerts;

test('each process carries its part, sees who carries the rest, hands over what belongs to others, and reports when nobody does', async () => {
  await using platform = await broadcast();
  const config = accounts(platform.queueUrl) + rules;
  const start = (selection: string) =>
    platform.daemon({ rules: config, env: { AUTOPILOT_ACCOUNTS: selection }, carrierPace });
  await using first = await start('one');

  // Nothing is built for an account that it does not carry: no state, no queue, no connection.
  expect(first.app.shards.map(({ name }) => name)).toEqual(['one']);
  expect(first.app.elsewhere.map(({ name, isOpen }) => [name, isOpen])).toEqual([
    ['two', false],
    ['three', false],
  ]);
  const { redis, namespace } = platform.scope;
  const keysOf = (account: string) => redis.keys(`${keyPrefix(namespace, account)}*`);
  expect([await keysOf('two'), await keysOf('three')]).toEqual([[], []]);
  expect((await keysOf('one')).length).toBeGreaterThan(0);

  const missing = await eventually(async () => {
    const found = await alertsOf(first, 'not_carried');
    return found.length === 2 && found;
  });
  expect(missing.map(({ id, severity, cause }: any) => [id, severity, cause])).toEqual([
    ['two:not_carried', 'critical', 'No process carries two: nobody notices or acts there.'],
    ['three:not_carried', 'critical', 'No process carries three: nobody notices or acts there.'],
  ]);
  expect(await accountsOf(first)).toMatchObject({
    one: { here: true, state: 'carried', missing: [], accountId: ids.one },
    two: { here: false, state: 'not_carried', carriers: [], missing: [{ part: 'intake' }, { part: 'worker' }] },
  });

  await using second = await start('t*');
  const [two] = second.app.shards;
  await eventually(async () => (await alertsOf(first, 'not_carried')).length === 0);
  const seen = await eventually(async () => {
    const found = await accountsOf(second);
    return found.one.state === 'carried' && found;
  });
  expect(seen).toMatchObject({ one: { here: false }, two: { here: true }, three: { here: true } });
  const [carrier] = (await accountsOf(first)).two.carriers;
  const [self] = (await second.ask('GET', '/v1/replicas')).body.replicas;
  expect(carrier.id).toBe(self.id);
  const gauge = async (daemon: Daemon, shard: string) =>
    (await daemon.metrics.shardCarriers.get()).values.find((each) => each.labels.shard === shard)?.value;
  await eventually(async () => (await gauge(first, 'three')) === 1);

  // What only the other process can do is answered with its name.
  const refused = await first.ask('POST', '/v1/actions', {
    action: { stop_stream: {} },
    channelArn: arnOf('two'),
    reason: 'test',
  });
  expect(refused).toMatchObject({ status: 409, body: { code: 'ACCOUNT_ELSEWHERE' } });
  expect(refused.body.detail).toContain(`does not carry the account two`);
  expect(refused.body.detail).toContain(carrier.id);

  // An event from the queue of the first, and a request to it, reach the process that carries the account.
  await platform.send(
    JSON.stringify({
      version: '0',
      id: crypto.randomUUID(),
      'detail-type': 'IVS Stream State Change',
      source: 'aws.ivs',
      account: ids.two,
      region: 'us-west-2',
      time: new Date().toISOString(),
      resources: [arnOf('two')],
      detail: { event_name: 'Session Created', channel_name: 'x', stream_id: 'st-1A2b3c4D5e6F78ghij9Klmn' },
    }),
  );
  const asked = await first.ask('POST', '/v1/triggers/goal', { channelArn: arnOf('two') });
  expect(asked).toMatchObject({ status: 202, body: { rules: ['goal'] } });
  await eventually(() => two!.state.view.get(kinds.stream.of(arnOf('two'))));
  await eventually(async () => {
    const { decisions } = (await second.ask('GET', `/v1/decisions?rule=goal&channelArn=${path(arnOf('two'))}`)).body;
    return decisions.length === 1;
  });
  await eventually(async () => (await platform.queueDepth()) === 0);

  // What Redis alone can do is possible from anywhere: reading, and setting controls.
  expect((await first.ask('PUT', `/v1/holds/${path(arnOf('two'))}`, { reason: 'from afar' })).status).toBe(200);
  const silenced = await first.ask('POST', '/v1/silences', {
    matchers: ['rule="goal"'],
    reason: 'afar',
    duration: '1h',
  });
  expect(silenced.body).toMatchObject({ matches: { rules: 1 }, matchesNothing: false });
  await eventually(() => two!.state.view.get(kinds.hold.of(arnOf('two')))?.reason === 'from afar');
  await eventually(() => two!.state.view.get(kinds.silence.of(silenced.body.id)));
  const onFirst = async (what: string) => (await first.ask('GET', `/v1/${what}`)).body;
  expect((await onFirst('holds')).holds).toMatchObject([{ channelArn: arnOf('two'), reason: 'from afar' }]);
  expect((await onFirst('silences')).silences).toHaveLength(1);
  const streams = await onFirst('streams?state=any&account=two');
  expect(streams).toMatchObject({ streams: [{ channelArn: arnOf('two'), state: 'created' }], counts: { created: 1 } });
  expect((await onFirst('streams?state=any')).streams).toHaveLength(1);
  expect(await onFirst(`streams/${path(arnOf('two'))}`)).toMatchObject({ record: { channelArn: arnOf('two') } });
  expect((await onFirst('decisions?rule=goal')).decisions).toMatchObject([{ rule: 'goal', channelArn: arnOf('two') }]);
  expect((await onFirst(`audit?channelArn=${path(arnOf('two'))}&what=hold`)).entries).toMatchObject([
    { channelArn: arnOf('two'), why: 'from afar' },
  ]);
  expect(await onFirst(`streams/${path(arnOf('two'))}/report`)).toMatchObject({ code: 'ACCOUNT_ELSEWHERE' });
  expect(await onFirst(`streams/${path(arnOf('two'))}/samples`)).toMatchObject({ channelArn: arnOf('two') });
  expect((await onFirst('fleet/samples')).accounts.map(({ account }: any) => account)).toEqual(['one', 'two', 'three']);
  expect(await onFirst(`rules/goal/explain/${path(arnOf('two'))}`)).toMatchObject({ rule: 'goal' });

  expect((await first.ask('POST', '/v1/triggers/ask?account=two', {})).status).toBe(202);
  const waiting = await eventually(async () => {
    const { approvals } = await onFirst('approvals?state=waiting');
    return approvals[0];
  });
  expect(waiting.id).toMatch(/^two:/);
  await eventually(async () => (await alertsOf(first, 'approval')).length === 1);
  const answered = await first.ask('POST', `/v1/approvals/${encodeURIComponent(waiting.id)}`, { decision: 'reject' });
  expect(answered).toMatchObject({ status: 200, body: { id: waiting.id, state: 'rejected' } });
  await eventually(async () => (await alertsOf(second, 'approval')).length === 0);

  expect((await first.ask('POST', '/v1/pause', { reason: 'drill' })).body).toMatchObject({ paused: true });
  await eventually(async () => (await second.ask('GET', '/v1/pause')).body.reason === 'drill');
  expect((await first.ask('POST', '/v1/resume', {})).body).toEqual({ paused: false });
  await eventually(async () => (await second.ask('GET', '/v1/pause')).body.paused === false);

  // A process that ends says so; the others report it, and somebody may acknowledge it.
  await second.app.stop();
  await eventually(async () => (await alertsOf(first, 'not_carried')).length === 2);
  expect((await first.metrics.alerts.get()).values).toContainEqual(
    expect.objectContaining({ labels: { shard: 'two', kind: 'not_carried' } }),
  );
  await eventually(async () => (await gauge(first, 'two')) === 0);
  const taken = await first.ask('POST', '/v1/alerts/two:not_carried/acknowledge', { note: 'on it' });
  expect(taken).toMatchObject({ status: 200, body: { acknowledged: { note: 'on it' } } });
  const ownerOf = async (id: string) =>
    (await alertsOf(first, 'not_carried')).find((alert: { id: string }) => alert.id === id)?.owner;
  await eventually(() => ownerOf('two:not_carried'));

  // One that is killed says nothing, and is still missed.
  const process = await daemonProcess({
    config: quickSettings + config,
    env: {
      REDIS_URL: platform.scope.url,
      AUTOPILOT_NAMESPACE: namespace,
      AWS_ENDPOINT_URL_IVS: platform.simulator.url,
      AWS_ENDPOINT_URL_SQS: platform.sqs.endpoint,
    },
    flags: ['--accounts', 'two,three'],
  });
  await eventually(async () => (await accountsOf(first)).three.state === 'carried');
  await eventually(async () => (await alertsOf(first, 'not_carried')).length === 0);
  await process.kill();
  await eventually(async () => (await alertsOf(first, 'not_carried')).length === 2);
  expect((await accountsOf(first)).three).toMatchObject({ state: 'not_carried', carriers: [] });

  await expect(start('one,thre')).rejects.toMatchObject({
    code: 'ACCOUNTS_INVALID',
    message: expect.stringMatching(/^AUTOPILOT_ACCOUNTS: there is no account thre \(did you mean three\?\)/),
  });
});

test('accounts with their own Redis stop only with it, and continue with it', async () => {
  await using platform = await broadcast();
  await using own = await ownRedis();
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-fleet-'));
  await using _cleanup = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
  const file = join(folder, 'redis_url');
  await writeFile(file, `${own.url}\n`);
  const away = `, redis_url_file: ${file}`;
  await using daemon = await platform.daemon({
    rules: accounts(platform.queueUrl, { two: away, three: away }) + rules,
    carrierPace,
  });
  const holdOf = (account: keyof typeof ids) =>
    daemon.ask('PUT', `/v1/holds/${path(arnOf(account))}`, { reason: 'test' });
  const ready = () => daemon.ask('GET', '/readyz');
  const { redis, namespace } = platform.scope;

  expect([(await holdOf('one')).status, (await holdOf('two')).status]).toEqual([200, 200]);
  expect(await redis.keys(`${keyPrefix(namespace, 'two')}*`)).toEqual([]);
  expect((await redis.keys(`${keyPrefix(namespace, 'one')}*`)).length).toBeGreaterThan(0);
  expect((await ready()).body.checks).toMatchObject({ 'redis one': 'ok', 'redis two': 'ok', 'redis three': 'ok' });

  await own.server.kill();
  const still = await eventually(async () => {
    const [alert] = await alertsOf(daemon, 'redis');
    return alert;
  });
  expect(still).toMatchObject({ severity: 'critical', cause: expect.stringContaining('two, three stand still') });
  expect(still.cause).toContain('accounts[1].redis_url_file (two)');
  const checks = await ready();
  expect(checks.status).toBe(200);
  expect(checks.body.checks).toMatchObject({
    'redis one': 'ok',
    'redis two': expect.stringContaining('ok, but its Redis (accounts[1].redis_url_file (two)) cannot be used'),
  });
  expect([(await holdOf('one')).status, (await holdOf('two')).status]).toEqual([200, 503]);

  await own.restart();
  await eventually(async () => (await holdOf('two')).status === 200);
  await eventually(async () => (await alertsOf(daemon, 'redis')).length === 0);
  await eventually(async () => (await ready()).body.checks['redis two'] === 'ok');
});
