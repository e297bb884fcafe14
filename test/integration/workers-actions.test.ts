// The other actions through the real client and shared state, against the simulator: recording, stops, tags, sessions, retirements.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateRecordingConfigurationCommand, GetChannelCommand, IvsClient } from '@aws-sdk/client-ivs';
import { describe, expect, test } from 'vitest';
import type { ActionName } from '#domain/action.ts';
import { kinds, logs, notes, pauses } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { hold } from '#rules/controls.ts';
import { startSimulator } from '#simulator/server.ts';
import { actionRig, operatorJob } from '#test/support/action-rig.ts';
import { at } from '#test/support/plain-keys.ts';
import { eventually } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';
import { cancelIntent, intentsDue, intentsOf, sweepIntents } from '#workers/intents.ts';

async function setup(switches: { updateLiveChannel?: 'conflict' | 'next-stream' } = {}) {
  const resources = new AsyncDisposableStack();
  const timings = {
    sessionToStartMs: 0,
    sessionEndToStreamEndMs: 20,
    recordingConfigurationMs: 0,
    encoderReconnectMs: 150,
  };
  const simulator = resources.use(await startSimulator({ enforcement: 'off', timings, switches }));
  const scope = resources.use(await redisScope());
  const directory = await mkdtemp(join(tmpdir(), 'actions-'));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const rig = resources.use(await actionRig({ simulatorUrl: simulator.url, redis: scope.redis, prefix: scope.prefix }));
  const aws = new IvsClient({
    endpoint: simulator.url,
    region: 'us-west-2',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  resources.defer(() => aws.destroy());
  const channel = await simulator.control.createChannel({ name: 'studio-a', tags: { tier: 'gold' } });
  const configuration = async (name: string, bucketName: string) => {
    const destinationConfiguration = { s3: { bucketName } };
    const { recordingConfiguration } = await aws.send(
      new CreateRecordingConfigurationCommand({ name, destinationConfiguration }),
    );
    return recordingConfiguration!.arn!;
  };
  return {
    simulator,
    control: simulator.control,
    rig,
    channel,
    directory,
    /** The state's keys go; the queues' stay. */
    loseState: async () => {
      const names = ['state', 'state-head', 'state-log'].map((name) => `${scope.prefix}:${name}`);
      await scope.redis.del(...names);
    },
    configuration,
    recordingNow: async () =>
      (await aws.send(new GetChannelCommand({ arn: channel.arn }))).channel?.recordingConfigurationArn,
    live: (setup: { autoReconnect?: boolean; reconnectMs?: number } = {}) =>
      simulator.control.goLive(channel.arn, setup).then(async ([streamId]) => {
        await eventually(async () => (await simulator.control.channels(channel.arn))[0]?.phase === 'live');
        return streamId!;
      }),
    end: async () => {
      await simulator.control.end(channel.arn);
      // Not only `ending`: until it has ended, the channel refuses changes like a live one.
      await eventually(
        async () => !['live', 'ending'].includes((await simulator.control.channels(channel.arn))[0]?.phase ?? ''),
      );
    },
    phase: async () => (await simulator.control.channels(channel.arn))[0]?.phase,
    jobs: () => [...rig.state.view.entries(kinds.job)].map(([, job]) => job),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

type Toggle = { configuration: string; if_live?: 'defer' | 'skip' | 'fail' | 'restart' };
const recording = (channelArn: string, params: Toggle, decidedAtMs = Date.now()) =>
  operatorJob('set_recording', params, { channelArn, decidedAtMs });

function ended(channelArn: string, streamId: string): StreamChange {
  const after = { channelArn, streamId, state: 'ended' } as unknown as StreamRecord;
  return { kind: 'stream', channelArn, before: undefined, after, atMs: Date.now() } as unknown as StreamChange;
}

describe('setting the recording of a channel', () => {
  test('finds a configuration by name, bucket or ARN, and says if it is set already', async () => {
    await using t = await setup();
    const arn = await t.configuration('prod-s3', 'prod-recordings');

    const on = await t.rig.run('on', recording(t.channel.arn, { configuration: 'prod-s3' }));
    expect(on).toMatchObject({
      outcome: 'done',
      before: { recordingConfigurationArn: '' },
      after: { recordingConfigurationArn: arn },
    });
    expect(await t.recordingNow()).toBe(arn);

    expect((await t.rig.run('again', recording(t.channel.arn, { configuration: 'prod-recordings' }))).outcome).toBe(
      'already_done',
    );
    expect((await t.rig.run('arn', recording(t.channel.arn, { configuration: arn }))).outcome).toBe('already_done');

    expect((await t.rig.run('off', recording(t.channel.arn, { configuration: 'none' }))).outcome).toBe('done');
    expect(await t.recordingNow()).toBe('');
  });

  test('names what is wrong with a configuration', async () => {
    await using t = await setup();
    await t.control.setBuckets({ 'bucket-in-europe': { region: 'eu-west-1' } });
    await t.configuration('elsewhere', 'bucket-in-europe');
    await t.configuration('twice', 'bucket-one');
    await t.configuration('twice', 'bucket-two');
    const set = (configuration: string) =>
      t.rig.settle(`set-${configuration}`, recording(t.channel.arn, { configuration }));

    await expect(set('elsewhere')).rejects.toMatchObject({
      code: 'RECORDING_CONFIGURATION_FAILED',
      message: expect.stringMatching(/bucket-in-europe must exist, in us-west-2/),
    });
    await expect(set('twice')).rejects.toMatchObject({ code: 'RECORDING_CONFIGURATION_AMBIGUOUS' });
    await expect(set('prod')).rejects.toMatchObject({
      code: 'RECORDING_CONFIGURATION_UNKNOWN',
      message: expect.stringContaining('bucket-one'),
    });
  });

  test('on a live channel it waits, is listed, can be cancelled, and on, off, on is on', async () => {
    await using t = await setup();
    const arn = await t.configuration('prod-s3', 'prod-recordings');
    await t.live();
    const now = Date.now();

    expect(await t.rig.run('1', recording(t.channel.arn, { configuration: 'prod-s3' }, now))).toMatchObject({
      outcome: 'deferred',
    });
    expect(intentsOf(t.rig.state.view)).toMatchObject([{ summary: 'record with prod-s3', replaced: 0 }]);
    expect(await t.rig.run('2', recording(t.channel.arn, { configuration: 'none' }, now + 1))).toMatchObject({
      outcome: 'already_done',
    });
    expect(intentsOf(t.rig.state.view)).toEqual([]);
    await t.rig.run('3', recording(t.channel.arn, { configuration: 'prod-s3' }, now + 2));
    // A job that comes late from the queue does not undo a newer one.
    expect(await t.rig.run('2', recording(t.channel.arn, { configuration: 'none' }, now + 1))).toMatchObject({
      reason: 'superseded',
    });
    expect(await t.recordingNow()).toBe('');

    await t.rig.state.transact((tx) => cancelIntent(tx, 'set_recording', t.channel.arn));
    expect(intentsOf(t.rig.state.view)).toEqual([]);
    await t.rig.run('4', recording(t.channel.arn, { configuration: 'prod-s3' }, now + 3));
    await t.end();
    await t.rig.state.transact((tx) => intentsDue(tx, ended(t.channel.arn, 'st-1')));
    await t.rig.state.transact((tx) => intentsDue(tx, ended(t.channel.arn, 'st-1')));
    const [job, ...more] = t.jobs();
    expect(more).toEqual([]);
    expect((await t.rig.run(job!.jobId, job!.payload as never)).outcome).toBe('done');
    expect(await t.recordingNow()).toBe(arn);
    expect(intentsOf(t.rig.state.view)).toEqual([]);
  });

  test('an intent that was cancelled after its release does nothing', async () => {
    await using t = await setup();
    await t.configuration('prod-s3', 'prod-recordings');
    await t.live();
    await t.rig.run('1', recording(t.channel.arn, { configuration: 'prod-s3' }));
    await t.end();
    await t.rig.state.transact((tx) => intentsDue(tx, ended(t.channel.arn, 'st-1')));
    await t.rig.state.transact((tx) => cancelIntent(tx, 'set_recording', t.channel.arn));

    const [job] = t.jobs();
    expect(await t.rig.run(job!.jobId, job!.payload as never)).toMatchObject({ reason: 'intent_cancelled' });
    expect(await t.recordingNow()).toBe('');
  });

  test('an intent whose end nobody noticed is released by the sweep', async () => {
    await using t = await setup();
    const arn = await t.configuration('prod-s3', 'prod-recordings');
    await t.live();
    await t.rig.run('1', recording(t.channel.arn, { configuration: 'prod-s3' }));
    await t.end();
    await t.rig.state.transact(sweepIntents);
    expect(t.jobs()).toEqual([]);

    await t.rig.state.transact((tx) => {
      const [id, intent] = [...tx.entries(kinds.intent)][0]!;
      tx.set(kinds.intent.of(id), { ...intent, sinceMs: intent.sinceMs - 5_001 });
    });
    await t.rig.state.transact(sweepIntents);
    const [job] = t.jobs();
    await t.rig.run(job!.jobId, job!.payload as never);

    expect(await t.recordingNow()).toBe(arn);
  });

  test('a channel that goes live between the read and the change counts as live', async () => {
    await using t = await setup();
    await t.configuration('prod-s3', 'prod-recordings');
    const streamId = await t.live();
    // The first read says offline although it is not.
    await t.control.addFault({ operation: 'GetStream', error: 'ChannelNotBroadcasting', status: 404, times: 1 });

    const result = await t.rig.run('1', recording(t.channel.arn, { configuration: 'prod-s3' }));

    expect(result).toMatchObject({ outcome: 'deferred', streamId });
  });

  test('skip and fail do as they say', async () => {
    await using t = await setup();
    await t.configuration('prod-s3', 'prod-recordings');
    await t.live();

    expect(await t.rig.run('1', recording(t.channel.arn, { configuration: 'prod-s3', if_live: 'skip' }))).toMatchObject(
      {
        outcome: 'skipped',
        reason: 'live',
      },
    );
    await expect(
      t.rig.run('2', recording(t.channel.arn, { configuration: 'prod-s3', if_live: 'fail' })),
    ).rejects.toMatchObject({
      code: 'CHANNEL_LIVE',
    });
    expect(intentsOf(t.rig.state.view)).toEqual([]);
  });

  test.each(['conflict', 'next-stream'] as const)(
    'restart makes the encoder come back with recording on, if AWS answers a live update with %s',
    async (updateLiveChannel) => {
      await using t = await setup({ updateLiveChannel });
      const arn = await t.configuration('prod-s3', 'prod-recordings');
      const before = await t.live({ autoReconnect: true, reconnectMs: 1_500 });

      const result = await t.rig.run('1', recording(t.channel.arn, { configuration: 'prod-s3', if_live: 'restart' }));

      expect(result.outcome).toBe('done');
      expect(await t.recordingNow()).toBe(arn);
      await eventually(async () => (await t.phase()) === 'live');
      const session = await t.rig.ports.ivs.getStreamSession(t.channel.arn, undefined, {
        signal: AbortSignal.timeout(120_000),
      });
      expect(session.streamId).not.toBe(before);
      expect(session.recordingConfigurationArn).toBe(arn);
      expect(await t.control.calls({ operation: 'StopStream' })).toHaveLength(1);

      const again = await t.rig.run('2', recording(t.channel.arn, { configuration: 'prod-s3', if_live: 'restart' }));
      expect(again.outcome).toBe('done');
      expect(await t.control.calls({ operation: 'StopStream' })).toHaveLength(1);
    },
  );

  test('an encoder that always returns too soon leaves the change waiting for the end', async () => {
    await using t = await setup();
    await t.configuration('prod-s3', 'prod-recordings');
    await t.control.addFault({ operation: 'UpdateChannel', error: 'ConflictException', status: 409 });
    await t.live({ autoReconnect: true, reconnectMs: 30 });

    const result = await t.rig.run('1', recording(t.channel.arn, { configuration: 'prod-s3', if_live: 'restart' }));

    expect(result).toMatchObject({ outcome: 'deferred', reason: 'encoder_reconnects_too_fast' });
    expect(intentsOf(t.rig.state.view)).toHaveLength(1);
  });
});

describe('stopping a stream', () => {
  test('stops the stream it was decided for, and only that one', async () => {
    await using t = await setup();
    const streamId = await t.live();

    const wrong = await t.rig.run(
      '1',
      operatorJob('stop_stream', {}, { channelArn: t.channel.arn, streamId: 'st-other' }),
    );
    expect(wrong).toMatchObject({ outcome: 'skipped', reason: 'another_session_live' });
    expect(await t.rig.run('2', operatorJob('stop_stream', {}, { channelArn: t.channel.arn, streamId }))).toMatchObject(
      { outcome: 'done' },
    );
    await eventually(async () => (await t.phase()) !== 'live');
    expect(await t.rig.run('2', operatorJob('stop_stream', {}, { channelArn: t.channel.arn, streamId }))).toMatchObject(
      {
        outcome: 'already_done',
      },
    );
  });

  test('with revoke_key the encoder does not come back', async () => {
    await using t = await setup();
    const streamId = await t.live({ autoReconnect: true, reconnectMs: 20 });

    const result = await t.rig.run(
      '1',
      operatorJob('stop_stream', { revoke_key: true }, { channelArn: t.channel.arn, streamId }),
    );

    expect(result).toMatchObject({ outcome: 'done', revokedKeyArns: [t.channel.streamKeyArn] });
    const calls = (await t.control.calls()).map(({ operation }) => operation);
    expect(calls.indexOf('DeleteStreamKey')).toBeLessThan(calls.indexOf('StopStream'));
    await new Promise((done) => setTimeout(done, 200));
    expect(['live', 'starting']).not.toContain(await t.phase());
  });
});

describe('automation during a hold', () => {
  test('leaves a held channel alone, including what it had deferred; an operator is obeyed', async () => {
    await using t = await setup();
    await t.configuration('prod-s3', 'prod-recordings');
    await t.live();
    const byRule = {
      ...recording(t.channel.arn, { configuration: 'prod-s3' }),
      cause: { kind: 'rule' as const, rule: 'record-prime-time', decisionId: 'd-1' },
    };
    await t.rig.run('1', byRule);
    await t.rig.state.transact((tx) => tx.set(kinds.hold.of(t.channel.arn), { who: 'x', reason: 'y', sinceMs: 0 }));
    await t.end();
    await t.rig.state.transact((tx) => intentsDue(tx, ended(t.channel.arn, 'st-1')));

    const [job] = t.jobs();
    expect(await t.rig.run(job!.jobId, job!.payload as never)).toMatchObject({ outcome: 'skipped', reason: 'held' });
    expect(intentsOf(t.rig.state.view)).toHaveLength(1);
    expect(await t.recordingNow()).toBe('');
    await t.rig.state.transact((tx) => tx.set(pauses.asked, { who: 'x', reason: 'y', sinceMs: 0 }));
    expect(await t.rig.run('2', { ...byRule, decidedAtMs: Date.now() })).toMatchObject({ reason: 'paused' });
    expect((await t.rig.run('3', recording(t.channel.arn, { configuration: 'prod-s3' }))).outcome).toBe('done');
  });
});

describe('a job of a rule that is in its queue while the state is lost', () => {
  const params: { readonly [N in ActionName]?: unknown } = {
    put_metadata: { payload: { slate: true } },
    rotate_stream_key: { deliver: { file: '/nowhere' } },
    set_recording: { configuration: 'none' },
    stop_stream: {},
    webhook: { url: 'http://127.0.0.1:9/' },
    emit_event: { detail_type: 'Slate', detail: {} },
    tag: { set: { tier: 'silver' } },
    retire_channel: { confirm: true },
  };
  test.each(Object.entries(params) as [ActionName, never][])('%s is skipped', async (action, given) => {
    await using t = await setup();
    await t.live();
    await t.rig.state.transact((tx) => hold(tx, { who: 'x', reason: 'y', channelArn: t.channel.arn }));
    await t.rig.state.transact((tx) => tx.set(at('meta/x'), 1));
    const before = (await t.control.calls()).length;
    await t.loseState();

    const result = await t.rig.run('1', {
      ...operatorJob(action, given, { channelArn: t.channel.arn }),
      cause: { kind: 'rule', rule: 'slate', decisionId: 'd-1' },
    } as never);

    // Urgent metadata uses the copy of a moment ago, which has the hold.
    const reason = action === 'put_metadata' ? 'held' : 'paused';
    expect(result).toMatchObject({ outcome: 'skipped', reason });
    const calls = (await t.control.calls()).slice(before).map(({ operation }) => operation);
    expect(calls.filter((operation) => !/^(?:Get|List)/.test(operation))).toEqual([]);
    expect(t.rig.state.view.get(kinds.hold.of(t.channel.arn))).toMatchObject({ reason: 'y' });
  });
});

describe('a job of a rule right after a repair of the state', () => {
  test('waits until every replica has reported, and runs then', async () => {
    await using t = await setup();
    await t.rig.state.transact((tx) => tx.set(notes.lineage, { former: [], repairedAtMs: tx.nowMs - 1_700 }));
    const job = {
      ...operatorJob('tag', { set: { tier: 'silver' } }, { channelArn: t.channel.arn }),
      cause: { kind: 'rule' as const, rule: 'slate', decisionId: 'd-1' },
    };

    await expect(t.rig.run('1', job)).rejects.toMatchObject({
      code: 'STATE_LOST',
      disposition: { kind: 'retry-after' },
    });
    expect(await t.rig.settle('1', job)).toMatchObject({ outcome: 'done' });
  });
});

describe('runbooks', () => {
  test('tags are set and removed, and left unchanged if already right', async () => {
    await using t = await setup();
    const job = operatorJob(
      'tag',
      { set: { tier: 'silver', show: 'quiz' }, remove: ['absent'] },
      { channelArn: t.channel.arn },
    );

    expect(await t.rig.run('1', job)).toMatchObject({
      outcome: 'done',
      after: { tags: { tier: 'silver', show: 'quiz' } },
    });
    expect(await t.rig.run('2', job)).toMatchObject({ outcome: 'already_done' });
    const removal = operatorJob('tag', { remove: ['tier'] }, { channelArn: t.channel.arn });
    expect(await t.rig.run('3', removal)).toMatchObject({ after: { tags: { show: 'quiz' } } });
  });

  test('a captured session says what is wrong with the encoder', async () => {
    await using t = await setup();
    const basic = await t.control.createChannel({ name: 'small', type: 'BASIC' });
    const media = { width: 1920, height: 1080, framerate: 30, videoBitrate: 6_000_000 };
    const [streamId] = await t.control.goLive(basic.arn, { media });

    const result = await t.rig.settle(
      '1',
      operatorJob('capture_session', { notify: 'noc' }, { channelArn: basic.arn, streamId }),
    );

    expect(result['hints']).toEqual([expect.stringMatching(/^1080p at 6(\.\d)? Mbps on a BASIC channel/)]);
    expect(t.jobs()).toMatchObject([{ name: 'notify', payload: { params: { receiver: 'noc' } } }]);
    expect(await t.rig.state.readLog(logs.captures, { limit: 5 })).toHaveLength(1);
  });

  test('a recording configuration is removed from its channels and deleted; live ones are waited for', async () => {
    await using t = await setup();
    const arn = await t.configuration('old', 'old-recordings');
    await t.rig.run('on', recording(t.channel.arn, { configuration: 'old' }));
    const other = await t.control.createChannel({ name: 'other', recordingConfigurationArn: arn });
    await t.live();
    const job = operatorJob('retire_recording_configuration', { configuration: 'old' });

    expect(await t.rig.run('1', job)).toMatchObject({ outcome: 'deferred', waitingFor: [t.channel.arn], cleared: 1 });
    expect(t.jobs()).toMatchObject([{ name: 'retire_recording_configuration', delayMs: 60_000 }]);
    await t.end();
    expect(await t.rig.run('1', job)).toMatchObject({ outcome: 'done', after: { deleted: arn } });
    expect(await t.recordingNow()).toBe('');
    expect(
      (await t.rig.ports.ivs.getChannel(other.arn, { signal: AbortSignal.timeout(120_000) })).recordingConfigurationArn,
    ).toBe('');
    expect(await t.rig.run('1', job)).toMatchObject({ outcome: 'already_done', reason: 'configuration_gone' });
    const another = { ...job, decidedAtMs: job.decidedAtMs + 1 };
    await expect(t.rig.run('2', another)).rejects.toMatchObject({ code: 'RECORDING_CONFIGURATION_UNKNOWN' });
  });

  test('a channel is retired: key deleted, stream stopped, end awaited, channel deleted', async () => {
    await using t = await setup();
    await t.live({ autoReconnect: true, reconnectMs: 20 });
    const job = operatorJob('retire_channel', { confirm: true }, { channelArn: t.channel.arn });
    const settings = [kinds.recording, kinds.adConfiguration, kinds.playbackRestriction];
    const remembered = () => settings.map((kind) => t.rig.state.view.get(kind.of(t.channel.arn)));
    await t.rig.state.transact((tx) => {
      for (const kind of settings) tx.set(kind.of(t.channel.arn), { decidedAtMs: 1, configurationArn: '' });
    });

    expect((await t.rig.settle('1', job)).outcome).toBe('done');
    expect(remembered()).toEqual([undefined, undefined, undefined]);
    expect(await t.rig.run('1', job)).toMatchObject({ outcome: 'already_done', reason: 'channel_gone' });
    const calls = (await t.control.calls({ outcome: 'ok' })).map(({ operation }) => operation);
    expect(calls.filter((name) => ['DeleteStreamKey', 'StopStream', 'DeleteChannel'].includes(name))).toEqual([
      'DeleteStreamKey',
      'StopStream',
      'DeleteChannel',
    ]);
  });

  test('a playback key pair is replaced, and the old one is deleted after its grace period', async () => {
    await using t = await setup();
    const file = join(t.directory, 'signing-key.pem');
    const job = (decidedAtMs: number) =>
      operatorJob(
        'rotate_playback_key_pair',
        { name: 'tokens', deliver: { file }, grace_period: '100ms' },
        { decidedAtMs },
      );
    const pairs = () => t.rig.ports.ivs.listPlaybackKeyPairs({ signal: AbortSignal.timeout(120_000) });

    const first = await t.rig.run('1', job(1));
    expect(first.outcome).toBe('done');
    const key = createPrivateKey(await readFile(file, 'utf8'));
    expect(key.asymmetricKeyDetails?.namedCurve).toBe('secp384r1');
    expect(createPublicKey(key).asymmetricKeyType).toBe('ec');

    const second = await t.rig.run('2', job(2));
    expect(second).toMatchObject({ outcome: 'done', retiring: [first['keyArn']] });
    expect(await pairs()).toHaveLength(2);
    const followUp = t.jobs().find(({ jobId }) => jobId.startsWith('retire-playback-key'));
    expect(followUp?.delayMs).toBeGreaterThan(0);
    await new Promise((done) => setTimeout(done, 120));
    expect(await t.rig.run(followUp!.jobId, followUp!.payload as never)).toMatchObject({ reason: 'grace_period_over' });
    expect((await pairs()).map(({ arn }) => arn)).toEqual([second['keyArn']]);
  });

  test('a custom event reaches the bus, and a reserved source is refused', async () => {
    await using t = await setup();
    const emit = (source: string) =>
      operatorJob('emit_event', { source, detail_type: 'Show over', detail: { show: 'quiz' } });

    expect(await t.rig.run('1', emit('tv.example'))).toMatchObject({ outcome: 'done', eventId: expect.any(String) });
    await expect(t.rig.run('2', emit('aws.ivs'))).rejects.toMatchObject({ code: 'EVENT_BUS_REFUSED' });
  });
});
