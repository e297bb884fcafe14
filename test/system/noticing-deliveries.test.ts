// Intake by the whole daemon while events are late, duplicated, reordered and missing: the record is still true.
import { expect, test } from 'vitest';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';
import { isThorough } from '#test/support/thorough.ts';

/** As fast as the quota of ListStreams allows: four calls a second. */
const polling = 'polling: {starving_interval: 500ms, full_interval: 500ms, inventory_interval: 10s, silent_after: 30s}';
const noRules = 'rules: []\n';

const slateAndFarewell = `
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 2s
    actions: [{put_metadata: {payload: {slate: "{{ channel.name }}"}}}]
    guards: {cooldown: 0s, max_live_percent: 100}
  - name: farewell
    mode: enforce
    trigger: {event: {detail-type: [IVS Stream State Change], detail: {event_name: [Stream End]}}}
    while: {live: [false]}
    for: 2s
    actions: [{tag: {set: {over: "yes"}}}]
    guards: {cooldown: 0s}
`;

async function setup({ channels: count = 1, rules = noRules, seed = 'deliveries' } = {}) {
  const platform = await broadcast({ seed });
  const { control } = platform.simulator;
  const channels = await control.createChannels(count, { namePrefix: 'list-' });
  const arn = channels[0]!.arn;
  const daemon = await platform.daemon({ rules, polling });
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

test.concurrent('every event arrives: the record relies on events, and shows what happened in their order', async () => {
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

test.concurrent('no event arrives: polls find the stream, its health and its end; an end that events alone missed is counted', async () => {
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
  // Events alone would have got only the second end wrong.
  await eventually(
    async () => (await metric(rig.daemon, 'autopilot_event_poll_disagreements', { fact: 'ended' })) === 1,
  );
});

test.concurrent('events arrive twice, late and in the wrong order: the newest session ends as it really did', async () => {
  await using rig = await setup();
  await rig.control.setEventPolicy({ doubled: 0.5, late: 0.5, lateMs: [200, 1_200], reordered: 0.3 });

  const [first] = await rig.control.goLive(rig.arn);
  await rig.until({ state: 'live', streamId: first });
  await rig.control.starve(rig.arn);
  await rig.control.end(rig.arn);
  const [second] = await rig.control.goLive(rig.arn);
  await rig.until({ state: 'live', streamId: second });
  await rig.control.starve(rig.arn);
  await rig.control.recover(rig.arn);
  await new Promise((done) => setTimeout(done, 1_400));
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

// More seeds in the soak.
test.concurrent.each(isThorough ? ['one', 'two', 'three', 'four'] : ['one'])(
  'rules act once for what has lasted, and never for what was over, however bad the deliveries are (%s)',
  async (seed) => {
    await using rig = await setup({ channels: 4, rules: slateAndFarewell, seed });
    const { control } = rig;
    const [long, blip, gone, ends] = rig.channels.map(({ arn }) => arn) as [string, string, string, string];
    const names = new Map(rig.channels.map(({ arn, name }) => [name, arn]));
    await control.goLive([long, blip, gone, ends]);
    await eventually(async () => (await rig.daemon.ask('GET', '/v1/streams')).body.counts.healthy === 4);
    await control.setEventPolicy({ doubled: 0.3, late: 0.4, lateMs: [500, 2_500], reordered: 0.3, missing: 0.2 });
    const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
    const slates = async () =>
      (await control.cues()).map(({ metadata, at }) => ({
        arn: names.get(JSON.parse(metadata).items[0].d.slate as string),
        at,
      }));
    const hasSlate = (channel: string) => eventually(async () => (await slates()).some(({ arn }) => arn === channel));

    await control.clearCalls();
    const starvedMs = Date.now();
    await control.starve([long, blip, gone, ends]);
    await pause(300);
    await control.recover(blip);
    const blippedMs = Date.now();
    await control.end(gone);
    const goneMs = Date.now();
    await control.goLive(gone);
    await hasSlate(long);
    await hasSlate(ends);
    await control.recover([long, ends]);
    await control.end(ends);
    const recoveredMs = Date.now();
    const starvedAgainMs = Date.now();
    await control.starve(blip);
    await eventually(async () => (await slates()).some(({ arn, at }) => arn === blip && at >= starvedAgainMs));
    // Until the last of the late ones has come.
    await pause(Math.max(0, starvedAgainMs + 2_600 - Date.now()));
    await control.releaseEvents();
    await control.settleEvents();
    await eventually(async () => (await rig.platform.queueDepth()) === 0);
    await eventually(async () => (await story(rig.daemon, ends)).record.state === 'ended');
    await pause(2_500);

    const found = await slates();
    // On a busy machine sweeps are far apart: two of them see what is over.
    const asked = (await control.calls({ operation: 'ListStreams' })).map(({ at }) => at);
    const seenMs = 2 * Math.max(...asked.slice(1).map((at, index) => at - asked[index]!));
    const nowMs = Date.now();
    let right = 0;
    for (const [arn, fromMs, untilMs, lasted] of [
      [long, starvedMs, recoveredMs, true],
      [ends, starvedMs, recoveredMs, true],
      [blip, starvedMs, blippedMs, false],
      [gone, starvedMs, goneMs, false],
      [blip, starvedAgainMs, nowMs, true],
    ] as const) {
      // Events are dated to the second.
      const ofIt = found.filter(({ arn: of, at }) => of === arn && at >= fromMs + 1_000 && at <= untilMs + seenMs);
      if (lasted) expect(ofIt).toHaveLength(1);
      else if (untilMs - fromMs + seenMs < 2_000) expect(ofIt).toEqual([]);
      else expect(ofIt.length).toBeLessThanOrEqual(1);
      right += ofIt.length;
    }
    expect(found).toHaveLength(right);
    const { body } = await rig.daemon.ask('GET', '/v1/decisions?rule=farewell&outcome=acted');
    const told = (await control.events()).filter(({ event, fate }) => isEndOf(event, ends) && fate !== 'missing');
    expect(body.decisions.map(({ channelArn }: any) => channelArn)).toEqual(told.length > 0 ? [ends] : []);
  },
);

const isEndOf = ({ resources, detail }: { resources: readonly string[]; detail: any }, arn: string) =>
  detail.event_name === 'Stream End' && resources.includes(arn);

test.concurrent('lists streams by state and health, with the totals of the fleet', async () => {
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

test.concurrent('a channel created after the last listing is looked up when it goes live', async () => {
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

test.concurrent('an event with a detail type that is newer than every table fires its rule, directly from the rule or through SNS', async () => {
  await using rig = await setup({
    rules: `
rules:
  - name: newer
    mode: enforce
    trigger: {event: {source: [aws.ivs], detail-type: [IVS Something New], detail: {event_name: [Thing Began], size: [{numeric: [">", 5]}]}}}
    actions: [{put_metadata: {payload: {thing: "{{ event.detail.size }}"}}}]
    guards: {cooldown: 0s}
`,
  });
  const event = (id: string, size: number) => ({
    version: '0',
    id,
    'detail-type': 'IVS Something New',
    source: 'aws.ivs',
    account: rig.arn.split(':')[4],
    time: new Date().toISOString(),
    region: 'us-west-2',
    resources: [rig.arn],
    detail: { event_name: 'Thing Began', size },
  });
  const cue = async (text: string) => (await rig.control.cues()).some(({ metadata }) => metadata.includes(text));
  await rig.control.goLive(rig.arn);
  await rig.until({ state: 'live' });

  await rig.platform.send(JSON.stringify(event('new-1', 3)));
  await rig.platform.send(JSON.stringify(event('new-2', 7)));
  await eventually(() => cue('"thing":7'));
  const byTopic = { Type: 'Notification', MessageId: 'm', Message: JSON.stringify(event('new-3', 9)) };
  await rig.platform.send(JSON.stringify(byTopic));
  await eventually(() => cue('"thing":9'));

  const { body } = await rig.daemon.ask('GET', '/v1/decisions?rule=newer');
  expect(JSON.stringify(body)).not.toContain('new-1');
});
