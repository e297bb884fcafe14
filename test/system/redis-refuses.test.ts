// Redis that answers and refuses: the daemon reports what Redis said, rarely asks, and never uses another database.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { createMetrics } from '#runtime/metrics.ts';
import { assertRedisUsable, connectRedis, disconnectRedis } from '#runtime/redis.ts';
import { RedisState } from '#store/shared-state.ts';
import { broadcast } from '#test/support/broadcast.ts';
import { lastingPort } from '#test/support/ports.ts';
import { eventually, keptLogger, quietLogger } from '#test/support/quiet.ts';
import { ownRedis, redisScope, testRedisUrl } from '#test/support/redis.ts';
import { afterHandshake, refusingRedis } from '#test/support/refusing-redis.ts';
import { runProcess } from '#test/support/run-process.ts';

const rules = 'rules: []\n';

function asApp(url: string): string {
  const address = new URL(url);
  address.username = 'app';
  address.password = 'pw-of-app';
  return address.href;
}

const silence = { matchers: ['rule="none"'], reason: 'test', duration: '1h' };

/** Errors of servers, by their first word. */
const refusals = [
  "READONLY You can't write against a read only replica.",
  "OOM command not allowed when used memory > 'maxmemory'.",
  'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
  "NOPERM User app has no permissions to run the 'evalsha' command",
  'NOAUTH Authentication required.',
  'LOADING Redis is loading the dataset in memory',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  'CLUSTERDOWN Hash slot not served',
  'MOVED 3999 10.0.0.2:6381',
  'NOSCRIPT No matching script. Please use EVAL.',
  'NOREPLICAS Not enough good replicas to write.',
  'ERR unknown command',
  'WRONGTYPE Operation against a key holding the wrong kind of value',
];

describe('what Redis said', () => {
  test.each(refusals)('%s', async (text) => {
    await using redis = await refusingRedis(testRedisUrl());
    const { logger, lines } = keptLogger();
    const connection = connectRedis({ url: redis.url, role: 'store', logger });
    await connection.connect();
    const state = new RedisState({ redis: connection, prefix: '{refuses}', metrics: createMetrics() });
    redis.refuse = afterHandshake(text);

    const failures = [state.probe(), state.probe(), state.refresh(), state.refresh()].map((each) =>
      each.catch((error: unknown) => error),
    );
    const [first] = await Promise.all(failures);

    expect(first).toMatchObject({ code: 'REDIS_REFUSES', message: expect.stringContaining(text) });
    redis.refuse = () => undefined;
    await eventually(() =>
      state.probe().then(
        () => true,
        () => false,
      ),
    );
    expect(lines.filter(({ code }) => code === 'REDIS_REFUSES')).toEqual([expect.objectContaining({ said: text })]);
    await disconnectRedis(connection);
  });
});

test('a script that Redis has forgotten is sent again, and is no refusal, however many ask for it at once', async () => {
  await using redis = await ownRedis();
  const { logger, lines } = keptLogger();
  const connection = connectRedis({ url: redis.url, role: 'store', logger });
  await connection.connect();
  connection.defineCommand('one', { lua: 'return 1', numberOfKeys: 1 });
  const one = () => (connection as unknown as { one(key: string): Promise<number> }).one('{refuses}');
  await one();
  await connection.script('FLUSH');

  expect(await Promise.all([one(), one(), one(), one()])).toEqual([1, 1, 1, 1]);

  expect(lines.filter(({ code }) => code === 'REDIS_REFUSES')).toEqual([]);
  await disconnectRedis(connection);
});

describe.concurrent('a daemon whose Redis refuses', () => {
  test('a replica that is read-only: few connections, the reason in /readyz and in one line of the log; then it works', async () => {
    await using redis = await ownRedis();
    await using platform = await broadcast();
    const admin = new Redis(redis.url);
    await using daemon = await platform.daemon({ rules, redisUrl: redis.url });
    const stats = async (name: string) => Number(new RegExp(`${name}:(\\d+)`).exec(await admin.info('stats'))?.[1]);

    // Without pauses it would be thousands; how many within the pauses depends on how busy the machine is.
    await admin.replicaof('127.0.0.1', 9);
    await delay(1_000);
    const [connectionsBefore, commandsBefore] = [
      await stats('total_connections_received'),
      await stats('total_commands_processed'),
    ];
    await delay(2_000);
    const connections = (await stats('total_connections_received')) - connectionsBefore;
    const commands = (await stats('total_commands_processed')) - commandsBefore;
    // Right after Redis has closed a connection, the daemon does not know yet what Redis says.
    const ready = await eventually(async () => {
      const answer = await daemon.ask('GET', '/readyz');
      return answer.body.checks.redis.includes('READONLY') && answer;
    });
    const silenced = await eventually(async () => {
      const answer = await daemon.ask('POST', '/v1/silences', silence);
      return answer.body.detail?.includes('READONLY') && answer;
    });
    const refused = async () =>
      (await daemon.metrics.redisTrouble.get()).values.find(({ labels }) => labels.kind === 'refuses')?.value;
    await eventually(async () => (await refused()) === 1);
    await admin.replicaof('NO', 'ONE');

    await eventually(async () => (await daemon.ask('GET', '/readyz')).status === 200);
    await eventually(async () => (await refused()) === 0);
    expect({ connections, isBounded: connections < 100 }).toMatchObject({ isBounded: true });
    expect({ commands, isBounded: commands < 1_000 }).toMatchObject({ isBounded: true });
    expect(ready.status).toBe(503);
    expect(silenced).toMatchObject({ status: 503, body: { code: 'REDIS_REFUSES' } });
    // One line for the refusal. A connection that broke, when Redis became a replica or while the machine was busy, may add its own.
    const messages = daemon.log.map((line) => String(JSON.parse(line).message));
    expect(messages.filter((message) => message.startsWith('Redis refuses'))).toEqual([
      expect.stringContaining('Redis refuses: READONLY'),
    ]);
    admin.disconnect();
  });

  test('out of memory: workers do not ask in a loop', async () => {
    await using redis = await refusingRedis(testRedisUrl());
    await using platform = await broadcast();
    await using daemon = await platform.daemon({ rules, redisUrl: redis.url });

    redis.refuse = afterHandshake(refusals[1]!);
    await delay(500);
    redis.reset();
    await delay(1_500);
    const commands = [...redis.commands.values()].reduce((sum, count) => sum + count, 0);
    await eventually(async () => (await daemon.ask('GET', '/readyz')).body.checks.redis.includes('OOM'));
    redis.refuse = () => undefined;

    await eventually(async () => (await daemon.ask('GET', '/readyz')).status === 200);
    expect({ commands, isBounded: commands < 1_000 }).toMatchObject({ isBounded: true });
  });

  test('a user without dangerous or administrative commands and without channels: everything works', async () => {
    await using redis = await ownRedis();
    await using platform = await broadcast();
    const admin = new Redis(redis.url);
    await admin.call(
      'ACL',
      'SETUSER',
      'app',
      'on',
      '>pw-of-app',
      '~*',
      'resetchannels',
      '+@all',
      '-@dangerous',
      '-@admin',
    );
    const redisUrl = asApp(redis.url);

    // It has listed the live streams by then, so permits, queues and workers work.
    await using daemon = await platform.daemon({ rules, redisUrl });

    const [channel] = await platform.simulator.control.createChannels(1);
    await platform.simulator.control.goLive([channel!.arn]);
    const batch = { targets: { channelArns: [channel!.arn] }, items: [{ payload: 'once' }] };
    const sent = await daemon.ask('POST', '/v1/metadata/batches', batch);

    expect(sent).toMatchObject({ status: 202, body: { channels: 1 } });
    await eventually(async () => {
      const { body } = await daemon.ask('GET', `/v1/metadata/batches/${sent.body.batchId}`);
      return body.counts?.delivered === 1;
    });
    expect((await daemon.ask('GET', '/readyz')).status).toBe(200);
    admin.disconnect();
  });

  test('a database that can no longer be selected: no other one is used', async () => {
    await using redis = await ownRedis();
    await using platform = await broadcast();
    const admin = new Redis(redis.url);
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw-of-app', '~*', '&*', '+@all');
    const url = asApp(redis.url);
    await using daemon = await platform.daemon({ rules, redisUrl: `${url}/2` });

    await admin.call('ACL', 'SETUSER', 'app', '-select');
    await admin.call('CLIENT', 'KILL', 'USER', 'app');
    await eventually(async () => (await daemon.ask('GET', '/readyz')).body.checks.redis.includes('select'));
    const ready = await daemon.ask('GET', '/readyz');
    await admin.call('ACL', 'SETUSER', 'app', '+select');

    await eventually(async () => (await daemon.ask('GET', '/readyz')).status === 200);
    expect(ready).toMatchObject({ status: 503, body: { checks: { redis: expect.stringContaining('NOPERM') } } });
    expect(await admin.dbsize()).toBe(0);
    expect(daemon.log.join('\n')).not.toContain('pw-of-app');
    admin.disconnect();
  });
});

describe.concurrent('a REDIS_URL that cannot be used ends the start with one line, and doctor says so', () => {
  test('wrong database, password, user, kind of server and form', async () => {
    await using redis = await ownRedis();
    await using clustered = await clusterNode();
    await using scope = await redisScope();
    const admin = new Redis(redis.url);
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw-of-app', '~*', '&*', '+@all', '-select');
    const { port } = new URL(redis.url);
    const folder = await mkdtemp(join(tmpdir(), 'autopilot-refused-'));
    await writeFile(join(folder, 'autopilot.yaml'), 'version: 1\nrules: []\n');
    const env = (url: string) => ({
      REDIS_URL: url,
      AUTOPILOT_CONFIG: join(folder, 'autopilot.yaml'),
      AUTOPILOT_HTTP_PORT: '0',
      AUTOPILOT_NAMESPACE: scope.namespace,
      AUTOPILOT_URL: 'http://127.0.0.1:9',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    });
    const cases: [url: string, says: RegExp, doctorToo?: boolean][] = [
      [`${redis.url}/16`, /DB index is out of range/],
      [`redis://app:pw-of-app@127.0.0.1:${port}/2`, /NOPERM.*select/],
      [`redis://app:not-pw-of-app@127.0.0.1:${port}/0`, /WRONGPASS/],
      [`${clustered.url}/1`, /cluster.*database 0 only/],
      [`http://app:pw-of-app@127.0.0.1:${port}`, /REDIS_URL begins with http:\/\//, true],
    ];
    const runs = cases.map(async ([url, says, doctorToo = false]) => {
      const daemon = await runProcess('src/main.ts', [], { env: env(url), cwd: folder });
      const said = daemon.stdout.split('\n').filter((line) => /"level":"(?:error|fatal|warn)"/.test(line));
      expect({ url, end: daemon.end, lines: said.length }).toEqual({ url, end: 1, lines: 1 });
      expect(said[0]).toMatch(says);
      expect(said[0]).toContain('REDIS_URL');
      expect(daemon.stdout + daemon.stderr).not.toContain('pw-of-app');
      if (!doctorToo) return;
      const doctor = await runProcess('src/cli/main.ts', ['doctor'], { env: env(url), cwd: folder });
      expect({ url, end: doctor.end }).toEqual({ url, end: 1 });
      expect(doctor.stdout).toMatch(new RegExp(`✗ red .*Redis: .*${says.source}`));
      expect(doctor.stdout + doctor.stderr).not.toContain('pw-of-app');
    });
    await Promise.all(runs);
    expect(await admin.dbsize()).toBe(0);
    admin.disconnect();
    await rm(folder, { recursive: true });
  });

  test.each([
    ['redis', Buffer.from([0x15, 3, 1, 0, 2, 2, 70]), /expects TLS.*rediss:/],
    ['redis', 'HTTP/1.1 400 Bad Request\r\n\r\n', /does not speak the protocol of Redis/],
    ['rediss', '-ERR Protocol error\r\n', /does not speak TLS.*redis:/],
  ])('%s:// to a server of another kind ends the start', async (scheme, says, told) => {
    // It leaves the connection open: a write to a closed one may fail before the answer is read.
    const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.write(says)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as { port: number };

    const refusal = assertRedisUsable({ url: `${scheme}://127.0.0.1:${port}`, logger: quietLogger() });

    await expect(refusal).rejects.toMatchObject({ code: 'REDIS_UNUSABLE', message: expect.stringMatching(told) });
    server.close();
  });

  test('a server that loads, that is away or that is silent is waited for', async () => {
    await using redis = await refusingRedis(testRedisUrl());
    const logger = quietLogger();
    const signsIn = new Set(['auth', 'hello']);
    redis.refuse = (command) => (signsIn.has(command) ? undefined : 'LOADING Redis is loading the dataset in memory');
    await expect(assertRedisUsable({ url: redis.url, logger })).resolves.toBeUndefined();
    redis.hangs = true;
    await expect(assertRedisUsable({ url: redis.url, logger, withinMs: 200 })).resolves.toBeUndefined();
    await expect(assertRedisUsable({ url: 'redis://127.0.0.1:9', logger })).resolves.toBeUndefined();
  });
});

async function clusterNode(): Promise<AsyncDisposable & { readonly url: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-cluster-'));
  const port = await lastingPort();
  const program = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--cluster-enabled',
    'yes',
    '--save',
    '',
    '--dir',
    folder,
  ];
  const server = spawn(program, args, { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}`;
  const redis = new Redis(url);
  redis.on('error', () => undefined);
  await redis.ping();
  redis.disconnect();
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}
