// The only Redis dies under a living daemon: everything that is shown says that it is a picture of the past, until Redis is back.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { broadcast, quickSettings, testCredentials } from '#test/support/broadcast.ts';
import { daemonProcess } from '#test/support/daemon-process.ts';
import { eventually } from '#test/support/quiet.ts';
import { ownRedis } from '#test/support/redis.ts';
import { runProcess } from '#test/support/run-process.ts';

/** `GET` routes whose answers do not come from the state. */
const notOfTheState = new Set(['/v1/config', '/v1/session']);
const stackLine = /\\n +at /;
const oldLine = /^Redis has not answered for \d+\w*; nothing is decided; this is the picture of \d\d:\d\d:\d\d UTC$/;

test('status, lists, alerts and a pause say that Redis is away, and it is over when Redis is back', async () => {
  await using platform = await broadcast();
  await using redis = await ownRedis();
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-away-'));
  const [channel] = await platform.simulator.control.createChannels(1);
  await platform.simulator.control.goLive([channel!.arn]);
  await using daemon = await daemonProcess({
    config: `${quickSettings}\nrules: []\n`,
    env: {
      REDIS_URL: redis.url,
      AUTOPILOT_QUEUE_URL: platform.queueUrl,
      AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
      AWS_ENDPOINT_URL_IVS: platform.simulator.url,
      AWS_ENDPOINT_URL_SQS: platform.sqs.endpoint,
    },
  });
  const command = (...args: string[]) =>
    runProcess('src/cli/main.ts', args, { env: { AUTOPILOT_URL: daemon.url }, cwd: folder });
  const isReady = async () => (await daemon.ask('GET', '/readyz')).status === 200;
  await eventually(isReady);
  await eventually(async () => {
    const { body } = await daemon.ask('GET', '/v1/streams');
    return body.streams.length === 1 && body.stale.redis === undefined;
  });

  const beforeAway = [...daemon.log];
  await redis.server.kill();
  await eventually(async () => !(await isReady()));
  await eventually(async () => (await daemon.ask('GET', '/v1/streams')).body.stale.redis !== undefined);

  // Every list says so, or fails.
  const { body: api } = await daemon.ask('GET', '/docs/json');
  const lists = Object.entries(api.paths as Record<string, { get?: object }>).flatMap(([path, { get }]) =>
    get && path.startsWith('/v1/') && !path.includes('{') && path !== '/v1/live' && !notOfTheState.has(path)
      ? [path]
      : [],
  );
  expect(lists).toContain('/v1/channels');
  const answers = await Promise.all(
    lists.map(async (path) => {
      const { status, body } = await daemon.ask('GET', path);
      return { path, saysSo: status >= 400 || typeof body?.stale?.redis === 'string' };
    }),
  );
  expect(answers.filter(({ saysSo }) => !saysSo)).toEqual([]);

  const listed = await command('stream', 'list');
  expect(listed).toMatchObject({ end: 0, stderr: expect.stringMatching(/^Out of date: Redis has not answered for /) });

  const paused = await daemon.ask('POST', '/v1/pause', { reason: 'storage is down' });
  expect(paused.body).toMatchObject({ paused: true, written: false });
  expect((await daemon.ask('GET', '/v1/pause')).body).toMatchObject({ paused: true, written: false });
  await eventually(async () =>
    /^autopilot_alerts\{shard="main",kind="redis"\} 1$/m.test(await (await fetch(`${daemon.url}/metrics`)).text()),
  );
  const first = await command('status');
  const [line, ...more] = first.stdout.split('\n');
  expect(first.end).toBe(1);
  expect(first.stderr).toContain('docs/operations.md#redis-does-not-answer');
  expect(line).toMatch(oldLine);
  expect(more.find((each) => each.startsWith('PAUSED'))).toContain('only the replica that answers knows');
  expect(more.join('\n')).toMatch(/Redis +stale +does not answer/);
  expect(more.join('\n')).not.toContain('answers in');
  expect(more.join('\n')).toContain('does not answer: nothing is decided');

  // The picture stays, and its age grows.
  const pictureOf = async () => JSON.parse((await command('status', '--json')).stdout);
  const [before, after] = [await pictureOf(), await pictureOf()];
  expect(after.picture.asOfMs).toBe(before.picture.asOfMs);
  expect(after.nowMs).toBeGreaterThan(before.nowMs);
  expect(after.replicas).toBeUndefined();

  // Doctor names one cause, and does not check what needs Redis.
  await writeFile(join(folder, 'autopilot.yaml'), 'version: 1\nrules: []\n');
  const doctor = await runProcess('src/cli/main.ts', ['doctor', '--json'], {
    cwd: folder,
    env: {
      REDIS_URL: redis.url,
      AUTOPILOT_CONFIG: join(folder, 'autopilot.yaml'),
      AUTOPILOT_URL: daemon.url,
      AWS_ENDPOINT_URL: platform.simulator.url,
    },
  });
  const { results } = JSON.parse(doctor.stdout) as { results: { name: string; status: string; text: string }[] };
  const verdicts = (name: string) => results.filter((each) => each.name === name);
  expect(verdicts('Redis')).toMatchObject([
    { status: 'red', text: expect.stringContaining('Redis does not answer'), todo: expect.stringContaining('#redis-') },
  ]);
  for (const name of ['Redis latency', 'Clock', 'Quotas'])
    expect(verdicts(name)).toMatchObject([{ status: 'skipped', text: 'not checked: Redis does not answer' }]);
  expect(verdicts('Daemon').filter(({ status }) => status === 'red')).toMatchObject([
    { text: expect.stringContaining('redis: ') },
  ]);

  const duringAway = [...daemon.log];
  await redis.restart();
  await eventually(isReady);
  await eventually(async () => (await daemon.ask('GET', '/v1/pause')).body.written === undefined);
  const back = await eventually(async () => {
    const status = await command('status');
    return status.end === 0 ? status : undefined;
  });
  expect(back.stdout).toMatch(/^1 live of /);
  expect(back.stdout).toMatch(/^PAUSED .*storage is down$/m);
  await eventually(async () => (await daemon.ask('GET', '/v1/streams')).body.stale.redis === undefined);
  await eventually(() => daemon.log.some((each) => each.includes('Redis answers again')));
  const said = [...daemon.log, doctor.stdout, doctor.stderr, first.stdout];
  expect(said.filter((each) => each.includes("isn't writeable"))).toEqual([]);
  expect(daemon.log.filter((each) => each.includes('the live page'))).toEqual([]);
  const ofRedis = daemon.log.filter((each) => /Redis|ECONN|LIMITER/.test(each));
  expect(ofRedis.length).toBeGreaterThan(1);
  expect(ofRedis.filter((each) => each.includes('a request failed') || stackLine.test(each))).toEqual([]);
  expect(duringAway.filter((each) => each.includes('Redis grants no permits')).length).toBeLessThanOrEqual(1);
  // Before Redis died there was nothing to complain about.
  expect(beforeAway.filter((each) => each.includes('LIMITER_UNAVAILABLE'))).toEqual([]);
  await rm(folder, { recursive: true, force: true });
});
