// Data gaps with the whole daemon: polls that fail, an event queue that is away. What was known is marked as stale, timers stand still, and
// nothing is invented about the gap when the data comes back.
import { expect, test } from 'vitest';
import type { DataGapObservation } from '#domain/observation.ts';
import { startLocalSqs } from '#simulator/sqs.ts';
import { apiClient } from '#src/cli/support.ts';
import type { Committed } from '#src/pipeline.ts';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const polling = 'polling: {starving_interval: 500ms, full_interval: 500ms, inventory_interval: 1h, silent_after: 6s}';
const slate = `
events: {silent_after: 6s}
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 5s
    actions: [{put_metadata: {payload: {slate: "{{ channel.name }}"}}}]
    guards: {cooldown: 0s, max_live_percent: 100}
`;

async function setup() {
  const platform = await broadcast();
  const { control } = platform.simulator;
  const channels = await control.createChannels(2, { namePrefix: 'studio-' });
  const arns = channels.map(({ arn }) => arn);
  await control.goLive(arns);
  const noted: DataGapObservation[] = [];
  const onCommitted = ({ observations }: Committed) => {
    for (const observation of observations) if (observation.kind === 'data_gap') noted.push(observation);
  };
  const daemon = await platform.daemon({ rules: slate, polling, onCommitted });
  await eventually(async () => (await daemon.ask('GET', '/v1/streams')).body.counts.healthy === 2);
  return {
    platform,
    control,
    arns,
    daemon,
    /** The gaps of a source that were observed, in order. */
    gaps: (source: string) => noted.filter((gap) => gap.source === source),
    slates: async () =>
      (await control.cues()).map(({ metadata, at }) => ({ name: JSON.parse(metadata).items[0].d.slate as string, at })),
    live: () => liveStatus(daemon),
    /** As soon as it is reported: a busy daemon may delay a request. */
    record: (arn: string) =>
      eventually(async () => (await daemon.ask('GET', `/v1/streams/${encodeURIComponent(arn)}`)).body.record),
    [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
  };
}

async function liveStatus(daemon: Daemon): Promise<any> {
  const client = apiClient({ env: { AUTOPILOT_URL: daemon.url }, signal: AbortSignal.timeout(120_000) });
  return client.firstEvent('/v1/live', 'status');
}

const gauge = async ({ url }: Daemon, source: string) =>
  Number(
    new RegExp(`autopilot_data_gap\\{[^}]*source="${source}"[^}]*\\} (\\d)`).exec(
      await (await fetch(`${url}/metrics`)).text(),
    )?.[1],
  );

async function failedPolls({ metrics }: Daemon): Promise<number> {
  const { values } = await metrics.polls.get();
  return values.find(({ labels }) => labels.scope === 'all' && labels.outcome === 'incomplete')?.value ?? 0;
}

const trust = (status: any, name: string) => status.trust.find((line: any) => line.name === name).state as string;

test.concurrent('polls fail: records are stale, `for` stands still, and continues with the remaining time when data is back', async () => {
  await using rig = await setup();
  const [stays, recovers] = rig.arns as [string, string];
  await rig.control.starve(rig.arns);
  await eventually(async () => (await rig.daemon.ask('GET', '/v1/streams?health=STARVING')).body.streams.length === 2);
  // From now on there is no true data: no event comes, and no list.
  await rig.control.setEventPolicy({ missing: 1 });
  await rig.control.addFault({ operation: 'ListStreams', error: 'ServiceUnavailable', status: 503 });
  const failedBefore = await failedPolls(rig.daemon);

  const before = await eventually(async () => {
    const { body } = await rig.daemon.ask('GET', '/v1/streams');
    return body.stale.polls !== undefined && body;
  });
  // Hidden: it recovers while nothing is seen.
  await rig.control.recover(recovers);
  await eventually(async () => (await gauge(rig.daemon, 'poll')) === 1);
  const status = await eventually(async () => {
    const told = await rig.live();
    return trust(told, 'Poll') === 'stale' && told;
  });
  const ready = await rig.daemon.ask('GET', '/readyz');
  // Longer than `for`, which is shorter than the silence that makes a gap.
  await new Promise((done) => setTimeout(done, 5_500));
  const duringGap = await rig.slates();
  const began = rig.gaps('poll').at(-1);
  // On a busy machine polls may be far apart.
  await eventually(async () => (await failedPolls(rig.daemon)) >= failedBefore + 2);
  await rig.control.clearFaults();
  const cues = await eventually(async () => {
    const found = await rig.slates();
    return found.length > 0 ? found : undefined;
  });

  expect(before.streams.map(({ health }: any) => health)).toEqual(['STARVING', 'STARVING']);
  expect(status.stale).toBe(true);
  expect(ready.body.checks.poll).toMatch(/^ok, but no complete sweep since /);
  expect(duringGap).toEqual([]);
  const ended = rig.gaps('poll')[rig.gaps('poll').indexOf(began!) + 1];
  expect([began?.state, ended?.state]).toEqual(['began', 'ended']);
  // The gap, which was longer than `for`, did not count: the starvation minus the gap lasted at least half of `for`, even on a busy machine
  // with late commits. The exact time, and that `for` does not restart, is tested in virtual time.
  const { healthSince } = await rig.record(stays);
  const seenMs = cues[0]!.at - Date.parse(healthSince) - (ended!.atMs - began!.sinceMs!);
  expect(seenMs).toBeGreaterThanOrEqual(2_500);
  // The one that recovered unseen is not acted on, now or later.
  await eventually(async () => (await rig.record(recovers)).health === 'HEALTHY');
  await new Promise((done) => setTimeout(done, 1_500));
  expect((await rig.slates()).map(({ name }) => name)).toEqual(['studio-0001']);
  await eventually(async () => Object.keys((await rig.daemon.ask('GET', '/v1/streams')).body.stale).length === 0);
  // One line at the beginning and one at the end, however many polls failed meanwhile.
  const lines = rig.daemon.log.map((line) => JSON.parse(line) as Record<string, unknown>);
  const told = lines.filter(
    ({ message, scope }) => /live streams .*(cannot|again)/.test(String(message)) && scope === 'all',
  );
  expect(told).toMatchObject([
    { level: 'error', code: 'POLL_FAILED' },
    { level: 'info', failures: expect.any(Number) as unknown, lastedMs: expect.any(Number) as unknown },
  ]);
  expect(told[1]!['failures']).toBeGreaterThan(1);
});

test.concurrent('the event queue is away: readiness, page and metrics say so, timers stand still; when it is back, they continue', async () => {
  await using rig = await setup();
  const port = Number(new URL(rig.platform.sqs.endpoint).port);
  await rig.platform.sqs.close();
  const began = await eventually(() => rig.gaps('events').find(({ state }) => state === 'began'));

  // Polls still see it, and nothing is done: half of the data is missing.
  await rig.control.starve(rig.arns[0]!);
  await eventually(async () => (await rig.record(rig.arns[0]!)).health === 'STARVING');
  // On a busy machine polls may be late too, for a while.
  await eventually(async () => {
    const { stale } = (await rig.daemon.ask('GET', '/v1/streams')).body;
    return Object.keys(stale).join() === 'events';
  });
  const ready = await eventually(async () => {
    const answer = await rig.daemon.ask('GET', '/readyz');
    return answer.status === 503 && answer.body.checks.poll === 'ok' ? answer : undefined;
  });
  const status = await eventually(async () => {
    const told = await rig.live();
    return trust(told, 'Poll') === 'ok' && told;
  });
  await new Promise((done) => setTimeout(done, 5_500));
  const duringGap = await rig.slates();
  await eventually(async () => (await gauge(rig.daemon, 'events')) === 1);
  await using sqs = await startLocalSqs({ port });
  await sqs.createQueue('ivs-events', { VisibilityTimeout: '5' });
  await eventually(async () => (await rig.slates()).length === 1);

  expect(ready.body.checks.redis).toBe('ok');
  expect(ready.body.checks.sqs).toContain('the event queue was last read at');
  expect(trust(status, 'Events')).toBe('stale');
  expect(status.eventLagMs).toBeUndefined();
  expect(duringGap).toEqual([]);
  const ended = rig.gaps('events')[rig.gaps('events').indexOf(began) + 1];
  const [cue] = await rig.slates();
  // `for` was still left: all of the starvation was seen while the queue was away.
  expect(cue!.at).toBeGreaterThan(ended!.atMs + 2_500);
  await eventually(async () => (await rig.daemon.ask('GET', '/readyz')).status === 200);
  await eventually(async () => (await rig.live()).eventLagMs !== undefined);
});

test.concurrent('nobody polls any longer: replicas that only serve the API say so', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [channel] = await control.createChannels(1, { namePrefix: 'studio-' });
  await control.goLive(channel!.arn);
  const intake = await platform.daemon({ rules: slate, polling, role: 'intake' });
  const api = await platform.daemon({ rules: slate, polling, role: 'api' });
  await eventually(async () => {
    const { counts, stale } = (await api.ask('GET', '/v1/streams')).body;
    return counts.healthy === 1 && Object.keys(stale).length === 0;
  });

  await intake.app.stop();
  await eventually(async () => (await api.ask('GET', '/v1/streams')).body.stale.polls !== undefined);

  const ready = await api.ask('GET', '/readyz');
  expect(ready.body.checks.poll).toMatch(/^ok, but no complete sweep since /);
  await eventually(async () => trust(await liveStatus(api), 'Poll') === 'stale');
  await eventually(async () => (await gauge(api, 'poll')) === 1);
});
