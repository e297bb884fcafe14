// Crash everywhere: every action is killed (a real kill -9) before and after every call that leaves its process, and loses the answer of
// every call after it took effect; then it runs again until it is done. The end is checked in the simulator and at the destination.
import { spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { Receiver } from '#domain/receiver.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import { type SimulatorHandle, startSimulator } from '#simulator/server.ts';
import type { ChildTask } from '#test/support/action-child.ts';
import { type ActionRig, actionRig, operatorJob, type RigOptions } from '#test/support/action-rig.ts';
import { eventually } from '#test/support/quiet.ts';
import { receiverOf } from '#test/support/receivers.ts';
import { type RedisScope, redisScope } from '#test/support/redis.ts';
import { isThorough } from '#test/support/thorough.ts';
import { poolTag } from '#workers/channel-pool.ts';

/** One point's own resources: no other point uses them. */
interface Place {
  readonly simulator: SimulatorHandle;
  readonly rig: ActionRig;
  readonly channelArn: string;
  readonly oldKeyArn: string;
  /** The name of a recording configuration or a playback key pair. */
  readonly name: string;
  readonly configurationArn: string;
  readonly adConfigurationArn: string;
  readonly policyArn: string;
  readonly file: string;
  readonly webhookUrl: string;
  /** Ids of the deliveries that reached the webhook, or an address under it. */
  readonly received: (under?: string) => string[];
  /** Ids of the items that wait in the channel's outbox. */
  readonly queued: () => Promise<string[]>;
  readonly signal: AbortSignal;
}

interface Scenario {
  readonly name: string;
  /** It is killed only in the soak; here it loses answers. Its steps are those of one that is killed, or few. */
  readonly killedInSoak?: true;
  /** Whether its commits to the shared state also count as calls to die at. */
  readonly hookCommits?: true;
  /** Brings the place into the state that the job expects. */
  readonly prepare?: (place: Place) => Promise<void>;
  readonly job: (place: Place) => ActionJob;
  /** What must be true when the job is done, whatever happened meanwhile. */
  readonly check: (place: Place) => Promise<void>;
}

/** Exactly one key, not the old one, and its value is in the file. */
async function oneKeyDelivered({ rig, channelArn, oldKeyArn, file, signal }: Place): Promise<void> {
  const keys = await rig.ports.ivs.listStreamKeys(channelArn, { signal });
  expect(keys).toHaveLength(1);
  expect(keys).not.toContain(oldKeyArn);
  const { value } = await rig.ports.ivs.getStreamKey(keys[0]!, { signal });
  expect(await readFile(file, 'utf8')).toBe(value.reveal());
  expect([...rig.state.view.entries(kinds.alert)].filter(([id]) => id.includes(channelArn))).toEqual([]);
}

const phaseOf = async ({ simulator, channelArn }: Place) => (await simulator.control.channels(channelArn))[0]?.phase;
const goLive = async (place: Place, reconnectMs = 50) => {
  await place.simulator.control.goLive(place.channelArn, { autoReconnect: true, reconnectMs });
  await eventually(async () => (await phaseOf(place)) === 'live');
};
const notLive = (place: Place) => eventually(async () => (await phaseOf(place)) !== 'live');

/** Makes the place's channel the only one of a pool with its name. */
const inPool = ({ rig, channelArn, name }: Place) =>
  rig.state.transact((tx) =>
    tx.set(kinds.channel.of(channelArn), {
      arn: channelArn as ChannelArn,
      name,
      type: 'STANDARD',
      latencyMode: 'LOW',
      recordingConfigurationArn: '',
      tags: { [poolTag]: name },
    }),
  );

const viewers = (count: number) => Array.from({ length: count }, (_, index) => `viewer-${index}`);

const scenarios: readonly Scenario[] = [
  {
    name: 'rotate_stream_key',
    job: ({ channelArn, file }) => operatorJob('rotate_stream_key', { deliver: { file } }, { channelArn }),
    check: oneKeyDelivered,
  },
  {
    name: 'rotate_stream_key now_and_stop',
    prepare: (place) => goLive(place),
    job: ({ channelArn, file }) =>
      operatorJob('rotate_stream_key', { when: 'now_and_stop', deliver: { file } }, { channelArn }),
    async check(place) {
      await oneKeyDelivered(place);
      await notLive(place);
    },
  },
  {
    name: 'set_recording',
    job: ({ channelArn, name }) => operatorJob('set_recording', { configuration: name }, { channelArn }),
    async check({ rig, channelArn, configurationArn, signal }) {
      const channel = await rig.ports.ivs.getChannel(channelArn, { signal });
      expect(channel.recordingConfigurationArn).toBe(configurationArn);
      expect(rig.state.view.count(kinds.intent)).toBe(0);
    },
  },
  {
    name: 'set_recording restart',
    // Real encoders take seconds; one that came back at once would leave the change waiting for the end.
    prepare: (place) => goLive(place, 700),
    job: ({ channelArn, name }) =>
      operatorJob('set_recording', { configuration: name, if_live: 'restart' }, { channelArn }),
    async check(place) {
      const { rig, channelArn, configurationArn, signal } = place;
      const channel = await rig.ports.ivs.getChannel(channelArn, { signal });
      expect(channel.recordingConfigurationArn).toBe(configurationArn);
      await eventually(async () => (await phaseOf(place)) === 'live');
      const session = await rig.ports.ivs.getStreamSession(channelArn, undefined, { signal });
      expect(session.recordingConfigurationArn).toBe(configurationArn);
    },
  },
  {
    name: 'set_ad_configuration',
    killedInSoak: true,
    job: ({ channelArn, adConfigurationArn }) =>
      operatorJob('set_ad_configuration', { configuration: adConfigurationArn }, { channelArn }),
    async check({ rig, channelArn, adConfigurationArn, signal }) {
      const channel = await rig.ports.ivs.getChannel(channelArn, { signal });
      expect(channel.adConfigurationArn).toBe(adConfigurationArn);
    },
  },
  {
    name: 'set_playback_restriction',
    killedInSoak: true,
    job: ({ channelArn, policyArn }) => operatorJob('set_playback_restriction', { policy: policyArn }, { channelArn }),
    async check({ rig, channelArn, policyArn, signal }) {
      const channel = await rig.ports.ivs.getChannel(channelArn, { signal });
      expect(channel.playbackRestrictionPolicyArn).toBe(policyArn);
    },
  },
  {
    name: 'edit_playback_restriction',
    killedInSoak: true,
    job: ({ policyArn }) => operatorJob('edit_playback_restriction', { policy: policyArn, allowed_countries: ['GB'] }),
    async check({ rig, policyArn, signal }) {
      const policy = await rig.ports.ivs.getPlaybackRestrictionPolicy(policyArn, { signal });
      expect(policy).toMatchObject({ allowedCountries: ['GB'], allowedOrigins: [] });
    },
  },
  {
    name: 'revoke_viewers',
    killedInSoak: true,
    job: ({ channelArn }) => operatorJob('revoke_viewers', { viewers: viewers(45), versions_up_to: 2 }, { channelArn }),
    async check({ simulator, channelArn }) {
      const revoked = await simulator.control.revocations({ channelArn });
      expect(new Set(revoked.map(({ viewerId, version }) => `${viewerId} ${version}`))).toEqual(
        new Set(viewers(45).map((id) => `${id} 2`)),
      );
    },
  },
  {
    name: 'provision_channel',
    killedInSoak: true,
    job: ({ name, file }) => operatorJob('provision_channel', { name: `new-${name}`, deliver: { file } }),
    async check({ rig, name, file, signal }) {
      const channels = await rig.ports.ivs.listChannelsByName(`new-${name}`, { signal });
      expect(channels).toHaveLength(1);
      const [keyArn, ...more] = await rig.ports.ivs.listStreamKeys(channels[0]!, { signal });
      expect(more).toEqual([]);
      const { value } = await rig.ports.ivs.getStreamKey(keyArn!, { signal });
      expect(await readFile(file, 'utf8')).toBe(value.reveal());
    },
  },
  {
    name: 'lease_channel',
    killedInSoak: true,
    hookCommits: true,
    prepare: (place) => inPool(place),
    job: ({ name, file }) => operatorJob('lease_channel', { pool: name, deliver: { file } }),
    async check({ rig, channelArn, oldKeyArn, file, signal }) {
      expect(rig.state.view.get(kinds.channelLease.of(channelArn))).toBeDefined();
      const { value } = await rig.ports.ivs.getStreamKey(oldKeyArn, { signal });
      expect(await readFile(file, 'utf8')).toBe(value.reveal());
    },
  },
  {
    name: 'return_channel',
    killedInSoak: true,
    hookCommits: true,
    async prepare(place) {
      const { rig, channelArn, name } = place;
      await inPool(place);
      const lease = { pool: name, leaseId: name, who: 'guest', sinceMs: 1 };
      await rig.state.transact((tx) => tx.set(kinds.channelLease.of(channelArn), lease));
      await goLive(place);
    },
    job: ({ channelArn }) => operatorJob('return_channel', {}, { channelArn }),
    async check(place) {
      const { rig, channelArn, oldKeyArn, signal } = place;
      const keys = await rig.ports.ivs.listStreamKeys(channelArn, { signal });
      expect(keys).toHaveLength(1);
      expect(keys).not.toContain(oldKeyArn);
      expect(rig.state.view.get(kinds.channelLease.of(channelArn))).toBeUndefined();
      await notLive(place);
    },
  },
  {
    name: 'ensure_recording_configuration',
    killedInSoak: true,
    job: ({ name }) => operatorJob('ensure_recording_configuration', { name: `new-${name}`, bucket: 'recordings' }),
    async check({ rig, name, signal }) {
      const all = await rig.ports.ivs.listRecordingConfigurations({ signal });
      expect(all.filter((each) => each.name === `new-${name}`)).toMatchObject([{ state: 'ACTIVE' }]);
    },
  },
  {
    name: 'stop_stream revoke_key',
    prepare: (place) => goLive(place),
    job: ({ channelArn }) => operatorJob('stop_stream', { revoke_key: true }, { channelArn }),
    async check(place) {
      expect(await place.rig.ports.ivs.listStreamKeys(place.channelArn, { signal: place.signal })).toEqual([]);
      await notLive(place);
    },
  },
  {
    name: 'insert_ad_break',
    prepare: (place) => goLive(place),
    job: ({ channelArn }) => operatorJob('insert_ad_break', { duration: '30s' }, { channelArn }),
    async check({ simulator, rig, channelArn }) {
      const calls = await simulator.control.calls({ operation: 'InsertAdBreak', outcome: 'ok', channelArn });
      const { state } = rig.state.view.get(kinds.adBreak.of(channelArn as ChannelArn))!;
      // A run that died right before its call cannot know that the call was never sent.
      expect([calls.length, state]).toEqual(calls.length === 1 ? [1, 'inserted'] : [0, 'unknown']);
    },
  },
  {
    name: 'tag',
    job: ({ channelArn }) => operatorJob('tag', { set: { tier: 'silver' }, remove: ['show'] }, { channelArn }),
    async check({ rig, channelArn, signal }) {
      expect(await rig.ports.ivs.listTagsForResource(channelArn, { signal })).toEqual({ tier: 'silver' });
    },
  },
  {
    name: 'rotate_playback_key_pair',
    job: ({ name, file }) => operatorJob('rotate_playback_key_pair', { name, deliver: { file } }),
    async check({ rig, name, file, signal }) {
      const pairs = await rig.ports.ivs.listPlaybackKeyPairs({ signal });
      expect(pairs.filter((pair) => pair.name.startsWith(`${name}-`))).toHaveLength(1);
      // The delivered private half belongs to the imported public half: importing that one a second time is refused.
      const publicKeyMaterial = createPublicKey(createPrivateKey(await readFile(file, 'utf8')))
        .export({ type: 'spki', format: 'pem' })
        .toString();
      const second = rig.ports.ivs.importPlaybackKeyPair({ name: 'same', publicKeyMaterial }, { signal });
      await expect(second).rejects.toMatchObject({ code: 'IVS_CONFLICT' });
    },
  },
  {
    name: 'retire_recording_configuration',
    async prepare({ rig, channelArn, configurationArn, signal }) {
      await rig.ports.ivs.updateChannel(channelArn, { recordingConfigurationArn: configurationArn }, { signal });
    },
    job: ({ name }) => operatorJob('retire_recording_configuration', { configuration: name }),
    async check({ rig, channelArn, name, signal }) {
      const left = await rig.ports.ivs.listRecordingConfigurations({ signal });
      expect(left.map((configuration) => configuration.name)).not.toContain(name);
      expect((await rig.ports.ivs.getChannel(channelArn, { signal })).recordingConfigurationArn).toBe('');
    },
  },
  {
    name: 'retire_channel',
    prepare: (place) => goLive(place),
    job: ({ channelArn }) => operatorJob('retire_channel', { confirm: true }, { channelArn }),
    async check({ rig, channelArn, signal }) {
      await expect(rig.ports.ivs.getChannel(channelArn, { signal })).rejects.toMatchObject({ code: 'IVS_NOT_FOUND' });
    },
  },
  {
    name: 'webhook',
    job: ({ webhookUrl }) => operatorJob('webhook', { url: webhookUrl, body: { show: 'over' } }),
    async check({ received, name }) {
      // At least once; a repeat is recognised by its delivery id.
      expect(new Set(received())).toEqual(new Set([name]));
    },
  },
  {
    name: 'emit_event',
    job: ({ name }) => operatorJob('emit_event', { source: 'tv.example', detail_type: name, detail: {} }),
    async check({ simulator }) {
      expect((await simulator.control.calls({ operation: 'events:PutEvents', outcome: 'ok' })).length).toBeGreaterThan(
        0,
      );
    },
  },
  {
    name: 'put_metadata',
    job: ({ channelArn }) => operatorJob('put_metadata', { payload: { score: '2:1' } }, { channelArn }),
    async check({ rig, channelArn, name, queued }) {
      const waiting = await queued();
      expect(waiting, 'accepted exactly once').toHaveLength(1);
      const request = { requestId: name, targets: { channelArns: [channelArn] }, items: [{ payload: 'x' }] };
      const { batchId } = await rig.ports.metadata.submit({ ...request, lane: 'normal' });
      expect(await rig.outbox.progress(batchId)).toMatchObject({ total: 1, counts: { pending: 1 } });
      expect(await queued(), 'known by its request id').toEqual(waiting);
    },
  },
  {
    name: 'notify',
    hookCommits: true,
    job: ({ name }) => operatorJob('notify', { receiver: name, text: 'studio-a is starving' }),
    async check({ rig, name, received }) {
      const each = [0, 1].map((index) => {
        const ids = received(`/${index}`);
        expect(ids.length, 'each run sends it once').toBeLessThanOrEqual(2);
        return new Set(ids);
      });
      // Recognised by what it is, not by its position in the receiver: a reload may change that between two runs.
      const known = expect.stringMatching(new RegExp(`^${name}-webhook-[0-9a-f]{12}$`));
      expect(each.flatMap((ids) => [...ids])).toEqual([known, known]);
      expect(rig.state.view.get(kinds.notified.of(name))).toBeUndefined();
    },
  },
  {
    name: 'capture_session',
    hookCommits: true,
    prepare: (place) => goLive(place),
    job: ({ channelArn, name }) => operatorJob('capture_session', { notify: name }, { channelArn }),
    async check({ rig, channelArn, name, signal }) {
      const { streamId } = await rig.ports.ivs.getStream(channelArn, { signal });
      const log = await rig.state.readLog(logs.captures, { limit: 1_000 });
      const captures = log.filter(({ entry }) => entry.jobId === name).map(({ entry }) => entry.streamId);
      expect(new Set(captures)).toEqual(new Set([streamId]));
      const jobs = [...rig.state.view.entries(kinds.job)].map(([, job]) => job);
      const ofThis = jobs.filter(({ payload }) => payload['channelArn'] === channelArn);
      expect(ofThis).toMatchObject([{ name: 'notify', payload: { action: 'notify', params: { receiver: name } } }]);
    },
  },
];

const fates = ['before', 'after', 'lost'] as const;
type Fate = (typeof fates)[number];
const tally = { kills: 0, lost: 0, runs: 0 };
const deliveries: { readonly path: string; readonly id: string }[] = [];
let hooks: Server;
let directory: string;
let childProgram: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crashes-'));
  // A single file starts in a third of the time that the sources take; there are more than a hundred starts.
  childProgram = join(directory, 'action-child.mjs');
  const bundle = await rolldown({
    input: join(import.meta.dirname, '../support/action-child.ts'),
    platform: 'node',
    logLevel: 'silent',
  });
  await bundle.write({ file: childProgram, format: 'esm', codeSplitting: false });
  await bundle.close();
  hooks = createServer((request, response) => {
    deliveries.push({ path: request.url ?? '', id: String(request.headers['x-autopilot-delivery']) });
    request.resume();
    request.on('end', () => response.end());
  });
  hooks.listen(0, '127.0.0.1');
  await once(hooks, 'listening');
});

afterAll(async () => {
  hooks.close();
  await rm(directory, { recursive: true, force: true });
  console.log(
    `crash everywhere: ${scenarios.length} jobs, ${tally.kills + tally.lost} points (${tally.kills} kill -9, ${tally.lost} lost answers), ${tally.runs} runs`,
  );
});

describe('the next run finishes correctly, whenever the previous one died', () => {
  test.each(scenarios)('$name', async (scenario) => {
    await using world = await createWorld(scenario);
    const calls = await world.countCalls();
    expect(calls).toBeGreaterThan(0);
    // With many calls, each gets one of the fates, in turn; in the soak every one of them.
    const fatesOf = (call: number): readonly Fate[] => {
      if (isThorough) return fates;
      if (scenario.killedInSoak) return ['lost'];
      return calls <= 3 ? fates : [fates[call % fates.length]!];
    };
    const points = Array.from({ length: calls }, (_, index) => index + 1).flatMap((call) =>
      fatesOf(call).map((fate) => ({ call, fate })),
    );

    const lanes = Array.from({ length: 4 }, async () => {
      for (let point = points.shift(); point; point = points.shift()) await world.crash(point.call, point.fate);
    });
    await Promise.all(lanes);

    expect(world.unreached()).toBeLessThanOrEqual(scenario.name.endsWith('restart') ? 6 : 0);
  });
});

/** A simulator and a state for all points of one scenario, and the process that finishes what others left behind. */
async function createWorld(scenario: Scenario) {
  const resources = new AsyncDisposableStack();
  const timings = { sessionToStartMs: 0, sessionEndToStreamEndMs: 10, recordingConfigurationMs: 0 };
  const quotas = {
    concurrentStreams: 1_000,
    recordingConfigurations: 1_000,
    playbackKeyPairs: 1_000,
    adConfigurations: 1_000,
    playbackRestrictionPolicies: 1_000,
  };
  const simulator = resources.use(await startSimulator({ enforcement: 'off', timings, quotas }));
  const scope = resources.use(await redisScope());
  const receivers: Receiver[] = [];
  const { hookCommits = false } = scenario;
  const base: RigOptions = {
    simulatorUrl: simulator.url,
    redis: scope.redis,
    prefix: scope.prefix,
    hookCommits,
    receivers,
    eventWindowMs: 300,
  };
  const rig = resources.use(await actionRig(base));
  let places = 0;
  let unreached = 0;

  const createPlace = async (): Promise<Place> => {
    places += 1;
    const number = places;
    const name = `place-${number}`;
    const channel = await simulator.control.createChannel({ name, ads: true, tags: { tier: 'gold', show: 'quiz' } });
    const path = `/${scope.namespace}/${number}`;
    const webhookUrl = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}${path}`;
    receivers.push(receiverOf({ name, webhook_configs: [0, 1].map((index) => ({ url: `${webhookUrl}/${index}` })) }));
    const place: Place = {
      simulator,
      rig,
      channelArn: channel.arn,
      oldKeyArn: channel.streamKeyArn,
      name,
      configurationArn: await createConfiguration(simulator.url, name),
      ...(await createAccess(simulator.url, name)),
      file: join(directory, `${scope.namespace}-${number}`),
      webhookUrl,
      received: (under = '') => deliveries.filter((delivery) => delivery.path === path + under).map(({ id }) => id),
      queued: () => scope.redis.zrange(`${scope.prefix}:md:q:${channel.arn}`, '0', '-1'),
      get signal() {
        return AbortSignal.timeout(120_000);
      },
    };
    await scenario.prepare?.(place);
    return place;
  };
  const finish = async (place: Place, job: ActionJob) => {
    tally.runs += 1;
    // As a process does when it starts.
    if (hookCommits) await rig.state.refresh();
    await rig.settle(place.name, job);
    await rig.state.refresh();
    await scenario.check(place);
  };
  return {
    /** How many calls leave the process if nothing goes wrong. */
    async countCalls(): Promise<number> {
      let calls = 0;
      const hook: RigOptions['hook'] = (_name, call) => {
        calls += 1;
        return call();
      };
      await using counted = await actionRig({ ...base, hook });
      const place = await createPlace();
      const job = scenario.job(place);
      await counted.settle(place.name, job);
      await finish(place, job);
      return calls;
    },
    /** Runs the job on a separate place until something happens to it, and then until it is done. */
    async crash(call: number, fate: Fate): Promise<void> {
      const place = await createPlace();
      const job = scenario.job(place);
      tally.runs += 1;
      try {
        if (fate === 'lost') await loseAnswer(base, place, job, call);
        else if (!(await killAt({ base, scope, place, job, call, moment: fate }))) unreached += 1;
        await finish(place, job);
      } catch (error) {
        throw new Error(`${fate} call ${call}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    },
    /** Points that did not occur when their turn came. */
    unreached: () => unreached,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const lostAnswers: Readonly<Record<string, AppError['code']>> = {
  ivs: 'IVS_NO_ANSWER',
  http: 'WEBHOOK_FAILED',
  state: 'REDIS_UNREACHABLE',
  outbox: 'REDIS_UNREACHABLE',
};

async function loseAnswer(base: RigOptions, { name: jobId }: Place, job: ActionJob, lost: number): Promise<void> {
  tally.lost += 1;
  let calls = 0;
  await using rig = await actionRig({
    ...base,
    async hook(name, call) {
      calls += 1;
      if (calls !== lost) return call();
      await call().catch(() => undefined);
      throw new AppError(lostAnswers[name.split('.')[0]!] ?? 'SECRET_SINK_FAILED', `the answer of ${name} was lost`);
    },
  });
  // It may handle the loss by itself, or end with an error that the queue retries.
  await rig.run(jobId, job).catch(() => undefined);
}

async function killAt(at: {
  base: RigOptions;
  scope: RedisScope;
  place: Place;
  job: ActionJob;
  call: number;
  moment: 'before' | 'after';
}): Promise<boolean> {
  const { base, scope, place, job, call, moment } = at;
  const task: ChildTask = {
    simulatorUrl: base.simulatorUrl,
    redisUrl: scope.url,
    prefix: base.prefix,
    hookCommits: base.hookCommits ?? false,
    receivers: (base.receivers ?? []).filter((receiver) => receiver.name === place.name),
    jobId: place.name,
    job,
    kill: { call, moment },
  };
  const child = spawn(process.execPath, [childProgram, JSON.stringify(task)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(directory, 'compiled') },
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  // How often `restart` must read depends on the encoder's pace: a run may end before the last calls are reached.
  const reached = killedBy === 'SIGKILL';
  if (reached) tally.kills += 1;
  else expect(code, `the process was killed, or had no such call; ${complaint}`).toBe(0);
  return reached;
}

async function createConfiguration(url: string, name: string): Promise<string> {
  const destinationConfiguration = { s3: { bucketName: 'recordings' } };
  const answer = await create(url, 'CreateRecordingConfiguration', { name, destinationConfiguration });
  return answer['recordingConfiguration']!.arn;
}

async function createAccess(url: string, name: string): Promise<Pick<Place, 'adConfigurationArn' | 'policyArn'>> {
  const playbackConfigurationArn = 'arn:aws:mediatailor:us-west-2:111122223333:playbackConfiguration/ads';
  const mediaTailorPlaybackConfigurations = [{ playbackConfigurationArn }];
  const ads = await create(url, 'CreateAdConfiguration', { name, mediaTailorPlaybackConfigurations });
  const policy = await create(url, 'CreatePlaybackRestrictionPolicy', { name });
  return {
    adConfigurationArn: ads['adConfiguration']!.arn,
    policyArn: policy['playbackRestrictionPolicy']!.arn,
  };
}

async function create(url: string, operation: string, body: object): Promise<Record<string, { readonly arn: string }>> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/${operation}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await response.json()) as Record<string, { readonly arn: string }>;
}
