// Replicas with wrong clocks, as separate processes: shared times come from Redis's clock, their own from a clock that only moves forward.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Broadcast, broadcast, quickSettings } from '#test/support/broadcast.ts';
import { daemonProcess } from '#test/support/daemon-process.ts';
import { eventually } from '#test/support/quiet.ts';

const hour = 3_600_000;
// What an empty ledger of permits waits for is as short as calls are.
const rules = `
limits: {request_timeout: 2s}
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 2s
    actions: [{put_metadata: {payload: {slate: "{{ channel.name }}"}, expires: 20s}}]
    guards: {cooldown: 0s, max_live_percent: 100}
`;

interface Cue {
  readonly items: readonly { readonly id: string; readonly d: { readonly by?: string; readonly slate?: string } }[];
}

/** A daemon whose clock is wrong; `clock` as test/support/shifted-clock.mjs reads it. */
const replica = (platform: Broadcast, clock: string) =>
  daemonProcess({
    config: quickSettings + rules,
    env: {
      NODE_OPTIONS: `--import ${join(import.meta.dirname, '..', 'support', 'shifted-clock.mjs')}`,
      TEST_CLOCK: clock,
      REDIS_URL: platform.scope.url,
      AUTOPILOT_NAMESPACE: platform.scope.namespace,
      AUTOPILOT_QUEUE_URL: platform.queueUrl,
      AWS_ENDPOINT_URL_IVS: platform.simulator.url,
      AWS_ENDPOINT_URL_SQS: platform.sqs.endpoint,
      LOG_LEVEL: 'debug',
    },
  });

async function platformWithOne() {
  const platform = await broadcast();
  const { control } = platform.simulator;
  const [channel] = await control.createChannels(1, { namePrefix: 'studio-' });
  await control.goLive([channel!.arn]);
  /** One full sweep a second, and two of the starving streams. */
  const sweeps = () => control.calls({ operation: 'ListStreams' });
  /** Each item once: if a busy machine misses the answer of a call, the call is repeated with the same ids. */
  const items = async () => {
    const cues = (await control.cues()).map(({ metadata }) => JSON.parse(metadata) as Cue);
    return [...new Map(cues.flatMap((cue) => cue.items.map(({ id, d }) => [id, d] as const))).values()];
  };
  return { platform, control, arn: channel!.arn, sweeps, items };
}

const ready = (daemon: { ask(method: string, path: string): Promise<{ status: number }> }) =>
  eventually(async () => (await daemon.ask('GET', '/readyz')).status === 200);

test('one an hour ahead, which jumps further, and one an hour behind poll once per interval, act once and in time, and do not depend on each other', async () => {
  const { platform, control, arn, sweeps, items } = await platformWithOne();
  await using _ = platform;
  // First, one alone: what it schedules for later must become due in time for the other one.
  await using ahead = await replica(platform, `0:${hour},9000:${2 * hour}`);
  await ready(ahead);
  await using behind = await replica(platform, `0:${-hour}`);
  await ready(behind);

  const before = (await sweeps()).length;
  const from = performance.now();
  await eventually(async () => (await sweeps()).length >= before + 9);
  const seconds = (performance.now() - from) / 1_000;
  expect((await sweeps()).length - before).toBeLessThanOrEqual(3 * seconds + 4);

  const starvedAt = performance.now();
  await control.starve(arn);
  await eventually(async () => (await control.cues()).length > 0);
  // An event is dated in whole seconds.
  expect(performance.now() - starvedAt).toBeGreaterThan(900);
  const batches = await Promise.all(
    [behind, ahead].map((daemon) =>
      daemon.ask('POST', '/v1/metadata/batches', {
        targets: { channelArns: [arn] },
        items: [{ payload: { by: daemon.url }, expiresInMs: 30_000 }],
      }),
    ),
  );
  expect(batches.map(({ status }) => status)).toEqual([202, 202]);
  // Both may share a call.
  await eventually(async () => (await items()).filter(({ by }) => by !== undefined).length === 2);

  await ahead.kill();
  const left = (await sweeps()).length;
  await eventually(async () => (await sweeps()).length >= left + 5);
  expect((await items()).filter(({ slate }) => slate !== undefined)).toHaveLength(1);
});
