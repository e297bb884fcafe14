// A standby as a separate process: nobody hears of it until it is activated, then it works like any other, also after a restart.
import { expect, test } from 'vitest';
import { broadcast, quickSettings, testCredentials } from '#test/support/broadcast.ts';
import { commandLine } from '#test/support/command-line.ts';
import { cutLink } from '#test/support/cut-link.ts';
import { type DaemonProcess, daemonProcess } from '#test/support/daemon-process.ts';
import { eventually } from '#test/support/quiet.ts';

// With a short request timeout a new ledger of permits grants soon.
const rules = `
limits: {request_timeout: 1500ms}
receivers: [{name: noc, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: slate, expires: 20s}}]
`;

/** Waits until the process has read its state this many more times: an active one would have polled each time. */
async function looks(daemon: DaemonProcess, times: number): Promise<void> {
  const seen = new Set<string>();
  await eventually(async () => {
    const { replicas } = (await daemon.ask('GET', '/v1/replicas')).body;
    for (const { self, seenAt } of replicas) if (self) seen.add(seenAt);
    return seen.size > times;
  });
}

test('a standby makes no call and receives no message until it is activated, says before what will follow, and works then', async () => {
  await using platform = await broadcast();
  const { simulator, sqs, scope, queueUrl } = platform;
  const [channel] = await simulator.control.createChannels(1);
  const { arn } = channel!;
  await simulator.control.goLive([arn]);
  await eventually(async () => (await platform.queueDepth()) > 0);
  // Every service that the environment does not name leads to the first.
  await using aws = await cutLink(simulator.url);
  await using queues = await cutLink(sqs.endpoint);
  const start = (how: { flags?: string[]; env?: Record<string, string> }) =>
    daemonProcess({
      config: quickSettings + rules,
      flags: how.flags ?? [],
      env: {
        REDIS_URL: scope.url,
        AUTOPILOT_NAMESPACE: scope.namespace,
        AUTOPILOT_QUEUE_URL: queueUrl,
        AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
        AWS_ENDPOINT_URL: aws.url,
        AWS_ENDPOINT_URL_SQS: queues.url,
        ...how.env,
      },
    });
  await using both = new AsyncDisposableStack();
  const [standby, second] = (
    await Promise.all([start({ flags: ['--standby'] }), start({ env: { AUTOPILOT_STANDBY: '1' } })])
  ).map((each) => both.use(each)) as [DaemonProcess, DaemonProcess];
  const cli = (...args: string[]) => commandLine(args, { env: { AUTOPILOT_URL: standby.url } });

  await Promise.all([standby, second].map((each) => looks(each, 2)));
  expect((await standby.ask('GET', '/healthz')).status).toBe(200);
  const readiness = await standby.ask('GET', '/readyz');
  expect(readiness).toMatchObject({ status: 503, body: { ready: false, checks: { redis: 'ok' } } });
  expect(readiness.body.checks.standby).toContain('stands by');
  const work = [
    ['POST', '/v1/metadata/batches', { targets: { channelArns: [arn] }, items: [{ payload: 'x' }] }],
    ['POST', '/v1/actions', { action: { stop_stream: {} }, channelArn: arn, reason: 'x' }],
    ['POST', `/v1/channels/${encodeURIComponent(arn)}/refresh`, undefined],
    ['POST', '/v1/channels/refresh', {}],
    ['POST', '/v1/receivers/noc/test', {}],
    ['POST', '/v1/triggers/goal', {}],
  ] as const;
  for (const [method, path, body] of work) {
    const answer = await standby.ask(method, path, body);
    expect([path, answer.status, answer.body.code]).toEqual([path, 503, 'STANDBY']);
    expect(answer.body.detail).toContain('ivs-autopilot activate');
  }
  // Pauses, holds and silences are accepted: they belong before the activation.
  expect((await standby.ask('PUT', `/v1/holds/${encodeURIComponent(arn)}`, { reason: 'x' })).status).toBe(200);
  expect((await standby.ask('POST', '/v1/pause', { reason: 'first the holds' })).status).toBe(200);
  expect((await cli('status')).out).toContain('STANDBY');
  const metrics = await fetch(`${standby.url}/metrics`).then((answer) => answer.text());
  expect(metrics).toContain('autopilot_standby{shard="main"} 1');

  const planned = await cli('activate', '--dry-run');
  expect(planned).toMatchObject({ code: 0, err: '' });
  for (const text of [
    'main (us-west-2): polls',
    '1 rule in mode enforce: slate',
    'first the holds',
    '1 hold',
    '--dry-run',
  ])
    expect(planned.out).toContain(text);
  expect((await standby.ask('GET', '/v1/standby')).body).toMatchObject({ standby: true, startedAsStandby: true });
  await looks(standby, 1);

  expect([aws.opened, queues.opened]).toEqual([0, 0]);
  expect(await simulator.control.calls()).toEqual([]);

  expect(await cli('--as', 'mara', 'activate', '--reason', 'the other Region is lost')).toMatchObject({
    code: 0,
    err: '',
  });
  expect((await cli('activate', '--dry-run')).out).toMatch(
    /main is activated already, since .* by mara: the other Region is lost/,
  );
  await eventually(async () => (await standby.ask('GET', '/readyz')).status === 200);
  await eventually(async () => (await platform.queueDepth()) === 0);
  const audit = await standby.ask('GET', '/v1/audit?what=activate');
  expect(audit.body.entries).toMatchObject([{ who: 'mara', outcome: 'done', why: 'the other Region is lost' }]);
  const logged = () => standby.log.flatMap((line) => (line.includes('"stage":"controls"') ? [JSON.parse(line)] : []));
  await expect.poll(() => logged().length).toBe(3);
  expect(logged()).toMatchObject([
    { level: 'info', control: 'hold', channelArn: arn, who: 'loopback', reason: 'x' },
    { level: 'info', control: 'pause', who: 'loopback', reason: 'first the holds' },
    { level: 'info', control: 'activate', who: 'mara', reason: 'the other Region is lost' },
  ]);
  expect((await standby.ask('POST', '/v1/metadata/batches', work[0][2])).status).toBe(202);
  await eventually(async () => (await simulator.control.cues()).length > 0);

  // Every replica of that Redis works, and every later start.
  await eventually(async () => (await second.ask('GET', '/readyz')).status === 200);
  const restarted = await platform.daemon({ rules, standby: true });
  expect((await restarted.ask('GET', '/v1/standby')).body).toMatchObject({
    standby: false,
    accounts: [{ name: 'main', activation: { who: 'mara' } }],
  });
});

test('one activation is for all accounts of the deployment, including those that other processes carry', async () => {
  await using platform = await broadcast();
  const accounts = `
accounts:
  - {name: first, region: us-west-2, account_id: "111122223333"}
  - {name: second, region: us-west-2, account_id: "444455556666", assume_role_arn: "arn:aws:iam::{account}:role/autopilot"}
`;
  const start = (carried: string) =>
    platform.daemon({ rules: accounts, env: { AUTOPILOT_ACCOUNTS: carried }, standby: true, cold: true });
  const first = await start('first');
  const second = await start('second');
  for (const { app } of [first, second]) expect(app.shards.map(({ standsBy }) => standsBy)).toEqual([true]);

  const { status, body } = await first.ask('POST', '/v1/activate', { reason: 'the other Region is lost' });

  expect([status, body.standby]).toEqual([200, false]);
  expect(body.effects).toContain('The same for what other processes of this deployment carry: second.');
  await eventually(() => second.app.shards.every(({ standsBy }) => !standsBy));
  expect((await second.ask('GET', '/v1/standby')).body.accounts).toMatchObject([
    { name: 'second', standby: false, activation: { reason: 'the other Region is lost' } },
  ]);
});
