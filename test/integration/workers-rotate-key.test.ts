// Rotating stream keys through the real client, sinks and shared state, against the simulator.

import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, test } from 'vitest';
import type { JobRequest } from '#domain/job.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { startSimulator } from '#simulator/server.ts';
import { type ActionRig, actionRig, operatorJob } from '#test/support/action-rig.ts';
import { redisScope } from '#test/support/redis.ts';
import { intentsDue, intentsOf } from '#workers/intents.ts';
import { keyAges, sweepRotations } from '#workers/key-record.ts';

const aws = { region: 'us-west-2', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

async function setup(hook?: Parameters<typeof actionRig>[0]['hook']) {
  const resources = new AsyncDisposableStack();
  const simulator = resources.use(await startSimulator({ enforcement: 'off' }));
  const scope = resources.use(await redisScope());
  const directory = await mkdtemp(join(tmpdir(), 'rotate-'));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const rig = resources.use(
    await actionRig({
      simulatorUrl: simulator.url,
      redis: scope.redis,
      prefix: scope.prefix,
      ...(hook ? { hook } : {}),
    }),
  );
  const channel = await simulator.control.createChannel({ name: 'studio-a' });
  const file = join(directory, 'stream-key');
  return {
    simulator,
    control: simulator.control,
    rig,
    scope,
    directory,
    channel,
    file,
    /** Another process on the same Redis. */
    another: async (other?: Parameters<typeof actionRig>[0]['hook']): Promise<ActionRig> =>
      resources.use(
        await actionRig({
          simulatorUrl: simulator.url,
          redis: scope.connect(),
          prefix: scope.prefix,
          ...(other ? { hook: other } : {}),
        }),
      ),
    keysOf: (arn = channel.arn) => rig.ports.ivs.listStreamKeys(arn, { signal: AbortSignal.timeout(120_000) }),
    async valueNow(arn = channel.arn) {
      const [keyArn] = await this.keysOf(arn);
      return (await rig.ports.ivs.getStreamKey(keyArn!, { signal: AbortSignal.timeout(120_000) })).value.reveal();
    },
    accepts: async (streamKey: string) => (await simulator.control.connect(channel.arn, { streamKey }))[0]!.accepted,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const rotation = (channelArn: string, file: string, when?: 'now' | 'now_and_stop') =>
  operatorJob('rotate_stream_key', { deliver: { file }, ...(when ? { when } : {}) }, { channelArn });

describe('rotating a stream key', () => {
  test('the channel ends with one new key, its value is in the file, the old one is refused', async () => {
    await using t = await setup();

    const result = await t.rig.run('rotate-1', rotation(t.channel.arn, t.file));

    expect(result.outcome).toBe('done');
    const keys = await t.keysOf();
    expect(keys).toHaveLength(1);
    expect(keys).not.toContain(t.channel.streamKeyArn);
    expect(await readFile(t.file, 'utf8')).toBe(await t.valueNow());
    expect((await stat(t.file)).mode & 0o777).toBe(0o600);
    expect(await t.accepts(t.channel.streamKey)).toBe(false);
    expect(await t.accepts(await readFile(t.file, 'utf8'))).toBe(true);
    expect(keyAges(t.rig.state.view)).toMatchObject([{ channelArn: t.channel.arn, deliveredTo: `file ${t.file}` }]);
  });

  test('the same job again changes nothing', async () => {
    await using t = await setup();
    const job = rotation(t.channel.arn, t.file);
    await t.rig.run('rotate-1', job);
    const keys = await t.keysOf();

    const again = await t.rig.run('rotate-1', job);

    expect(again.outcome).toBe('already_done');
    expect(await t.keysOf()).toEqual(keys);
  });

  test('a live channel keeps its key until its stream ends', async () => {
    await using t = await setup();
    const [streamId] = await t.control.goLive(t.channel.arn);

    const result = await t.rig.run('rotate-1', rotation(t.channel.arn, t.file));
    expect(result).toMatchObject({ outcome: 'deferred', reason: 'live', streamId });
    expect(await t.keysOf()).toEqual([t.channel.streamKeyArn]);
    expect(intentsOf(t.rig.state.view)).toMatchObject([{ kind: 'rotate_stream_key', channelArn: t.channel.arn }]);

    await t.control.end(t.channel.arn);
    await waitOffline(t);
    await t.rig.state.transact((tx) => intentsDue(tx, ended(t.channel.arn, streamId!)));
    const [released] = jobsOf(t.rig);
    const later = await t.rig.run(released!.jobId, released!.payload as never);

    expect(later.outcome).toBe('done');
    expect(intentsOf(t.rig.state.view)).toEqual([]);
    expect(await readFile(t.file, 'utf8')).toBe(await t.valueNow());
  });

  test('now_and_stop ends the running stream, and the old key does not let it back in', async () => {
    await using t = await setup();
    const [streamId] = await t.control.goLive(t.channel.arn, { autoReconnect: true, reconnectMs: 50 });

    const result = await t.rig.run('rotate-1', rotation(t.channel.arn, t.file, 'now_and_stop'));

    expect(result.outcome).toBe('done');
    const stops = await t.control.calls({ operation: 'StopStream', outcome: 'ok' });
    expect(stops).toHaveLength(1);
    const order = (await t.control.calls()).map(({ operation }) => operation);
    expect(order.indexOf('DeleteStreamKey')).toBeLessThan(order.indexOf('StopStream'));
    await waitOffline(t);
    // Long enough for several reconnects of its encoder.
    await new Promise((done) => setTimeout(done, 300));
    const [now] = await t.control.channels(t.channel.arn);
    expect(['starting', 'live']).not.toContain(now?.phase);
    expect(now?.streamId ?? streamId).toBe(streamId);
  });

  test('another stream than the one it was decided for is not stopped', async () => {
    await using t = await setup();
    const [streamId] = await t.control.goLive(t.channel.arn);
    const job = { ...rotation(t.channel.arn, t.file, 'now_and_stop'), streamId: `${streamId}X` };

    const result = await t.rig.run('rotate-1', job);

    expect(result).toMatchObject({ outcome: 'skipped', reason: 'another_session_live', live: streamId });
    expect(await t.keysOf()).toEqual([t.channel.streamKeyArn]);
  });

  test('only_if is read fresh from IVS before anything is changed', async () => {
    await using t = await setup();
    await t.control.goLive(t.channel.arn);
    const job = { ...rotation(t.channel.arn, t.file, 'now'), onlyIf: { health: ['STARVING'] } };

    expect(await t.rig.run('rotate-1', job)).toMatchObject({ outcome: 'skipped', reason: 'only_if_false' });
    expect(await t.keysOf()).toEqual([t.channel.streamKeyArn]);
  });

  test('a dry run shows the calls and makes none', async () => {
    await using t = await setup();
    await t.control.goLive(t.channel.arn);

    const result = await t.rig.run('rotate-1', { ...rotation(t.channel.arn, t.file, 'now_and_stop'), dryRun: true });

    expect(result.calls).toEqual([
      `DeleteStreamKey ${t.channel.streamKeyArn}`,
      `CreateStreamKey ${t.channel.arn}`,
      `deliver to file ${t.file}`,
      `StopStream ${t.channel.arn}`,
      `ListStreamKeys ${t.channel.arn}`,
    ]);
    const names = new Set((await t.control.calls()).map(({ operation }) => operation));
    expect([...names].toSorted()).toEqual(['GetStream', 'ListStreamKeys']);
  });

  test('a deleted channel is not an error', async () => {
    await using t = await setup();
    const gone = `${t.channel.arn}X`;

    expect(await t.rig.run('rotate-1', rotation(gone, t.file))).toMatchObject({
      outcome: 'skipped',
      reason: 'channel_gone',
    });
  });

  test('a file that no delivery has made is not overwritten', async () => {
    await using t = await setup();
    await writeFile(t.file, 'something else', { mode: 0o644 });

    const run = t.rig.run('rotate-1', rotation(t.channel.arn, t.file));

    await expect(run).rejects.toMatchObject({ code: 'SECRET_SINK_REFUSED' });
    expect(await readFile(t.file, 'utf8')).toBe('something else');
    expect(await t.keysOf()).toEqual([t.channel.streamKeyArn]);
  });

  test('nothing is deleted if the destination is known to be bad', async () => {
    await using t = await setup();

    const run = t.rig.run('rotate-1', rotation(t.channel.arn, join(t.directory, 'missing', 'key')));

    await expect(run).rejects.toMatchObject({ code: 'SECRET_SINK_FAILED' });
    expect(await t.keysOf()).toEqual([t.channel.streamKeyArn]);
    expect(t.rig.state.view.count(kinds.alert)).toBe(0);
  });
});

describe('a rotation that is disturbed', () => {
  test('a channel that gets no new key is an alert until it has one', async () => {
    await using t = await setup();
    await t.control.addFault({ operation: 'CreateStreamKey', error: 'AccessDeniedException' });
    const job = rotation(t.channel.arn, t.file);

    await expect(t.rig.run('rotate-1', job)).rejects.toMatchObject({ code: 'IVS_ACCESS_DENIED' });
    expect(await t.keysOf()).toEqual([]);
    const alert = t.rig.state.view.get(kinds.alert.of('keyless', t.channel.arn));
    expect(alert?.text).toContain('no stream key');

    await t.control.clearFaults();
    await t.rig.state.transact((tx) => {
      // Two minutes later.
      const record = tx.get(kinds.key.of(t.channel.arn))!;
      tx.set(kinds.key.of(t.channel.arn), { ...record, updatedAtMs: record.updatedAtMs - 121_000 });
    });
    await t.rig.state.transact(sweepRotations);
    const [repair] = jobsOf(t.rig);
    const result = await t.rig.run(repair!.jobId, repair!.payload as never);

    expect(result.outcome).toBe('done');
    expect(t.rig.state.view.count(kinds.alert)).toBe(0);
    expect(await readFile(t.file, 'utf8')).toBe(await t.valueNow());
  });

  test('a value that cannot be delivered is an alert until it is delivered', async () => {
    const broken = { now: true };
    await using t = await setup((name, call) => {
      if (name === 'sink.deliver' && broken.now) throw Object.assign(new Error('disk full'), {});
      return call();
    });
    const job = rotation(t.channel.arn, t.file);

    await expect(t.rig.run('rotate-1', job)).rejects.toThrow('disk full');
    expect(t.rig.state.view.get(kinds.alert.of('undelivered', t.channel.arn))).toBeDefined();
    const keys = await t.keysOf();

    broken.now = false;
    expect((await t.rig.settle('rotate-1', job)).outcome).toBe('done');
    expect(await t.keysOf()).toEqual(keys);
    expect(t.rig.state.view.count(kinds.alert)).toBe(0);
    expect(await readFile(t.file, 'utf8')).toBe(await t.valueNow());
  });

  test('a key that somebody else creates in between is the one that is delivered', async () => {
    const control: { channelArn?: string; make?: () => Promise<unknown> } = {};
    await using t = await setup(async (name, call) => {
      if (name === 'ivs.createStreamKey' && control.make) {
        const make = control.make;
        delete control.make;
        await make();
      }
      return call();
    });
    const human = await t.another();
    control.make = () => human.ports.ivs.createStreamKey(t.channel.arn, { signal: AbortSignal.timeout(120_000) });

    const result = await t.rig.run('rotate-1', rotation(t.channel.arn, t.file));

    expect(result.outcome).toBe('done');
    expect(await t.keysOf()).toEqual([result['keyArn']]);
    expect(await readFile(t.file, 'utf8')).toBe(await t.valueNow());
  });

  test('a key that somebody replaces right after the delivery is delivered again', async () => {
    const between: { act?: () => Promise<void> } = {};
    await using t = await setup(async (name, call) => {
      const answer = await call();
      if (name === 'sink.deliver' && between.act) {
        const act = between.act;
        delete between.act;
        await act();
      }
      return answer;
    });
    const human = await t.another();
    const options = { signal: AbortSignal.timeout(120_000) };
    between.act = async () => {
      const [arn] = await human.ports.ivs.listStreamKeys(t.channel.arn, options);
      await human.ports.ivs.deleteStreamKey(arn!, options);
      await human.ports.ivs.createStreamKey(t.channel.arn, options);
    };

    expect((await t.rig.run('rotate-1', rotation(t.channel.arn, t.file))).outcome).toBe('done');
    expect(await t.keysOf()).toHaveLength(1);
    expect(await readFile(t.file, 'utf8')).toBe(await t.valueNow());
  });

  test('throttling, server errors and lost answers are handled within the run', async () => {
    await using t = await setup();
    await t.control.addFault({ operation: 'DeleteStreamKey', reset: 'after-effect', times: 1 });
    await t.control.addFault({ operation: 'CreateStreamKey', reset: 'after-effect', times: 1 });
    await t.control.addFault({ operation: 'GetStreamKey', error: 'ThrottlingException', times: 1 });
    await t.control.addFault({ operation: 'ListStreamKeys', error: 'InternalServerException', nth: 2 });

    const result = await t.rig.settle('rotate-1', rotation(t.channel.arn, t.file));

    expect(result.outcome).toBe('done');
    expect(await t.keysOf()).toHaveLength(1);
    expect(await readFile(t.file, 'utf8')).toBe(await t.valueNow());
  });
});

describe('two rotations of one channel', () => {
  test('run one after the other, and a request older than the key is only delivered', async () => {
    await using t = await setup();
    const other = await t.another();
    const otherFile = join(t.directory, 'other');
    const first = rotation(t.channel.arn, t.file);
    const second = { ...rotation(t.channel.arn, otherFile), decidedAtMs: first.decidedAtMs - 1 };

    const [one, two] = await Promise.all([t.rig.settle('rotate-1', first), other.settle('rotate-2', second)]);

    expect([one.outcome, two.outcome]).toEqual(['done', 'done']);
    expect(await t.keysOf()).toHaveLength(1);
    const value = await t.valueNow();
    const delivered = [await readFile(t.file, 'utf8'), await readFile(otherFile, 'utf8')];
    expect(delivered).toContain(value);
    // The second one saw a key that is newer than its request, or created the newer one itself.
    const last = one['keyArn'] === two['keyArn'] ? delivered : delivered.filter((each) => each === value);
    expect(last.every((each) => each === value)).toBe(true);
  });

  test('together with a stop and an encoder that reconnects, the result is one delivered key', async () => {
    await using t = await setup();
    await t.control.goLive(t.channel.arn, { autoReconnect: true, reconnectMs: 5 });
    const other = await t.another();

    const [rotated] = await Promise.all([
      t.rig.settle('rotate-1', rotation(t.channel.arn, t.file, 'now_and_stop')),
      other.settle('stop-1', operatorJob('stop_stream', {}, { channelArn: t.channel.arn })),
      other.settle('stop-2', operatorJob('stop_stream', {}, { channelArn: t.channel.arn })),
    ]);

    expect(rotated.outcome).toBe('done');
    expect(await t.keysOf()).toHaveLength(1);
    expect(await readFile(t.file, 'utf8')).toBe(await t.valueNow());
    await waitOffline(t);
    expect(await t.accepts(t.channel.streamKey)).toBe(false);
  });

  test('a run that was suspended for longer than its lease ends with the current key delivered', async () => {
    const paused = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    let first = true;
    await using t = await setup(async (name, call) => {
      if (name === 'sink.deliver' && first) {
        first = false;
        reached.resolve();
        await paused.promise;
      }
      return call();
    });
    const other = await t.another();
    const slow = rotation(t.channel.arn, t.file);
    const slowRun = t.rig.settle('rotate-slow', slow);
    await reached.promise;
    // The lease lapses while the process sleeps.
    await other.state.refresh();
    await other.state.transact((tx) => {
      tx.set(kinds.lease.of(t.channel.arn), { ...tx.get(kinds.lease.of(t.channel.arn))!, untilMs: 0 });
    });
    await other.settle('rotate-quick', rotation(t.channel.arn, t.file));
    paused.resolve();
    await slowRun;

    expect(await t.keysOf()).toHaveLength(1);
    expect(await readFile(t.file, 'utf8')).toBe(await t.valueNow());
  });
});

describe('where a key is delivered', () => {
  test('Secrets Manager gets a new current version; the first delivery creates the secret', async () => {
    await using t = await setup();
    const client = new SecretsManagerClient({ ...aws, endpoint: t.simulator.url });
    const deliver = { secrets_manager: 'ivs/studio-a/stream-key' };
    const read = () => client.send(new GetSecretValueCommand({ SecretId: deliver.secrets_manager }));

    await t.rig.run('rotate-1', operatorJob('rotate_stream_key', { deliver }, { channelArn: t.channel.arn }));
    const firstVersion = await read();
    await t.rig.run('rotate-2', operatorJob('rotate_stream_key', { deliver }, { channelArn: t.channel.arn }));

    const second = await read();
    expect(second.SecretString).toBe(await t.valueNow());
    expect(second.VersionId).not.toBe(firstVersion.VersionId);
    client.destroy();
  });

  test('Parameter Store gets a SecureString', async () => {
    await using t = await setup();
    const client = new SSMClient({ ...aws, endpoint: t.simulator.url });
    const deliver = { ssm_parameter: '/ivs/studio-a/stream-key' };

    await t.rig.run('rotate-1', operatorJob('rotate_stream_key', { deliver }, { channelArn: t.channel.arn }));

    const { Parameter } = await client.send(
      new GetParameterCommand({ Name: deliver.ssm_parameter, WithDecryption: true }),
    );
    expect(Parameter).toMatchObject({ Type: 'SecureString', Value: await t.valueNow() });
    client.destroy();
  });

  test('a webhook gets it signed', async () => {
    await using t = await setup();
    const received: { body: string; headers: NodeJS.Dict<string | string[]> }[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ body: Buffer.concat(chunks).toString(), headers: request.headers });
        response.end('ok');
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const files = { url_file: join(t.directory, 'url'), hmac_key_file: join(t.directory, 'hmac') };
    await writeFile(files.url_file, `http://127.0.0.1:${port}/hook\n`);
    await writeFile(files.hmac_key_file, 'not a real key, made for this test\n');

    await t.rig.run(
      'rotate-1',
      operatorJob('rotate_stream_key', { deliver: { webhook: files } }, { channelArn: t.channel.arn }),
    );
    server.close();

    const [message] = received;
    expect(JSON.parse(message!.body)).toMatchObject({
      type: 'stream_key',
      channelArn: t.channel.arn,
      value: await t.valueNow(),
    });
    const timestamp = String(message!.headers['x-autopilot-timestamp']);
    const expected = createHmac('sha256', 'not a real key, made for this test')
      .update(`${timestamp}.${message!.body}`)
      .digest('hex');
    expect(message!.headers['x-autopilot-signature']).toBe(`v1=${expected}`);
  });
});

function jobsOf(rig: ActionRig): JobRequest[] {
  return [...rig.state.view.entries(kinds.job)].map(([, job]) => job);
}

async function waitOffline(t: {
  control: Awaited<ReturnType<typeof startSimulator>>['control'];
  channel: { arn: string };
}) {
  for (let left = 300; left > 0; left -= 1) {
    const [state] = await t.control.channels(t.channel.arn);
    if (state?.phase !== 'live' && state?.phase !== 'starting') return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error('the stream does not end');
}

function ended(channelArn: string, streamId: string): StreamChange {
  const after = { channelArn, streamId, state: 'ended' } as unknown as StreamRecord;
  return { kind: 'stream', channelArn, before: undefined, after, atMs: Date.now() } as unknown as StreamChange;
}
