// Channels from a template, a pool of channels, recording configurations, and the check of playback keys, against the simulator.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { hold, pause, release, resume } from '#rules/controls.ts';
import { startSimulator } from '#simulator/server.ts';
import { actionRig, operatorJob, type RigOptions } from '#test/support/action-rig.ts';
import { eventually } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';
import { ivsFor, sender } from '#test/support/simulator-sdk.ts';

async function setup(recordingConfigurationMs = 0, hook: RigOptions['hook'] = (_name, call) => call()) {
  const resources = new AsyncDisposableStack();
  const timings = { sessionToStartMs: 0, sessionEndToStreamEndMs: 20, recordingConfigurationMs };
  const simulator = resources.use(await startSimulator({ enforcement: 'off', timings }));
  const scope = resources.use(await redisScope());
  const directory = await mkdtemp(join(tmpdir(), 'provision-'));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const { redis, prefix } = scope;
  const rig = resources.use(await actionRig({ simulatorUrl: simulator.url, redis, prefix, hook }));
  const aws = ivsFor(simulator.url);
  resources.defer(() => aws.destroy());
  const send = sender(aws);
  return {
    rig,
    send,
    control: simulator.control,
    directory,
    file: (name: string) => join(directory, name),
    written: () => readdir(directory),
    named: async (filterByName: string) => (await send('ListChannels')({ filterByName }))['channels'],
    keyOf: async (channelArn: string) => {
      const [key] = (await send('ListStreamKeys')({ channelArn }))['streamKeys'];
      return (await send('GetStreamKey')({ arn: key.arn }))['streamKey'];
    },
    calls: async (operation: string) => (await simulator.control.calls({ operation, outcome: 'ok' })).length,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** For every playback key pair that is to be deleted. */
function graceIsOver(state: SharedState): Promise<void> {
  return state.transact((tx) => {
    const record = tx.get(kinds.playbackKey.of('tokens'))!;
    const retiring = record.retiring.map((each) => ({ ...each, deleteAtMs: 1 }));
    tx.set(kinds.playbackKey.of('tokens'), { ...record, retiring });
  });
}

test('a channel is created from its template once, its key is delivered, and the same request finds it', async () => {
  await using t = await setup();
  await t.send('CreateRecordingConfiguration')({
    name: 'prod',
    destinationConfiguration: { s3: { bucketName: 'bucket-one' } },
  });
  const params = {
    name: 'cup-final',
    type: 'BASIC',
    tags: { show: 'cup' },
    recording: 'prod',
    deliver: { file: t.file('key') },
  } as const;
  const job = operatorJob('provision_channel', params);

  const dry = await t.rig.run('dry', { ...job, dryRun: true });
  expect(dry.calls?.[0]).toMatch(/^CreateChannel cup-final type=BASIC/);
  expect([await t.calls('CreateChannel'), await t.written()]).toEqual([0, []]);
  const made = await t.rig.run('make', job);
  const [channel] = await t.named('cup-final');
  expect(made).toMatchObject({ outcome: 'done', channelArn: channel.arn, before: { exists: false } });
  expect(channel).toMatchObject({ type: 'BASIC', tags: { show: 'cup' }, authorized: false });
  expect(channel.recordingConfigurationArn).toMatch(/recording-configuration/);
  const { value } = await t.keyOf(channel.arn);
  expect(await readFile(t.file('key'), 'utf8')).toBe(value);
  expect(JSON.stringify(made)).not.toContain(value);
  expect(t.rig.state.view.get(kinds.channel.of(channel.arn))).toMatchObject({
    name: 'cup-final',
    tags: { show: 'cup' },
  });

  expect(await t.rig.run('make', job)).toMatchObject({ outcome: 'done', channelArn: channel.arn });
  const again = operatorJob('provision_channel', { ...params, deliver: { file: t.file('other') } });
  expect(await t.rig.run('again', again)).toMatchObject({
    outcome: 'already_done',
    reason: 'exists',
    channelArn: channel.arn,
  });
  expect(await t.written()).toEqual(['key']);
  await expect(
    t.rig.run('other', operatorJob('provision_channel', { ...params, type: 'STANDARD', tags: { show: 'quiz' } })),
  ).rejects.toMatchObject({ code: 'CHANNEL_NAME_TAKEN', message: expect.stringContaining('type, the tag show') });
  await expect(
    t.rig.run('unknown', operatorJob('provision_channel', { name: 'x', recording: 'nowhere' })),
  ).rejects.toMatchObject({ code: 'RECORDING_CONFIGURATION_UNKNOWN' });
  expect(await t.calls('CreateChannel')).toBe(1);
});

test('after a lost answer the channel is found by its tag, and there is only one', async () => {
  await using t = await setup();
  await t.control.addFault({ operation: 'CreateChannel', reset: 'after-effect', times: 1 });
  const job = operatorJob('provision_channel', { name: 'studio', deliver: { file: t.file('key') } });

  await t.rig.settle('make', job);

  expect(await t.named('studio')).toHaveLength(1);
  expect(await t.written()).toEqual(['key']);
});

test('a pool lends a channel with its key, and a returned one has another key and no stream', async () => {
  await using t = await setup();
  await t.rig.run('spare', operatorJob('provision_channel', { name: 'spare-1', pool: 'spares' }));
  const [{ arn }] = await t.named('spare-1');
  const first = await t.keyOf(arn);
  const lease = (file: string, rest: object = {}) =>
    operatorJob('lease_channel', { pool: 'spares', deliver: { file: t.file(file) }, ...rest });
  const job = lease('guest', { for: '4h' });

  const dry = await t.rig.run('dry', { ...job, dryRun: true });
  expect(dry).toMatchObject({ reason: 'dry_run', before: { free: arn } });
  const lent = await t.rig.run('lend', job);
  expect(lent).toMatchObject({ outcome: 'done', channelArn: arn });
  expect(await readFile(t.file('guest'), 'utf8')).toBe(first.value);
  // A crash after the end: the same job has the same channel.
  expect(await t.rig.run('lend', job)).toMatchObject({ channelArn: arn });
  await expect(t.rig.run('none', lease('late'))).rejects.toMatchObject({
    code: 'POOL_EMPTY',
    message: expect.stringContaining('none of its 1 channels is free'),
  });
  await expect(
    t.rig.run('nowhere', operatorJob('lease_channel', { pool: 'spare', deliver: { file: t.file('x') } })),
  ).rejects.toMatchObject({ code: 'POOL_EMPTY' });
  const timed = Array.from(t.rig.state.view.entries(kinds.job), ([, each]) => each);
  expect(timed).toMatchObject([
    {
      name: 'return_channel',
      delayMs: 4 * 3_600_000,
      payload: { channelArn: arn, params: { lease: lent['leaseId'] } },
    },
  ]);

  await t.control.goLive(arn);
  await eventually(async () => (await t.control.channels(arn))[0]?.phase === 'live');
  expect(
    await t.rig.run('other', operatorJob('return_channel', { lease: 'another' }, { channelArn: arn })),
  ).toMatchObject({ outcome: 'already_done', reason: 'not_leased' });
  const back = await t.rig.settle('back', operatorJob('return_channel', {}, { channelArn: arn }));
  expect(back).toMatchObject({ outcome: 'done', before: { keyArns: [first.arn] } });
  const second = await t.keyOf(arn);
  expect(second.value).not.toBe(first.value);
  await eventually(async () => (await t.control.channels(arn))[0]?.phase !== 'live');
  // The channel that was to be returned automatically is back already.
  const [timer] = timed;
  expect(await t.rig.run('timer', timer!.payload as unknown as ActionJob)).toMatchObject({ outcome: 'already_done' });
  expect(await t.rig.run('next', lease('next'))).toMatchObject({ outcome: 'done', channelArn: arn });
  expect(await readFile(t.file('next'), 'utf8')).toBe(second.value);
});

test('two requests for a pool that are identical to the millisecond get two channels, and a deleted one is not lent', async () => {
  await using t = await setup();
  for (const name of ['spare-1', 'spare-2', 'spare-3'])
    await t.rig.run(name, operatorJob('provision_channel', { name, pool: 'spares' }));
  const [deleted, ...left] = Array.from(t.rig.state.view.entries(kinds.channel), ([arn]) => arn).toSorted();
  await t.send('DeleteChannel')({ arn: deleted! });
  const job = operatorJob('lease_channel', { pool: 'spares', for: '4h', deliver: { file: t.file('guest') } });

  const lent = await Promise.all(['one', 'two'].map((jobId) => t.rig.settle(jobId, job)));

  expect(new Set(lent.map(({ channelArn }) => channelArn))).toEqual(new Set(left));
  expect(new Set(lent.map(({ leaseId }) => leaseId)).size).toBe(2);
  const leased = Array.from(t.rig.state.view.entries(kinds.channelLease), ([arn]) => arn);
  expect(new Set(leased)).toEqual(new Set(left));
  const returns = Array.from(t.rig.state.view.entries(kinds.job), ([, { payload }]) => payload);
  for (const { channelArn, leaseId } of lent)
    expect(returns).toContainEqual(expect.objectContaining({ channelArn, params: { lease: leaseId } }));
  await expect(t.rig.settle('three', job)).rejects.toMatchObject({ code: 'POOL_EMPTY' });
});

test('a channel whose key can never be delivered is returned with another key; one that is retried stays lent', async () => {
  await using t = await setup(0, async (name, call) => {
    if (name === 'sink.deliver') throw new AppError('SECRET_SINK_FAILED', 'the vault is away');
    return call();
  });
  await t.rig.run('spare', operatorJob('provision_channel', { name: 'spare-1', pool: 'spares' }));
  const [{ arn }] = await t.named('spare-1');
  const first = await t.keyOf(arn);
  const job = operatorJob('lease_channel', { pool: 'spares', deliver: { file: t.file('guest') } });
  const lend = (lastAttempt: boolean) => t.rig.run('lend', job, { lastAttempt } as never);
  const left = () => Array.from(t.rig.state.view.entries(kinds.job), ([, each]) => each);

  await expect(lend(false)).rejects.toMatchObject({ code: 'SECRET_SINK_FAILED' });
  expect(left()).toEqual([]);
  await expect(lend(true)).rejects.toMatchObject({ code: 'SECRET_SINK_FAILED' });
  const [back] = left();
  expect(await t.rig.run(back!.jobId, back!.payload as unknown as ActionJob)).toMatchObject({ outcome: 'done' });

  expect(t.rig.state.view.get(kinds.channelLease.of(arn))).toBeUndefined();
  expect((await t.keyOf(arn)).value).not.toBe(first.value);
});

test('what was left for later waits for the end of a pause or a hold, and runs then', async () => {
  await using t = await setup();
  const { state } = t.rig;
  const rule = { kind: 'rule', rule: 'guests', decisionId: 'd-1' } as const;
  const waits = { code: 'CONTROLS_CHANGED', disposition: { kind: 'retry-after' } };
  await t.rig.run('spare', operatorJob('provision_channel', { name: 'spare-1', pool: 'spares' }));
  const [{ arn }] = await t.named('spare-1');
  const lease = { pool: 'spares', deliver: { file: t.file('guest') }, for: '4h' };
  const { leaseId } = await t.rig.run('lend', operatorJob('lease_channel', lease, { cause: rule }));
  const rotation = { name: 'tokens', deliver: { file: t.file('key') } };
  const rotate = (decidedAtMs: number) =>
    operatorJob('rotate_playback_key_pair', rotation, { cause: rule, decidedAtMs });
  await t.rig.run('rotate-1', rotate(1));
  const second = await t.rig.run('rotate-2', rotate(2));
  const later = (name: string) => {
    const [job] = Array.from(state.view.entries(kinds.job), ([, each]) => each).filter((each) => each.name === name);
    return () => t.rig.run(job!.jobId, job!.payload as unknown as ActionJob);
  };
  const giveBack = later('return_channel');
  const retirePair = later('rotate_playback_key_pair');
  await t.send('CreateRecordingConfiguration')({
    name: 'old',
    destinationConfiguration: { s3: { bucketName: 'bucket-one' } },
  });
  const retire = operatorJob('retire_recording_configuration', { configuration: 'old' }, { cause: rule });
  // As after a round in which a channel was live.
  await state.transact((tx) => tx.set(kinds.retiring.of(`old|${retire.decidedAtMs}`), { rounds: 1 }));
  await graceIsOver(state);
  await state.transact((tx) => {
    tx.set(kinds.channelLease.of(arn), { ...tx.get(kinds.channelLease.of(arn))!, untilMs: 1 });
    pause(tx, { who: 'mara', reason: 'network' });
  });

  for (const run of [giveBack, retirePair, () => t.rig.run('retire', retire)])
    await expect(run()).rejects.toMatchObject(waits);
  await state.transact((tx) => {
    resume(tx, { who: 'mara', reason: 'over' });
    hold(tx, { channelArn: arn, who: 'mara', reason: 'a longer show' });
  });
  await expect(giveBack()).rejects.toMatchObject(waits);
  expect(state.view.get(kinds.channelLease.of(arn))).toMatchObject({ leaseId });
  await state.transact((tx) => release(tx, { channelArn: arn, who: 'mara', reason: 'over' }));

  expect(await giveBack()).toMatchObject({ outcome: 'done' });
  expect(state.view.get(kinds.channelLease.of(arn))).toBeUndefined();
  expect(await retirePair()).toMatchObject({ reason: 'grace_period_over', keyArn: second['keyArn'] });
  expect(await t.rig.run('retire', retire)).toMatchObject({ outcome: 'done' });
});

test('a recording configuration is created if it is missing, awaited, and left alone if it exists', async () => {
  await using t = await setup(300);
  const params = { name: 'prod', bucket: 'prod-recordings', reconnect_window_seconds: 60 };
  const ensure = (id: string, rest: object = {}) =>
    t.rig.settle(id, operatorJob('ensure_recording_configuration', { ...params, ...rest }));

  const dry = await t.rig.run('dry', operatorJob('ensure_recording_configuration', params, { dryRun: true }));
  expect(dry.calls).toEqual(['CreateRecordingConfiguration prod bucket=prod-recordings', 'wait until it is ACTIVE']);
  expect(await ensure('make')).toMatchObject({
    outcome: 'done',
    after: { state: 'ACTIVE', bucketName: 'prod-recordings' },
  });
  expect(await ensure('again')).toMatchObject({ outcome: 'already_done', reason: 'active' });
  expect(await t.calls('CreateRecordingConfiguration')).toBe(1);
  const { recordingConfigurations } = await t.send('ListRecordingConfigurations')({});
  const { recordingConfiguration } = await t.send('GetRecordingConfiguration')({ arn: recordingConfigurations[0].arn });
  expect(recordingConfiguration.recordingReconnectWindowSeconds).toBe(60);
  await expect(ensure('elsewhere', { bucket: 'another-bucket' })).rejects.toMatchObject({
    code: 'RECORDING_CONFIGURATION_DIFFERS',
    message: expect.stringContaining('prod-recordings'),
  });
});

test('why a recording configuration cannot be created is reported with its bucket', async () => {
  await using t = await setup();
  await t.control.setBuckets({ 'bucket-in-europe': { region: 'eu-west-1' } });

  await expect(
    t.rig.settle('make', operatorJob('ensure_recording_configuration', { name: 'far', bucket: 'bucket-in-europe' })),
  ).rejects.toMatchObject({
    code: 'RECORDING_CONFIGURATION_FAILED',
    message: expect.stringMatching(/bucket-in-europe must exist, in us-west-2/),
  });
});

test('a playback key pair is delivered if IVS has it with the fingerprint of its import', async () => {
  await using t = await setup();
  const job = operatorJob('rotate_playback_key_pair', { name: 'tokens', deliver: { file: t.file('key') } });
  await t.control.addFault({ operation: 'GetPlaybackKeyPair', error: 'InternalServerException', times: 1 });
  await expect(t.rig.run('first', job)).rejects.toMatchObject({ code: expect.stringMatching(/^IVS_/) });
  expect(await t.written()).toEqual([]);

  const checks: object[] = [];
  const done = await t.rig.run('rotate', job, {
    check: (check: string, passed: boolean, compared: object) => {
      checks.push({ check, passed, ...compared });
      return passed;
    },
  } as never);
  expect(done).toMatchObject({ outcome: 'done' });
  const { fingerprint } = done;
  expect(fingerprint).toMatch(/^([0-9a-f]{2}:)+[0-9a-f]{2}$/);
  expect(checks).toContainEqual({
    check: 'fingerprint',
    passed: true,
    asked: { fingerprint },
    found: { fingerprint },
  });
});

test('the end of the grace period after one rotation of a playback key pair does not undo a later rotation', async () => {
  await using t = await setup();
  const params = { name: 'tokens', deliver: { file: t.file('key') } };
  const rotate = (place: number) =>
    t.rig.run(`rotate-${place}`, operatorJob('rotate_playback_key_pair', params, { decidedAtMs: place }));
  const left = () => Array.from(t.rig.state.view.entries(kinds.job), ([, job]) => job);
  await rotate(1);
  await rotate(2);
  const [afterSecond] = left();
  const third = await rotate(3);
  await graceIsOver(t.rig.state);
  const delivered = await readFile(t.file('key'), 'utf8');

  const end = await t.rig.run(afterSecond!.jobId, afterSecond!.payload as unknown as ActionJob);

  expect(end).toMatchObject({ outcome: 'done', reason: 'grace_period_over', keyArn: third['keyArn'] });
  expect((await t.send('ListPlaybackKeyPairs')({}))['keyPairs']).toMatchObject([{ arn: third['keyArn'] }]);
  expect(await t.calls('ImportPlaybackKeyPair')).toBe(3);
  expect(await readFile(t.file('key'), 'utf8')).toBe(delivered);
  for (const { jobId, payload } of left())
    expect(await t.rig.run(jobId, payload as unknown as ActionJob)).toMatchObject({ outcome: 'already_done' });
});

test('a playback key pair with another fingerprint than its import is deleted, and its private half is not delivered', async () => {
  await using t = await setup(0, async (name, call) => {
    const answer = await call();
    return name === 'ivs.getPlaybackKeyPair' ? { ...(answer as object), fingerprint: '00:11:22' } : answer;
  });
  const job = operatorJob('rotate_playback_key_pair', { name: 'tokens', deliver: { file: t.file('key') } });

  await expect(t.rig.run('rotate', job)).rejects.toMatchObject({
    code: 'KEY_UNSETTLED',
    message: expect.stringContaining('00:11:22'),
  });
  expect(await t.written()).toEqual([]);
  expect((await t.send('ListPlaybackKeyPairs')({}))['keyPairs']).toEqual([]);
});
