// `doctor` with real clients against stand-ins: all green after bootstrap, and red with a remedy for what was broken on purpose.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SimulatorHandle, startSimulator } from '#simulator/server.ts';
import { type LocalSqs, startLocalSqs } from '#simulator/sqs.ts';
import { runCli } from '#src/cli/main.ts';
import { type RedisScope, redisScope } from '#test/support/redis.ts';
import { fakeCredentials } from '#test/support/simulator-sdk.ts';

let sqs: LocalSqs;
let simulator: SimulatorHandle;
let redis: RedisScope;
let directory: string;
let config: string;
const before = { ...process.env };

beforeAll(async () => {
  sqs = await startLocalSqs();
  simulator = await startSimulator({ sqs: { endpoint: sqs.endpoint }, timings: {} });
  redis = await redisScope();
  directory = await mkdtemp(join(tmpdir(), 'autopilot-doctor-'));
  config = join(directory, 'autopilot.yaml');
  await writeFile(
    config,
    `version: 1
rules:
  - name: starving-stop
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    match: {tags: {tier: [gold]}}
    for: 30s
    actions: [{stop_stream: {}}]
    guards: {max_live_percent: 5}
`,
  );
  for (const name of Object.keys(process.env)) if (/^(AWS|AUTOPILOT)_/.test(name)) delete process.env[name];
  Object.assign(process.env, {
    AWS_REGION: 'us-west-2',
    AWS_ACCESS_KEY_ID: fakeCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: fakeCredentials.secretAccessKey,
    AWS_ENDPOINT_URL_IVS: simulator.url,
    AWS_ENDPOINT_URL_EVENTBRIDGE: simulator.url,
    AWS_ENDPOINT_URL_STS: simulator.url,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    AUTOPILOT_NAMESPACE: redis.namespace,
    AUTOPILOT_URL: 'http://127.0.0.1:9',
    REDIS_URL: redis.url,
  });
});

afterAll(async () => {
  process.env = before;
  await simulator.close();
  await sqs.close();
  await redis[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function cli(...args: string[]) {
  const out: string[] = [];
  const exitCode = await runCli(['node', 'ivs-autopilot', ...args], {
    print: (line) => void out.push(line),
    printError: (line) => void out.push(line),
    env: process.env,
    signal: new AbortController().signal,
  });
  return { exitCode, out: out.join('\n') };
}

interface Report {
  readonly healthy: boolean;
  readonly results: readonly { name: string; status: string; text: string; todo?: string }[];
}

/** The lines of one check, as `status text`. */
const linesOf = ({ results }: Report, name: string) =>
  results.filter((result) => result.name === name).map(({ status, text }) => `${status} ${text}`);

test('doctor is green where everything is there, and names what is missing where it is not', async () => {
  const made = await cli('bootstrap', '--json');
  process.env['AUTOPILOT_QUEUE_URL'] = (JSON.parse(made.out) as { queueUrl: string }).queueUrl;

  const whole = JSON.parse((await cli('doctor', config, '--json')).out) as Report;

  expect(linesOf(whole, 'AWS account')[0]).toMatch(/^green 111122223333 in us-west-2/);
  expect(linesOf(whole, 'Event queue')).toEqual([
    'green 0 messages wait',
    'green EventBridge may write to it',
    'green it has a dead-letter queue',
  ]);
  expect(linesOf(whole, 'Event rule')).toEqual(['green ivs-autopilot-events sends every kind of IVS event']);
  expect(linesOf(whole, 'Permission')).toEqual([
    'green ivs:GetStream',
    'green ivs:ListChannels',
    'green ivs:ListStreams',
    'green ivs:StopStream',
  ]);
  expect(linesOf(whole, 'Clock')[0]).toMatch(/^green/);
  expect(linesOf(whole, 'Configuration')[0]).toMatch(/^green/);
  expect(linesOf(whole, 'Daemon')).toEqual(['skipped none answers at http://127.0.0.1:9']);

  await simulator.control.addFault({ operation: 'StopStream', error: 'AccessDeniedException', status: 403, times: 1 });
  await cli('bootstrap', '--destroy');

  const broken = await cli('doctor', config, '--json');
  const report = JSON.parse(broken.out) as Report;
  expect(broken.exitCode).toBe(1);
  expect(report.healthy).toBe(false);
  expect(linesOf(report, 'Permission')).toContain('red ivs:StopStream is not allowed');
  expect(linesOf(report, 'Event queue')[0]).toMatch(/^red .*cannot be read/);
  for (const { status, todo } of report.results) if (status === 'red') expect(todo).toMatch(/\w/);
});

test('doctor says in one line what is wrong with the configuration, and asks nothing more', async () => {
  const bad = join(directory, 'bad.yaml');
  await writeFile(bad, 'version: 1\nrulez: []\n');

  const { exitCode, out } = await cli('doctor', bad);

  expect(exitCode).toBe(1);
  expect(out).toContain('✗ red      Configuration:');
  expect(out).toContain('ivs-autopilot validate');
});
