// The processes that decide and those that act are killed while a rule's metadata is on its way from the commit to the outbox: each channel
// gets what was decided for it once, and one that was put on hold in between gets nothing.
import { expect, test } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { unpackCue } from '#src/player/cues.ts';
import { type DaemonProcess, daemonProcess } from '#test/support/daemon-process.ts';
import { eventually, seededRandom } from '#test/support/quiet.ts';
import { ownRedis } from '#test/support/redis.ts';

const channelCount = 120;
const rounds = Number(process.env['SOAK_ROUNDS'] ?? 6);
const seed = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);
const config = `version: 1
polling: {starving_interval: 1s, full_interval: 3s}
defaults: {mode: enforce, guards: {cooldown: 0s}}
rules:
  - name: slate
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: {slate: true, since: "{{ firing.since }}"}}}]
`;

test('kill -9 of intake and worker between commit and outbox, a hold in between: each firing is one item of its channel', async () => {
  const random = seededRandom(seed);
  await using redis = await ownRedis();
  await using simulator = await startSimulator({ quotas: { concurrentStreams: channelCount } });
  const { control } = simulator;
  const channels = (await control.createChannels(channelCount)).map(({ arn }) => arn);
  await control.goLive(channels);
  const env = { REDIS_URL: redis.url, AWS_ENDPOINT_URL: simulator.url, AUTOPILOT_NAMESPACE: 'fanout' };
  const start = async (role: string): Promise<DaemonProcess> => {
    const daemon = await daemonProcess({ config, env, flags: ['--role', role] });
    // The others are ready when somebody polls.
    if (role === 'intake') await eventually(async () => (await daemon.ask('GET', '/readyz')).status === 200);
    return daemon;
  };
  const delivered = async () =>
    Map.groupBy(
      (await control.cues()).flatMap(({ channelArn, metadata }) =>
        unpackCue(metadata).map(({ id }) => ({ channelArn, id })),
      ),
      ({ channelArn }) => channelArn,
    );
  const decided = async (daemon: DaemonProcess) => {
    const { body } = await daemon.ask('GET', '/v1/decisions?rule=slate&outcome=acted&limit=1000');
    return Map.groupBy(
      body.decisions as { channelArn: string; jobs: { jobId: string }[] }[],
      (each) => each.channelArn,
    );
  };
  await using api = await start('api');
  const held = new Set<string>();

  for (let round = 1; round <= rounds; round += 1) {
    const [intake, worker] = [await start('intake'), round % 2 === 0 ? await start('worker') : undefined];
    await control.starve(channels);
    // At some time between the first commit and the last channel's acceptance.
    await eventually(async () => (await decided(api)).size > 0);
    await new Promise((done) => setTimeout(done, random() * 400));
    await Promise.all([intake.kill(), worker?.kill()]);
    const name = channels[round]!;
    await api.ask('PUT', `/v1/holds/${encodeURIComponent(name)}`, { reason: 'soak' });
    held.add(name);

    await using _intake = await start('intake');
    await using _worker = await start('worker');
    // No sender is left when the round is over.
    await eventually(async () => {
      const [firings, arrived] = [await decided(api), await delivered()];
      return channels.every((arn) => {
        const fired = firings.get(arn)?.length ?? 0;
        return held.has(arn) || (fired >= round && idsIn(arrived.get(arn)).size >= fired);
      });
    });
    await control.recover(channels);
    const open = async () =>
      (await api.ask('GET', '/v1/streams?limit=1000')).body.streams.some(
        (each: { health: string }) => each.health === 'STARVING',
      );
    await eventually(async () => !(await open()));
  }

  const firings = await decided(api);
  const arrived = await delivered();
  for (const arn of channels) {
    const ids = idsIn(arrived.get(arn));
    const jobs = (firings.get(arn) ?? []).flatMap(({ jobs: each }) => each);
    if (held.has(arn)) expect(ids.size, `${arn} seed ${seed}`).toBeLessThanOrEqual(jobs.length);
    else expect(ids.size, `${arn} seed ${seed}`).toBe(jobs.length);
    for (const { jobId } of jobs.slice(-1)) {
      const { body } = await api.ask('GET', `/v1/jobs/${jobId}`);
      expect(body, jobId).toMatchObject({ name: 'put_metadata', channelArn: arn, state: 'completed' });
    }
  }
});

/** A call that was repeated has the same ids. */
function idsIn(items: readonly { readonly id: string | undefined }[] = []): ReadonlySet<string | undefined> {
  return new Set(items.map(({ id }) => id));
}
