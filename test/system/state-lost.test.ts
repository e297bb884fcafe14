// Safety controls survive their store: real daemons, a real Redis that is emptied, killed or replaced, and streams that a rule would stop
// at once.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type Broadcast, broadcast, quickSettings, testCredentials } from '#test/support/broadcast.ts';
import { type DaemonProcess, daemonProcess } from '#test/support/daemon-process.ts';
import { eventually } from '#test/support/quiet.ts';
import { ownRedis } from '#test/support/redis.ts';
import { isThorough } from '#test/support/thorough.ts';

// With a short request timeout an emptied ledger of permits grants again soon; it is long enough that a busy machine does not look silent.
const rules = `
limits: {request_timeout: 1500ms}
rules:
  - name: stopper
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{stop_stream: {}}]
    guards: {cooldown: 0s, max_per_hour: 1000, max_live_percent: 100}
`;

async function stand() {
  const platform = await broadcast();
  const own = await ownRedis();
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-data-'));
  const redis = new Redis(own.url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const start = (options: { flags?: string[]; env?: Record<string, string>; rules?: string } = {}) =>
    daemonProcess({
      config: quickSettings + (options.rules ?? rules),
      ...(options.flags ? { flags: options.flags } : {}),
      env: {
        REDIS_URL: own.url,
        AUTOPILOT_QUEUE_URL: platform.queueUrl,
        AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
        AWS_ENDPOINT_URL_IVS: platform.simulator.url,
        AWS_ENDPOINT_URL_SQS: platform.sqs.endpoint,
        AUTOPILOT_DATA_DIR: folder,
        ...options.env,
      },
    });
  return {
    platform,
    own,
    redis,
    start,
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await platform[Symbol.asyncDispose]();
      await own[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const polled = (daemon: DaemonProcess) => eventually(async () => (await daemon.ask('GET', '/readyz')).status === 200);
const pauseOf = async (daemon: DaemonProcess) => (await daemon.ask('GET', '/v1/pause')).body;
const pausedFor = (daemon: DaemonProcess, reason: string) =>
  eventually(async () => (await pauseOf(daemon)).reason === reason);
const stops = async ({ simulator }: Broadcast) =>
  (await simulator.control.calls()).filter(({ operation }) => operation === 'StopStream').length;
const held = async (daemon: DaemonProcess) =>
  (await daemon.ask('GET', '/v1/holds')).body.holds.map(({ channelArn }: { channelArn: string }) => channelArn);

const lossesOf = async ({ url }: DaemonProcess) => {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/autopilot_state_losses_total\{shard="main"\} (\d+)/.exec(metrics)![1]);
};

describe('Redis is emptied while daemons run', () => {
  // A single one, which has nobody to ask, in the soak.
  test.each(isThorough ? [1, 2] : [2])(
    'with %i of them: nothing acts, the controls are back, and a person resumes',
    async (replicas) => {
      await using bundle = await stand();
      const { platform, redis, own } = bundle;
      const { control } = platform.simulator;
      const [a, b] = (await control.createChannels(2)).map(({ arn }) => arn) as [string, string];
      await control.goLive([a, b]);
      await using daemon = await bundle.start();
      await using second = replicas === 2 ? await bundle.start() : undefined;
      const all = second ? [daemon, second] : [daemon];
      for (const each of all) await polled(each);
      for (const arn of [a, b])
        await daemon.ask('PUT', `/v1/holds/${encodeURIComponent(arn)}`, { reason: 'new encoder' });
      await daemon.ask('POST', '/v1/silences', { matchers: ['rule="none"'], reason: 'finals', duration: '1h' });
      await control.starve([a, b]);
      await eventually(async () => {
        const { body } = await daemon.ask('GET', '/v1/decisions?reason=held');
        return body.decisions.length >= 2;
      });

      const sent = await daemon.ask('POST', '/v1/metadata/batches', {
        targets: { channelArns: [a] },
        items: [{ payload: 'score' }],
      });
      expect(sent.status).toBe(202);

      await redis.flushall();
      for (const each of all) await pausedFor(each, 'state_lost');
      // The replica that had accepted it reports that it is lost.
      for (const each of all)
        await eventually(async () => {
          const { alerts } = (await each.ask('GET', '/v1/alerts')).body;
          const told = alerts.find(({ kind }: { kind: string }) => kind === 'state_lost');
          return told?.cause.includes(
            `At least 1 batch of metadata that had been accepted is gone: ${sent.body.batchId}.`,
          );
        });

      for (const each of all) {
        // The replica that noticed first may have been behind: what only the other knew follows at its next check.
        await eventually(async () => (await held(each)).toSorted().join() === [a, b].toSorted().join());
        await eventually(async () => (await each.ask('GET', '/v1/silences')).body.silences.length === 1);
        await eventually(async () => {
          const { alerts } = (await each.ask('GET', '/v1/alerts')).body;
          return alerts.some(({ kind }: { kind: string }) => kind === 'state_lost');
        });
      }
      // Reported by the one that repaired it, once the others can see it already.
      await eventually(() => all.flatMap(({ log }) => log).some((line) => line.includes('"STATE_LOST"')));
      await eventually(async () => {
        const losses = await Promise.all(all.map(lossesOf));
        return replicas === 1 ? losses[0] === 1 : losses.some((count) => count > 0);
      });
      const entries = await eventually(async () => {
        const told = (await daemon.ask('GET', '/v1/audit?what=state_lost')).body.entries;
        return told.length > 0 && told;
      });
      expect(entries).toContainEqual(expect.objectContaining({ who: 'autopilot', outcome: 'paused' }));

      // Both starve, and one is no longer on hold: only the pause protects it.
      await daemon.ask('DELETE', `/v1/holds/${encodeURIComponent(b)}`);
      await eventually(async () => {
        const { body } = await daemon.ask('GET', `/v1/decisions?reason=paused`);
        return body.decisions.length > 0;
      });
      expect(await stops(platform)).toBe(0);
      await daemon.ask('POST', '/v1/resume', { reason: 'compared' });
      await eventually(async () => (await stops(platform)) === 1);
      expect((await control.calls()).filter(({ operation }) => operation === 'StopStream')).toHaveLength(1);
      expect(await held(daemon)).toEqual([a]);

      if (!second) return;
      await eventually(async () => (await pauseOf(second)).paused === false);
      // Redis is away: the pause is in force where it was requested.
      await own.server.kill();
      const answer = await daemon.ask('POST', '/v1/pause', { reason: 'incident' });
      expect(answer).toMatchObject({ status: 200, body: { paused: true, written: false } });
      expect(answer.body.note).toContain('the others do not know yet');
      expect(await pauseOf(daemon)).toMatchObject({ paused: true, reason: 'incident' });
      expect((await pauseOf(second)).paused).toBe(false);
      expect((await second.ask('POST', '/v1/resume')).status).toBe(503);
      await own.restart();
      await pausedFor(second, 'incident');
    },
  );
});

describe('a daemon that starts', () => {
  test('on a Redis that was emptied while it was down is paused, also at its next start, until a person resumes', async () => {
    await using bundle = await stand();
    {
      await using daemon = await bundle.start();
      await polled(daemon);
      await daemon.ask('POST', '/v1/silences', { matchers: ['rule="none"'], reason: 'finals', duration: '1h' });
    }
    await bundle.redis.flushall();
    {
      await using daemon = await bundle.start();
      expect(await pauseOf(daemon)).toMatchObject({ paused: true, who: 'autopilot', reason: 'state_lost' });
    }
    await using daemon = await bundle.start({ flags: ['--paused'] });
    expect(await pauseOf(daemon)).toMatchObject({
      reason: 'state_lost',
      alsoPausedBy: [{ who: 'run --paused', reason: 'started paused' }],
    });
    expect((await daemon.ask('POST', '/v1/resume')).body).toEqual({ paused: false });
    expect(await pauseOf(daemon)).toEqual({ paused: false });
  });

  test('with AUTOPILOT_START_PAUSED=1 is paused, and on a newer version’s state ends with one line', async () => {
    await using bundle = await stand();
    {
      await using daemon = await bundle.start({ env: { AUTOPILOT_START_PAUSED: '1' } });
      expect(await pauseOf(daemon)).toMatchObject({ paused: true, who: 'AUTOPILOT_START_PAUSED' });
    }
    await bundle.redis.set('{autopilot:main}:state-head', '9|from the future');
    await expect(bundle.start()).rejects.toThrow(/"level":"?fatal[^\n]*STATE_TOO_NEW[^\n]*format 9/);
  });
});

describe('replicas that differ', () => {
  const slate = (condition: string) => `
limits: {request_timeout: 1500ms}
rules:
  - name: slate
    mode: enforce
    trigger: {state: {${condition}}}
    actions: [{put_metadata: {payload: {slate: true}}}]
    guards: {cooldown: 0s, max_per_hour: 1000, max_live_percent: 100}
`;

  test('in their rules are reported, each cause is acted on once, and the journal says by which configuration', async () => {
    await using bundle = await stand();
    const { control } = bundle.platform.simulator;
    const arns = (await control.createChannels(6)).map(({ arn }) => arn);
    await control.goLive(arns);
    await using first = await bundle.start({ rules: slate('health: [STARVING]') });
    const second = await bundle.start({ rules: slate('health: [STARVING], live: [true]') });
    await using stack = new AsyncDisposableStack();
    stack.use(second);
    for (const each of [first, second]) await polled(each);

    const alert = await eventually(async () => {
      const { alerts } = (await first.ask('GET', '/v1/alerts')).body;
      return alerts.find(({ kind }: { kind: string }) => kind === 'replicas_differ');
    });
    const { replicas, differences } = await eventually(async () => {
      const { body } = await second.ask('GET', '/v1/replicas');
      return body.replicas.length === 2 && body.differences.length > 0 && body;
    });
    const hashes = replicas.map(({ configHash }: { configHash: string }) => configHash);
    expect(new Set(hashes).size).toBe(2);
    expect(differences).toMatchObject([{ by: 'configuration' }]);
    for (const hash of hashes) expect(alert.cause).toContain(hash);
    for (const each of [first, second])
      await eventually(() => each.log.some((line) => line.includes('"REPLICAS_DIFFER"')));
    await eventually(async () =>
      (await fetch(`${second.url}/metrics`).then((answer) => answer.text())).includes(
        'autopilot_replicas_differ{shard="main",by="configuration"} 1',
      ),
    );

    await control.starve(arns);
    /** Items by channel: a call that had no answer in time is repeated with the same ids, and one item may be for all. */
    const slates = async () => {
      const ids = (await control.cues()).flatMap(({ channelArn, metadata }) =>
        JSON.parse(metadata).items.map(({ id }: any) => `${channelArn} ${id}`),
      );
      return new Set(ids).size;
    };
    await eventually(async () => (await slates()) >= 6);
    // Both continue to decide; enough ticks of each for a second action to show.
    const { calls } = { calls: async () => (await control.calls()).length };
    const seen = await calls();
    await eventually(async () => (await calls()) > seen + 8);
    const decisions = await eventually(async () => {
      const { body } = await first.ask('GET', '/v1/decisions?rule=slate&outcome=acted');
      return body.decisions.length >= 6 && body.decisions;
    });
    expect(decisions.map(({ channelArn }: { channelArn: string }) => channelArn).toSorted()).toEqual(arns.toSorted());
    for (const { configHash } of decisions) expect(hashes).toContain(configHash);
    expect(await slates()).toBe(6);

    await stack.disposeAsync();
    await eventually(async () => {
      const { alerts } = (await first.ask('GET', '/v1/alerts')).body;
      return !alerts.some(({ kind }: { kind: string }) => kind === 'replicas_differ');
    });
  });
});
