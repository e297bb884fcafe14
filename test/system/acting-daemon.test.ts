// Acting through the whole daemon: requested over the API or decided by a rule, carried out by its workers, shown by jobs and audit.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateRecordingConfigurationCommand,
  GetChannelCommand,
  GetStreamKeyCommand,
  IvsClient,
  ListStreamKeysCommand,
} from '@aws-sdk/client-ivs';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type Broadcast, broadcast, type Daemon, testCredentials } from '#test/support/broadcast.ts';
import { commandLine } from '#test/support/command-line.ts';
import { eventually } from '#test/support/quiet.ts';

const quick = { sessionToStartMs: 100, sessionEndToStreamEndMs: 50, recordingConfigurationMs: 0 };
const client = { region: 'us-west-2', credentials: testCredentials };

async function setup(rules = 'rules: []\n') {
  const resources = new AsyncDisposableStack();
  const platform = resources.use(await broadcast({ timings: quick }));
  const directory = await mkdtemp(join(tmpdir(), 'acting-'));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const ivs = new IvsClient({ ...client, endpoint: platform.simulator.url });
  resources.defer(() => ivs.destroy());
  return {
    platform,
    control: platform.simulator.control,
    directory,
    ivs,
    // Requests in these tests deliver into the test's folder, and read addresses from it.
    daemon: () =>
      platform.daemon({
        rules: `secrets: {delivery_folders: ["${directory}"], read_folders: ["${directory}"]}\n${rules.replaceAll('$DIR', directory)}`,
      }),
    // Slowly: GetChannel has a quota of 5 calls a second, which the daemon needs as well.
    recordingOf: async (arn: string) => {
      await new Promise((done) => setTimeout(done, 500));
      return (await ivs.send(new GetChannelCommand({ arn }))).channel?.recordingConfigurationArn;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function act(daemon: Daemon, body: object): Promise<string> {
  const answer = await daemon.ask('POST', '/v1/actions', { reason: 'asked for by a test', ...body });
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 202 });
  return answer.body.jobId ?? answer.body.bulkId;
}

/** The job once it has ended. */
async function ended(daemon: Daemon, jobId: string) {
  return eventually(async () => {
    const { body } = await daemon.ask('GET', `/v1/jobs/${jobId}`);
    return body.state === 'completed' || body.state === 'failed' ? body : undefined;
  });
}

describe.concurrent('requested by an operator', () => {
  test('a rotation is done, shown step by step, and audited with the state before and after', async () => {
    await using t = await setup();
    const channel = await t.control.createChannel({ name: 'studio-a' });
    const daemon = await t.daemon();
    await eventually(
      async () => (await daemon.ask('GET', `/v1/streams/${encodeURIComponent(channel.arn)}`)).body.channel,
    );

    const jobId = await act(daemon, {
      action: { rotate_stream_key: { deliver: { secrets_manager: 'ivs/{{ channel.name }}/stream-key' } } },
      channelArn: channel.arn,
    });
    const job = await ended(daemon, jobId);

    expect(job).toMatchObject({ state: 'completed', name: 'rotate_stream_key', result: { outcome: 'done' } });
    expect(job.steps.map(({ step }: { step: string }) => step)).toEqual([
      'check_sink',
      'delete_stream_key',
      'create_stream_key',
      'deliver',
      'verify',
    ]);
    const secrets = new SecretsManagerClient({ ...client, endpoint: t.platform.simulator.url });
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: 'ivs/studio-a/stream-key' }));
    secrets.destroy();
    expect((await t.control.connect(channel.arn, { streamKey: SecretString! }))[0]?.accepted).toBe(true);
    const { body } = await eventually(async () => {
      const answer = await daemon.ask('GET', `/v1/audit?channelArn=${encodeURIComponent(channel.arn)}`);
      return answer.body.entries.length === 2 ? answer : undefined;
    });
    expect(body.entries).toMatchObject([
      {
        what: 'rotate_stream_key',
        outcome: 'done',
        who: 'loopback',
        before: { keyArns: [channel.streamKeyArn] },
      },
      { what: 'rotate_stream_key', outcome: 'requested', why: 'asked for by a test' },
    ]);
    const exported = await (await fetch(`${daemon.url}/v1/audit/export`)).text();
    expect(
      exported
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).outcome),
    ).toEqual(['done', 'requested']);
    expect((await daemon.ask('GET', '/v1/keys')).body.keys).toMatchObject([{ channelArn: channel.arn, ageDays: 0 }]);
  });

  test('a recording change on a live channel waits for the end of its stream, and can be cancelled', async () => {
    await using t = await setup();
    const [first, second] = await t.control.createChannels(2);
    const { recordingConfiguration } = await t.ivs.send(
      new CreateRecordingConfigurationCommand({
        name: 'prod-s3',
        destinationConfiguration: { s3: { bucketName: 'prod-recordings' } },
      }),
    );
    await t.control.goLive([first!.arn, second!.arn]);
    const daemon = await t.daemon();
    const action = { set_recording: { configuration: 'prod-s3' } };
    for (const { arn } of [first!, second!]) await ended(daemon, await act(daemon, { action, channelArn: arn }));

    const { body } = await daemon.ask('GET', '/v1/intents');
    expect(body.intents).toHaveLength(2);
    const taken = await daemon.ask('DELETE', `/v1/intents/set_recording/${encodeURIComponent(second!.arn)}`);
    expect(taken).toMatchObject({ status: 200, body: { summary: 'record with prod-s3' } });
    await t.control.end([first!.arn, second!.arn]);

    await eventually(async () => (await t.recordingOf(first!.arn)) === recordingConfiguration!.arn);
    expect(await t.recordingOf(second!.arn)).toBe('');
    await eventually(async () => (await daemon.ask('GET', '/v1/intents')).body.intents.length === 0);
  });

  test('what an own action changed is in the inventory once the action is done', async () => {
    await using t = await setup();
    const channel = await t.control.createChannel({ name: 'studio-a' });
    const { recordingConfiguration } = await t.ivs.send(
      new CreateRecordingConfigurationCommand({
        name: 'prod-s3',
        destinationConfiguration: { s3: { bucketName: 'prod-recordings' } },
      }),
    );
    const daemon = await t.daemon();
    const known = async () => (await daemon.ask('GET', '/v1/channels')).body.channels[0];
    expect(await eventually(known)).toMatchObject({ recordingConfigurationArn: '', tags: {} });

    for (const action of [{ set_recording: { configuration: 'prod-s3' } }, { tag: { set: { tier: 'gold' } } }]) {
      const job = await ended(daemon, await act(daemon, { action, channelArn: channel.arn }));
      expect(job).toMatchObject({ state: 'completed', result: { outcome: 'done' } });
    }

    expect(await known()).toMatchObject({
      recordingConfigurationArn: recordingConfiguration!.arn,
      tags: { tier: 'gold' },
    });
  });

  test('what is missing is named by its kind, and the remedy leads to what there is', async () => {
    await using t = await setup(
      'rules:\n  - {name: slate, trigger: {http: {name: a}}, actions: [{tag: {set: {a: b}}}]}\n',
    );
    const daemon = await t.daemon();
    const missing = async (method: string, path: string) => {
      const { status, body } = await daemon.ask(method, path);
      expect({ path, status, code: body.code }).toEqual({ path, status: 404, code: 'NOT_FOUND' });
      return `${body.title} ${body.remedy}`;
    };

    expect(await missing('GET', '/v1/nowhere')).toMatch(/^There is nothing at this address\. .*\/docs/);
    expect(await missing('GET', '/v1/jobs/none')).toMatch(/^There is no such job\. .*ivs-autopilot audit/);
    expect(await missing('GET', '/v1/metadata/batches/b-0123abcd')).toMatch(/^There is no such metadata batch\. .*GET/);
    expect(await missing('GET', '/v1/actions/bulk/none')).toMatch(/^There is no such bulk action\. .*GET/);
    expect(await missing('POST', '/v1/rules/slate/reset')).toMatch(
      /^The rule is not stopped\. .*has not stopped it\.$/,
    );
    expect(await missing('POST', '/v1/rules/slat/reset')).toMatch(/^There is no such rule\. .*GET \/v1\/rules/);
  });

  test('a rotation by tags starts jobs at a pace, can be followed, and stops on request', async () => {
    await using t = await setup();
    await t.control.createChannels(30, { tags: { tier: 'gold' }, namePrefix: 'gold-' });
    await t.control.createChannels(3, { tags: { tier: 'bronze' } });
    const daemon = await t.daemon();
    await eventually(async () => (await daemon.ask('GET', '/v1/streams')).body.counts.channels === 33);

    const capped = await daemon.ask('POST', '/v1/actions', {
      action: { stop_stream: {} },
      targets: { tags: { tier: ['gold'] } },
      maxChannels: 29,
      reason: 'too many',
    });
    expect(capped.body).toMatchObject({ status: 400, detail: expect.stringContaining('30 channels match') });
    const tried = await daemon.ask('POST', '/v1/actions', {
      action: { stop_stream: {} },
      targets: { tags: { tier: ['bronze'] } },
      reason: 'what would it do',
      dryRun: true,
    });
    expect(tried).toMatchObject({ status: 202, body: { channels: 3, dryRun: true } });
    const shown = await eventually(async () => {
      const { body } = await daemon.ask('GET', `/v1/actions/bulk/${tried.body.bulkId}`);
      return body.state === 'finished' ? body : undefined;
    });
    expect(shown).toMatchObject({ dryRun: true, outcomes: { skipped: 3 } });
    expect(shown.wouldDo).toHaveLength(3);
    const bulkId = await act(daemon, {
      action: { rotate_stream_key: { when: 'now', deliver: { file: join(t.directory, '{{ channel.id }}') } } },
      targets: { tags: { tier: ['gold'] } },
    });
    await t.control.waitForCall({ operation: 'CreateStreamKey' }, 60_000);
    const stopped = await daemon.ask('DELETE', `/v1/actions/bulk/${bulkId}`);

    expect(stopped.body).toMatchObject({ state: 'stopped', channels: 30 });
    const done = await eventually(async () => {
      const { body } = await daemon.ask('GET', `/v1/actions/bulk/${bulkId}`);
      return (body.outcomes.done ?? 0) === body.started ? body : undefined;
    });
    expect(done.started).toBeGreaterThan(0);
    expect(done.started).toBeLessThan(30);
    const created = await t.control.calls({ operation: 'CreateStreamKey', outcome: 'ok' });
    expect(created).toHaveLength(done.started);
    expect(await t.control.calls({ outcome: 'ThrottlingException' })).toEqual([]);
  });

  test('ad breaks run one after another as planned, one is cancelled before its turn, and a channel without ads is refused', async () => {
    await using t = await setup();
    const shows = await t.control.createChannels([1, 2, 3].map((n) => ({ name: `show-${n}`, ads: true })));
    const plain = await t.control.createChannel({ name: 'plain', containerFormat: 'FRAGMENTED_MP4' });
    const arns = shows.map(({ arn }) => arn);
    await t.control.goLive([...arns, plain.arn]);
    await eventually(async () => (await t.control.channels(arns)).every(({ phase }) => phase === 'live'));
    // Without workers everything waits for its turn.
    const api = await t.platform.daemon({ rules: 'rules: []\n', role: 'api', cold: true });
    const insert = (where: object, duration = '5m') =>
      api.ask('POST', '/v1/actions', { action: { insert_ad_break: { duration } }, reason: 'half-time', ...where });

    const refused = await insert({ channelArn: plain.arn });
    expect(refused).toMatchObject({ status: 409, body: { code: 'AD_BREAK_IMPOSSIBLE' } });
    expect(refused.body.detail).toContain('fragmented MP4');
    expect(await insert({ channelArn: arns[0] }, '301s')).toMatchObject({ status: 400 });
    const { body: accepted } = await insert({ targets: { channelArns: arns } });
    expect(accepted.plan).toMatchObject(arns.map((channelArn, behindSeconds) => ({ channelArn, behindSeconds })));
    const place = `/v1/ad-breaks/${encodeURIComponent(arns[1]!)}`;
    expect(await api.ask('DELETE', place)).toMatchObject({ status: 200, body: { state: 'cancelled' } });
    expect(await api.ask('DELETE', place)).toMatchObject({ status: 404 });
    const daemon = await t.daemon();

    const done = await eventually(async () => {
      const { body } = await daemon.ask('GET', `/v1/actions/bulk/${accepted.bulkId}`);
      return body.state === 'finished' ? body : undefined;
    });
    expect(done.outcomes).toEqual({ done: 2, skipped: 1 });
    const calls = await t.control.calls({ operation: 'InsertAdBreak' });
    expect(calls.map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
    expect(new Set(calls.map(({ channelArn }) => channelArn))).toEqual(new Set([arns[0], arns[2]]));
    const { body: line } = await daemon.ask('GET', '/v1/ad-breaks');
    expect(line.adBreaks.map(({ state }: { state: string }) => state)).toEqual(['inserted', 'cancelled', 'inserted']);
    // The event of the break has come through the queue.
    await eventually(async () => {
      const { body } = await daemon.ask('GET', `/v1/streams/${encodeURIComponent(arns[0]!)}`);
      return body.record?.adBreak?.id === line.adBreaks[0].adBreakId;
    });
  });

  test('the same idempotency key is the same job, and bad requests are named', async () => {
    await using t = await setup();
    const channel = await t.control.createChannel();
    const daemon = await t.daemon();
    const body = JSON.stringify({ action: { stop_stream: {} }, channelArn: channel.arn, reason: 'twice' });
    const send = async () => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'once' };
      return (await fetch(`${daemon.url}/v1/actions`, { method: 'POST', headers, body })).json();
    };

    expect(await send()).toEqual(await send());
    const refused = async (request: object) =>
      (await daemon.ask('POST', '/v1/actions', { reason: 'x', ...request })).body;
    expect(await refused({ action: { stop_streem: {} }, channelArn: channel.arn })).toMatchObject({
      code: 'REQUEST_INVALID',
      detail: expect.stringContaining('did you mean stop_stream'),
    });
    expect(await refused({ action: { stop_stream: {} } })).toMatchObject({ code: 'ACTION_NEEDS_CHANNEL' });
    expect(await refused({ action: { retire_channel: {} }, channelArn: channel.arn })).toMatchObject({
      code: 'REQUEST_INVALID',
    });
    const elsewhere = channel.arn.replace('us-west-2', 'eu-west-1');
    expect(await refused({ action: { stop_stream: {} }, channelArn: elsewhere })).toMatchObject({ code: 'NOT_FOUND' });
    expect((await daemon.ask('GET', '/v1/jobs/none')).status).toBe(404);
  });

  test('a channel created a moment ago is found in IVS; a nonexistent one is refused, and nothing is done or written', async () => {
    await using t = await setup();
    await t.control.createChannel();
    const daemon = await t.daemon();
    const fresh = await t.control.createChannel();

    const job = await ended(daemon, await act(daemon, { action: { stop_stream: {} }, channelArn: fresh.arn }));
    expect(job.result).toMatchObject({ outcome: 'already_done' });
    const nowhere = `${fresh.arn.slice(0, -12)}NoSuchChanel`;
    for (const [place, request] of [
      ['body.channelArn', { channelArn: nowhere }],
      ['body.targets.channelArns', { targets: { channelArns: [fresh.arn, nowhere] } }],
    ] as const) {
      const { status, body } = await daemon.ask('POST', '/v1/actions', {
        action: { stop_stream: {} },
        reason: 'a slip of the pen',
        ...request,
      });
      expect({ status, ...body }).toMatchObject({
        status: 422,
        code: 'CHANNEL_UNKNOWN',
        detail: expect.stringContaining(`${place}: ${nowhere}`),
      });
    }
    const { body: audited } = await daemon.ask('GET', '/v1/audit');
    expect(JSON.stringify(audited)).not.toContain('a slip of the pen');
  });
});

describe.concurrent('the operator’s commands', () => {
  test('show what they would do, do it, and report how it ended', async () => {
    await using t = await setup();
    const channel = await t.control.createChannel({ name: 'studio-a' });
    await t.control.goLive(channel.arn);
    const daemon = await t.daemon();
    const file = join(t.directory, 'key');
    const run = (...args: string[]) => commandLine(args, { env: { AUTOPILOT_URL: daemon.url } });

    const planned = await run('key', 'rotate', channel.arn, '--when', 'now', '--file', file, '--dry-run');
    expect(planned).toMatchObject({
      code: 0,
      text: expect.stringContaining(`DeleteStreamKey ${channel.streamKeyArn}`),
    });
    expect(await t.control.calls({ operation: 'DeleteStreamKey' })).toEqual([]);

    expect(await run('key', 'rotate', channel.arn, '--file', file)).toMatchObject({
      code: 0,
      text: 'deferred, live, until Stream End',
    });
    expect((await run('recording', 'pending')).text).toContain(`rotate the key, deliver to file ${file}`);
    const unknown = await run('recording', 'set', channel.arn, '--configuration', 'nowhere');
    expect(unknown).toMatchObject({ code: 1, text: expect.stringContaining('RECORDING_CONFIGURATION_UNKNOWN') });
    expect(await run('stream', 'stop', channel.arn, '--revoke-key', '--reason', 'key leaked')).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^done/),
    });
    // The deferred rotation gives the channel its new key when the stream has ended.
    await eventually(() => readFile(file, 'utf8').catch(() => undefined));
    await eventually(async () => (await run('key', 'age')).text.includes('studio-a'));
    expect((await run('key', 'rotate', channel.arn)).code).toBe(2);
    expect((await run('stream', 'stop')).code).toBe(2);
  });
});

const rotateAfterShow = `
rules:
  - name: rotate-key-after-show
    mode: enforce
    trigger: {event: {source: [aws.ivs], detail-type: [IVS Stream State Change], detail: {event_name: [Stream End]}}}
    while: {live: [false]}
    for: 500ms
    actions: [{rotate_stream_key: {deliver: {file: "$DIR/{{ channel.id }}"}}}]
    guards: {cooldown: 1h, max_per_hour: 200}
`;

describe.concurrent('decided by a rule', () => {
  test('the key is replaced after the show, and the audit names rule and decision', async () => {
    await using t = await setup(rotateAfterShow);
    const channel = await t.control.createChannel();
    const daemon = await t.daemon();
    await t.control.goLive(channel.arn);
    await eventually(async () => (await daemon.ask('GET', '/v1/streams')).body.counts.live === 1);

    await t.control.end(channel.arn);

    const file = join(t.directory, channel.arn.slice(channel.arn.lastIndexOf('/') + 1));
    const value = await eventually(() => readFile(file, 'utf8').catch(() => undefined));
    expect((await t.control.connect(channel.arn, { streamKey: value }))[0]?.accepted).toBe(true);
    const { body } = await eventually(async () => {
      const answer = await daemon.ask('GET', '/v1/audit?what=rotate_stream_key');
      return answer.body.entries.length > 0 ? answer : undefined;
    });
    expect(body.entries).toMatchObject([
      { who: 'rule rotate-key-after-show', outcome: 'done', why: expect.any(String) },
    ]);
  });
});

describe.concurrent('the canary', () => {
  test('no key value is in any log line, Redis key or value, job, metric, answer, page or error', async () => {
    await using t = await setup();
    const channels = await t.control.createChannels(4);
    const daemon = await t.daemon();
    const files = { url_file: join(t.directory, 'url'), hmac_key_file: join(t.directory, 'hmac') };
    await writeFile(files.url_file, 'http://127.0.0.1:9/none');
    await writeFile(files.hmac_key_file, 'a signing key, made for this test');
    const deliveries = [
      { file: join(t.directory, 'key') },
      { secrets_manager: 'canary' },
      { ssm_parameter: '/canary' },
      // Nobody listens there: the delivery of the value fails.
      { webhook: files },
    ];
    await t.control.goLive(channels[0]!.arn);
    // Lost answers and refusals cause errors on the way.
    await t.control.addFault({ operation: 'CreateStreamKey', reset: 'after-effect', nth: 2 });
    await t.control.addFault({ operation: 'GetStreamKey', error: 'InternalServerException', nth: 1 });
    const jobs = await Promise.all(
      deliveries.map((deliver, index) =>
        act(daemon, {
          action: { rotate_stream_key: { when: index === 0 ? 'now_and_stop' : 'now', deliver } },
          channelArn: channels[index]!.arn,
        }),
      ),
    );
    const pair = await act(daemon, {
      action: { rotate_playback_key_pair: { name: 'tokens', deliver: { file: join(t.directory, 'private') } } },
    });
    for (const jobId of [...jobs.slice(0, 3), pair])
      expect(await ended(daemon, jobId)).toMatchObject({ state: 'completed', result: { outcome: 'done' } });
    const undelivered = () => daemon.ask('GET', '/v1/alerts');
    await eventually(async () => (await undelivered()).body.alerts.length === 1);
    expect((await undelivered()).body.alerts).toMatchObject([{ kind: 'undelivered', channelArn: channels[3]!.arn }]);

    const secrets = await secretValues(t.platform, channels, join(t.directory, 'private'));
    expect(secrets.length).toBeGreaterThanOrEqual(9);
    const seen = await everythingSeen(t.platform, daemon, [...jobs, pair]);
    expect(seen.join('\n').length).toBeGreaterThan(10_000);
    for (const text of seen)
      for (const secret of secrets) expect(text.includes(secret), text.slice(0, 200)).toBe(false);
    // The search would find one.
    expect(seen.some((text) => text.includes(channels[0]!.arn))).toBe(true);
  });
});

/** Every value that must not appear: old and new stream keys, and each line of the private key. */
async function secretValues(
  platform: Broadcast,
  channels: readonly { arn: string; streamKey: string }[],
  privateKey: string,
) {
  const ivs = new IvsClient({ ...client, endpoint: platform.simulator.url, maxAttempts: 10 });
  const values = channels.map(({ streamKey }) => streamKey);
  for (const { arn } of channels) {
    const { streamKeys } = await ivs.send(new ListStreamKeysCommand({ channelArn: arn }));
    expect(streamKeys).toHaveLength(1);
    const { streamKey } = await ivs.send(new GetStreamKeyCommand({ arn: streamKeys![0]!.arn! }));
    values.push(streamKey!.value!);
  }
  ivs.destroy();
  const lines = (await readFile(privateKey, 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('-----'));
  return [...values, ...lines];
}

async function everythingSeen({ scope }: Broadcast, daemon: Daemon, jobs: readonly string[]): Promise<string[]> {
  const paths = [
    '/',
    '/metrics',
    '/v1/audit',
    '/v1/audit/export',
    '/v1/intents',
    '/v1/alerts',
    '/v1/keys',
    '/v1/deliveries',
    '/v1/streams',
    '/v1/quota',
    '/v1/actions/bulk',
  ];
  const answers = await Promise.all(
    [...paths, ...jobs.map((jobId) => `/v1/jobs/${jobId}`)].map(async (path) =>
      (await fetch(daemon.url + path)).text(),
    ),
  );
  return [...daemon.log, ...answers, ...(await redisTexts(scope.redis, scope.namespace))];
}

/** Every key of the namespace and its whole value. */
async function redisTexts(redis: Redis, namespace: string): Promise<string[]> {
  const texts: string[] = [];
  let cursor = '0';
  do {
    const [next, keys]: [string, string[]] = await redis.scan(cursor, 'MATCH', `*${namespace}*`, 'COUNT', 1_000);
    for (const key of keys) {
      // DUMP contains the value of every type; short strings in it are not compressed, long ones are read as well.
      const dump = await redis.dumpBuffer(key);
      texts.push(key, dump?.toString('latin1') ?? '', JSON.stringify(await readKey(redis, key)) ?? '');
    }
    cursor = next;
  } while (cursor !== '0');
  return texts;
}

async function readKey(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return undefined;
  }
}
