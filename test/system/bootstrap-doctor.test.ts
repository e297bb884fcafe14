// `doctor` with real clients against stand-ins: all green after bootstrap, and red with a remedy for what was broken on purpose.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyPrefix } from '#runtime/redis.ts';
import { type SimulatorHandle, startSimulator } from '#simulator/server.ts';
import { type LocalSqs, startLocalSqs } from '#simulator/sqs.ts';
import { commandLine } from '#test/support/command-line.ts';
import { beginLedger } from '#test/support/ivs-shard.ts';
import { type RedisScope, redisScope } from '#test/support/redis.ts';
import { fakeCredentials } from '#test/support/simulator-sdk.ts';

/** Long enough that a busy machine does not look like an IVS that does not answer. An empty ledger would wait as long: none is empty here. */
const patient = 'limits: {request_timeout: 15s}\n';
const accountNames = ['main', 'west', 'twin', 'europe'];

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
  for (const name of accountNames) await beginLedger(redis.redis, keyPrefix(redis.namespace, name));
  directory = await mkdtemp(join(tmpdir(), 'autopilot-doctor-'));
  config = join(directory, 'autopilot.yaml');
  await writeFile(
    config,
    `version: 1
${patient}rules:
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
    AWS_ENDPOINT_URL_SECRETS_MANAGER: simulator.url,
    AWS_ENDPOINT_URL_SSM: simulator.url,
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
  const { code: exitCode, text: out } = await commandLine(args, { env: process.env });
  return { exitCode, out };
}

interface Report {
  readonly healthy: boolean;
  readonly results: readonly { name: string; account?: string; status: string; text: string; todo?: string }[];
}

/** The lines of one check, as `status text`; of one account, if it is named. */
const linesOf = ({ results }: Report, name: string, account?: string) =>
  results
    .filter((result) => result.name === name && (account === undefined || result.account === account))
    .map(({ status, text }) => `${status} ${text}`);

/** Runs with other variables for a while; undefined removes one. */
async function withEnv<T>(env: Readonly<Record<string, string | undefined>>, run: () => Promise<T>): Promise<T> {
  const kept = Object.keys(env).map((name) => [name, process.env[name]] as const);
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(env)) set(name, value);
  try {
    return await run();
  } finally {
    for (const [name, value] of kept) set(name, value);
  }
}

const withoutCredentials = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  AWS_CONFIG_FILE: '/nonexistent',
};

const threeAccounts = `version: 1
${patient}accounts:
  - {name: west, region: us-west-2, queue_url: QUEUE}
  - {name: twin, region: us-west-2, assume_role_arn: "arn:aws:iam::111122223333:role/autopilot"}
  - {name: europe, region: eu-west-1, assume_role_arn: "arn:aws:iam::444455556666:role/autopilot"}
rules: []
`;

test('doctor is green if everything is there, and names what is missing if it is not', async () => {
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
    'green ivs:BatchGetChannel',
    'green ivs:BatchGetStreamKey',
    'green ivs:GetChannel',
    'green ivs:GetStream',
    'green ivs:GetStreamSession',
    'green ivs:ListChannels',
    'green ivs:ListStreamKeys',
    'green ivs:ListStreamSessions',
    'green ivs:ListStreams',
    'green ivs:StopStream',
  ]);
  expect(linesOf(whole, 'Reading the queue')).toEqual([
    'green sqs:ReceiveMessage',
    'green sqs:DeleteMessage',
    'green sqs:ChangeMessageVisibility',
  ]);
  expect(linesOf(whole, 'Clock')[0]).toMatch(/^green/);
  expect(linesOf(whole, 'Configuration')[0]).toMatch(/^green/);
  expect(linesOf(whole, 'Daemon')).toEqual(['skipped no daemon answers at http://127.0.0.1:9']);

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

test('doctor says in one line what is wrong with the configuration, and checks nothing more', async () => {
  const bad = join(directory, 'bad.yaml');
  await writeFile(bad, 'version: 1\nrulez: []\n');

  const { exitCode, out } = await cli('doctor', bad);

  expect(exitCode).toBe(1);
  expect(out).toContain('✗ red      Configuration:');
  expect(out).toContain('ivs-autopilot validate');
});

test('doctor checks where keys and events go, without changing anything there', async () => {
  const rules = join(directory, 'deliveries.yaml');
  await writeFile(
    rules,
    `version: 1
rules:
  - name: rotate
    trigger: {event: {detail-type: [IVS Stream State Change], detail: {event_name: [Stream End]}}}
    actions:
      - rotate_stream_key: {deliver: {secrets_manager: "ivs/{{ channel.name }}/key"}}
      - rotate_stream_key: {deliver: {ssm_parameter: /ivs/key}}
      - emit_event: {detail_type: rotated, detail: {channel: "{{ channel.arn }}"}}
    guards: {max_per_hour: 10}
`,
  );

  const report = JSON.parse((await cli('doctor', rules, '--json')).out) as Report;

  expect(linesOf(report, 'Secrets Manager')).toEqual([
    'green secretsmanager:DescribeSecret: ivs/{{ channel.name }}/key may be asked for',
  ]);
  expect(linesOf(report, 'Parameter Store')).toEqual([
    'green ssm:GetParameter: /ivs/key does not exist yet: the first delivery creates it',
  ]);
  expect(linesOf(report, 'Event bus')).toEqual(['green events:PutEvents: default may be written to']);
  for (const operation of ['secretsmanager:DescribeSecret', 'ssm:GetParameter', 'events:PutEvents'])
    await simulator.control.addFault({ operation, error: 'AccessDeniedException', status: 400, times: 1 });
  const denied = JSON.parse((await cli('doctor', rules, '--json')).out) as Report;
  for (const name of ['Secrets Manager', 'Parameter Store', 'Event bus'])
    expect(linesOf(denied, name)[0]).toMatch(/^red .* is not allowed$/);
});

test('waiting messages are not received: no check brings one nearer to the dead-letter queue', async () => {
  const { queueUrl } = await sqs.createQueue('with-messages', { VisibilityTimeout: '0' });
  await fetch(sqs.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': 'AmazonSQS.SendMessage', 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ QueueUrl: queueUrl, MessageBody: '{}' }),
  });

  const report = await withEnv(
    { AUTOPILOT_QUEUE_URL: queueUrl },
    async () => JSON.parse((await cli('doctor', config, '--json')).out) as Report,
  );

  expect(linesOf(report, 'Reading the queue')[0]).toMatch(
    /^skipped sqs:ReceiveMessage: not checked while 1 messages wait/,
  );
  const answer = await fetch(sqs.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': 'AmazonSQS.ReceiveMessage', 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ QueueUrl: queueUrl, AttributeNames: ['ApproximateReceiveCount'] }),
  });
  const { Messages } = (await answer.json()) as { Messages: { Attributes: { ApproximateReceiveCount: string } }[] };
  expect(Messages[0]?.Attributes.ApproximateReceiveCount).toBe('1');
});

test.each([
  [
    { KmsMasterKeyId: 'alias/aws/sqs' },
    'red it is encrypted with the AWS-managed key, so EventBridge cannot write to it',
  ],
  [
    { KmsMasterKeyId: 'alias/ivs-events' },
    'green it is encrypted with alias/ivs-events, whose policy must let events.amazonaws.com use it',
  ],
  [{ FifoQueue: 'true' }, 'red it is a FIFO queue: one unreadable message blocks all others'],
])('a queue with %j', async (attributes, line) => {
  const name = `with-${Object.values(attributes)[0]!.replaceAll(/[^a-z]/g, '-')}`;
  const { queueUrl } = await sqs.createQueue('FifoQueue' in attributes ? `${name}.fifo` : name, attributes);
  const report = await withEnv(
    { AUTOPILOT_QUEUE_URL: queueUrl },
    async () => JSON.parse((await cli('doctor', config, '--json')).out) as Report,
  );

  expect(linesOf(report, 'Event queue')).toContain(line);
});

test('where a local endpoint is set, a queue without policy and rule is a remark', async () => {
  const { queueUrl } = await sqs.createQueue('of-a-simulator');
  const report = await withEnv(
    { AUTOPILOT_QUEUE_URL: queueUrl },
    async () => JSON.parse((await cli('doctor', config, '--json')).out) as Report,
  );

  expect(linesOf(report, 'Event queue')).toContain(
    'warning a local endpoint is set: the queue needs no policy for EventBridge',
  );
  expect(linesOf(report, 'Event rule')).toEqual([
    'warning a local endpoint is set: there is nothing to forward, and no rule',
  ]);
});

test('every account is checked with its own role, and two entries for one account are reported', async () => {
  const { queueUrl } = await sqs.createQueue('of-the-west');
  const accounts = join(directory, 'accounts.yaml');
  await writeFile(accounts, threeAccounts.replace('QUEUE', queueUrl));

  const all = JSON.parse((await cli('doctor', accounts, '--json')).out) as Report;
  const one = JSON.parse((await cli('doctor', accounts, '--account', 'europe', '--json')).out) as Report;
  const none = await cli('doctor', accounts, '--account', 'asia');
  const text = (await cli('doctor', accounts)).out;

  expect(linesOf(all, 'AWS account', 'west')).toEqual([
    'green 111122223333 in us-west-2, as arn:aws:iam::111122223333:user/simulator',
  ]);
  expect(linesOf(all, 'AWS account', 'twin')[0]).toMatch(
    /^red 111122223333 in us-west-2, as .*assumed-role\/autopilot.*: west already has this account and Region/,
  );
  expect(linesOf(all, 'AWS account', 'europe')[0]).toMatch(
    /^green 444455556666 in eu-west-1, as arn:aws:sts::444455556666:assumed-role\/autopilot\/ivs-autopilot$/,
  );
  expect(linesOf(all, 'Event queue', 'west')[0]).toBe('green 0 messages wait');
  expect(linesOf(all, 'Event queue', 'europe')[0]).toMatch(/^red no queue is configured/);
  expect(new Set(one.results.map(({ account }) => account))).toEqual(new Set([undefined, 'europe']));
  expect(none).toMatchObject({ exitCode: 2, out: expect.stringContaining('west, twin, europe') });
  expect(text).toContain('✓ green    europe: AWS account: 444455556666');
});

test('doctor names what keeps it from AWS', async () => {
  const account = async (env: Readonly<Record<string, string | undefined>>) =>
    withEnv(env, async () => linesOf(JSON.parse((await cli('doctor', config, '--json')).out), 'AWS account')[0]);

  expect(await account({ AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9' })).toBe(
    'red nothing listens at 127.0.0.1:9 (ECONNREFUSED)',
  );
  expect(await account({ AWS_ENDPOINT_URL_STS: 'http://nobody.invalid' })).toMatch(
    /^red the name nobody\.invalid is not resolved/,
  );
  expect(await account(withoutCredentials)).toMatch(/^red no AWS credentials were found/);
  await simulator.control.addFault({
    operation: 'sts:GetCallerIdentity',
    error: 'ExpiredToken',
    status: 403,
    times: 1,
  });
  expect(await account({})).toMatch(/^red the credentials have expired/);
});

test('bootstrap handles every account with its own role, or one of them, and continues after one that fails', async () => {
  const accounts = join(directory, 'accounts.yaml');
  await writeFile(accounts, threeAccounts.replace('QUEUE', 'https://sqs.us-west-2.amazonaws.com/111122223333/other'));
  await simulator.control.addFault({ operation: 'sts:AssumeRole', error: 'AccessDenied', status: 403, times: 1 });

  const all = await cli('bootstrap', accounts, '--dry-run', '--name', 'fleet');
  const one = await cli('bootstrap', accounts, '--account', 'west', '--name', 'fleet', '--json');
  const printed = await cli('bootstrap', accounts, '--account', 'west', '--name', 'fleet');
  await cli('bootstrap', accounts, '--account', 'west', '--name', 'fleet', '--destroy');

  expect(all.exitCode).toBe(1);
  expect(all.out).toContain('west (us-west-2):');
  expect(all.out).toMatch(/^twin: SETUP_(DENIED|FAILED): /m);
  expect(all.out).toContain('europe (eu-west-1, as arn:aws:iam::444455556666:role/autopilot):\n+ dead-letter queue');
  expect(all.out).toContain('1 of 3 accounts failed; see above: twin. Repair them and run it again');
  expect(JSON.parse(one.out)).toMatchObject({ accounts: [{ account: 'west', region: 'us-west-2', done: true }] });
  expect(printed.out).toMatch(/Set queue_url of the account west: http.*fleet-events/);

  // What failed is named, and a repeat continues with it.
  await simulator.control.addFault({ operation: 'sts:AssumeRole', error: 'AccessDenied', status: 403, times: 1 });
  const first = await cli('bootstrap', accounts, '--name', 'many');
  const again = await cli('bootstrap', accounts, '--name', 'many');
  await cli('bootstrap', accounts, '--name', 'many', '--destroy');
  expect(first).toMatchObject({
    exitCode: 1,
    out: expect.stringContaining('see above: twin. Repair them and run it again'),
  });
  expect(first.out).toContain('+ queue many-events: create');
  expect(again.exitCode).toBe(0);
  expect(again.out).not.toContain('create');
});

test('bootstrap without credentials points to the printed templates', async () => {
  const { exitCode, out } = await withEnv(withoutCredentials, () => cli('bootstrap', config, '--dry-run'));

  expect(exitCode).toBe(1);
  expect(out).toContain('SETUP_DENIED');
  expect(out).toContain('no AWS credentials were found');
  expect(out).toContain('bootstrap --print cloudformation|terraform');
});
