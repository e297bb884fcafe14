// Noticing by the whole daemon while events are late, doubled, reordered and missing: the record says what is true all the same.
import { expect, test } from 'vitest';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const noRules = 'rules: []\n';

async function setup({ channels: count = 1 } = {}) {
  const platform = await broadcast();
  const { control } = platform.simulator;
  const channels = await control.createChannels(count, { namePrefix: 'list-' });
  const arn = channels[0]!.arn;
  const daemon = await platform.daemon({ rules: noRules });
  const record = async () => (await story(daemon, arn)).record;
  const until = (wanted: object) =>
    eventually(async () => {
      const found = await record();
      return Object.entries(wanted).every(([field, value]) => found?.[field] === value) && found;
    });
  return {
    platform,
    control,
    channels,
    arn,
    daemon,
    record,
    until,
    [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
  };
}

async function story(daemon: Daemon, arn: string): Promise<any> {
  const { status, body } = await daemon.ask('GET', `/v1/streams/${encodeURIComponent(arn)}`);
  return status === 404 ? { record: undefined } : body;
}

test('every event arrives: the record rests on events, and tells the story in their order', async () => {
  await using rig = await setup();

  const [streamId] = await rig.control.goLive(rig.arn);
  await rig.until({ state: 'live', health: 'HEALTHY', streamId });
  await rig.control.starve(rig.arn);
  await rig.until({ health: 'STARVING' });
  await rig.control.recover(rig.arn);
  await rig.until({ health: 'HEALTHY' });
  await rig.control.end(rig.arn);
  const ended = await rig.until({ state: 'ended' });

  expect(ended).toMatchObject({ health: 'UNKNOWN', endedAt: expect.any(String) as unknown });
  await eventually(async () =>
    (await story(rig.daemon, rig.arn)).timeline.some((entry: any) => entry.name === 'Stream End'),
  );
  const names = (await story(rig.daemon, rig.arn)).timeline
    .filter(({ source }: any) => source === 'event')
    .map(({ name }: any) => name)
    .filter((name: string) => name !== 'Session Ended');
  expect(names).toEqual(['Session Created', 'Stream Start', 'Starvation Start', 'Starvation End', 'Stream End']);
});

test('no event arrives at all: polls find the stream, its health and its end; an end that only events lost is counted', async () => {
  await using rig = await setup();
  await rig.control.setEventPolicy({ missing: 1 });

  await rig.control.goLive(rig.arn);
  const live = await rig.until({ state: 'live', health: 'HEALTHY' });
  await rig.control.starve(rig.arn);
  const starving = await rig.until({ health: 'STARVING' });
  await rig.control.recover(rig.arn);
  await rig.until({ health: 'HEALTHY' });
  await rig.control.end(rig.arn);
  const ended = await rig.until({ state: 'ended' });

  expect(live).toMatchObject({ evidence: { state: { source: 'poll', name: 'ListStreams' } } });
  expect(starving).toMatchObject({ evidence: { health: { source: 'poll' } } });
  expect(ended).toMatchObject({ evidence: { state: { source: 'poll' } } });

  await rig.control.setEventPolicy({ missing: 0 });
  const [second] = await rig.control.goLive(rig.arn);
  await rig.until({ state: 'live', streamId: second });
  await eventually(async () =>
    (await story(rig.daemon, rig.arn)).timeline.some((entry: any) => entry.name === 'Stream Start'),
  );
  await rig.control.setEventPolicy({ missing: 1 });
  await rig.control.end(rig.arn);
  await rig.until({ state: 'ended', streamId: second });
  // Only the second end is one that events alone would have got wrong.
  await eventually(
    async () => (await metric(rig.daemon, 'autopilot_event_poll_disagreements', { fact: 'ended' })) === 1,
  );
});

test('events arrive twice, late and in the wrong order: the newest session ends as it truly did', async () => {
  await using rig = await setup();
  await rig.control.setEventPolicy({ doubled: 0.5, late: 0.5, lateMs: [500, 3_000], reordered: 0.3 });

  const [first] = await rig.control.goLive(rig.arn);
  await rig.until({ state: 'live', streamId: first });
  await rig.control.starve(rig.arn);
  await rig.control.end(rig.arn);
  const [second] = await rig.control.goLive(rig.arn);
  await rig.until({ state: 'live', streamId: second });
  await rig.control.starve(rig.arn);
  await rig.control.recover(rig.arn);
  await new Promise((done) => setTimeout(done, 3_200));
  await rig.control.releaseEvents();
  await rig.control.settleEvents();
  await eventually(async () => (await rig.platform.queueDepth()) === 0);

  const told = await eventually(async () => {
    const found = await story(rig.daemon, rig.arn);
    return found.record.health === 'HEALTHY' && found;
  });
  expect(told.record).toMatchObject({ state: 'live', streamId: second });
  expect(told.sessions).toMatchObject([{ state: 'ended', streamId: first }]);
  const keys = told.timeline.map(({ name, eventTime, text }: any) => `${name} ${eventTime} ${text}`);
  expect(new Set(keys).size).toBe(keys.length);
});

test('a list of streams, by state and health, with what a fleet amounts to', async () => {
  await using rig = await setup({ channels: 4 });
  const arns = rig.channels.map(({ arn }) => arn);
  await rig.control.goLive(arns);
  await rig.control.starve(arns[1]!);

  const starving = await eventually(async () => {
    const { body } = await rig.daemon.ask('GET', '/v1/streams?health=STARVING');
    return body.streams.length === 1 && body.counts.live === 4 && body.counts.healthy === 3 && body;
  });
  expect(starving).toMatchObject({
    counts: { starving: 1, channels: 4 },
    stale: {},
    streams: [{ channelArn: arns[1], channelName: 'list-0002' }],
  });
  const page = (await rig.daemon.ask('GET', '/v1/streams?limit=3')).body;
  const rest = (await rig.daemon.ask('GET', `/v1/streams?limit=3&after=${encodeURIComponent(page.next)}`)).body;
  expect([page.streams.length, rest.streams.length, rest.next]).toEqual([3, 1, undefined]);
  expect(await rig.daemon.ask('GET', '/v1/streams?helth=STARVING')).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('did you mean health') as unknown },
  });
  const unknown = rig.arn.replace(/[^/]+$/, 'NoSuchChanne');
  expect((await rig.daemon.ask('GET', `/v1/streams/${encodeURIComponent(unknown)}`)).status).toBe(404);
});

test('a channel that was made after the last listing is looked up when it goes live', async () => {
  await using rig = await setup();

  const late = await rig.control.createChannel({ name: 'newcomer', tags: { tier: 'gold' } });
  await rig.control.goLive(late.arn);

  const told = await eventually(async () => {
    const found = await story(rig.daemon, late.arn);
    return found.channel && found;
  });
  expect(told).toMatchObject({ channel: { name: 'newcomer', tags: { tier: 'gold' } }, record: { state: 'live' } });
});

async function metric(daemon: Daemon, name: string, labels: Record<string, string>): Promise<number | undefined> {
  const found = await daemon.metrics.registry.getSingleMetric(name)?.get();
  return found?.values.find((value) =>
    Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted),
  )?.value;
}
