// The scenario of late, duplicated, reordered and missing events, played through a real queue into the whole daemon: its final knowledge is
// compared with what the same events, each delivered once and at once, amount to.
import { readFileSync } from 'node:fs';
import { CreateRecordingConfigurationCommand, type IvsClient, ListStreamsCommand } from '@aws-sdk/client-ivs';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { StreamSnapshot } from '#domain/channel.ts';
import { durationMs } from '#domain/duration.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { observeEvent } from '#intake/events/observe.ts';
import type { EventRecord, SimulatorClient } from '#simulator/client.ts';
import { channelStory } from '#streams/queries.ts';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';
import { ivsFor } from '#test/support/simulator-sdk.ts';
import { Noticing } from '#test/support/streams.ts';

/** The scenario takes five minutes; speeded up this much it keeps its order. */
const quicker = 20;
const timed = new Set(['at', 'every', 'lateMs', 'rampMs', 'for']);

/** The same scenario with all its times shortened. */
function hastened(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => hastened(each, key));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hastened(each, name)]));
  if (!timed.has(key)) return value;
  if (typeof value === 'number') return Math.round(value / quicker);
  return `${Math.round(durationMs(String(value)) / quicker)}ms`;
}

async function recordingConfiguration(ivs: IvsClient): Promise<string> {
  const { recordingConfiguration: made } = await ivs.send(
    new CreateRecordingConfigurationCommand({ destinationConfiguration: { s3: { bucketName: 'shows' } } }),
  );
  return made!.arn!;
}

interface Told {
  readonly streamId: string;
  readonly state: string;
  readonly health: string;
  readonly recording: string;
  readonly startedAt?: string | undefined;
  readonly endedAt?: string | undefined;
}

/** What the daemon says about each session of a channel. */
async function toldOf(daemon: Daemon, arn: string): Promise<Told[]> {
  const { body } = await daemon.ask('GET', `/v1/streams/${encodeURIComponent(arn)}`);
  return [body.record, ...body.sessions] as Told[];
}

/** The sessions that follow from every event, each delivered once and at once, and from the final lists. */
async function perfect(events: readonly EventRecord[], ivs: IvsClient): Promise<Noticing> {
  const noticing = new Noticing();
  for (const { event, at } of events) {
    const seen = observeEvent({ ...event }, { arrivedAtMs: at + 100, sources: ['aws.ivs'] });
    if (seen.kind === 'observation') await noticing.see(seen.observation);
  }
  // Nothing changes any longer, so one list represents several sweeps. The daemon's own calls come first.
  const { streams = [] } = await eventually(() =>
    ivs.send(new ListStreamsCommand({ maxResults: 100 })).catch(() => undefined),
  );
  const snapshots = streams.map(({ channelArn, streamId, health, viewerCount, startTime }) => ({
    channelArn,
    streamId,
    health,
    viewerCount,
    startTimeMs: startTime!.getTime(),
  })) as unknown as StreamSnapshot[];
  for (const passAtMs of [Date.now(), Date.now() + 1_000, Date.now() + 2_000])
    await noticing.see({
      kind: 'poll',
      scope: 'all',
      pollId: String(passAtMs),
      startedAtMs: passAtMs,
      finishedAtMs: passAtMs + 100,
      complete: true,
      pages: 1,
      streams: snapshots,
    });
  return noticing;
}

const asTold = ({ streamId, state, health, recording, startedAtMs, endedAtMs }: StreamRecord): Told => ({
  streamId,
  state,
  health,
  recording,
  ...(startedAtMs === undefined ? {} : { startedAt: new Date(startedAtMs).toISOString() }),
  ...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs).toISOString() }),
});

const apartMs = (a: string | undefined, b: string | undefined) => Math.abs(Date.parse(a ?? '') - Date.parse(b ?? ''));

async function play(control: SimulatorClient, recording: string): Promise<string[]> {
  const scenario = parse(readFileSync('config/scenarios/late-and-missing-events.yaml', 'utf8')) as {
    channels: object[];
  };
  scenario.channels = scenario.channels.map((group) => ({ ...group, recordingConfigurationArn: recording }));
  await control.loadScenario(stringify(hastened(scenario)));
  await eventually(async () => (await control.scenario())!.finished);
  return (await control.channels()).map(({ arn }) => arn);
}

test('late, duplicated, reordered and missing events: every session is known as if all events had come once and in time', async () => {
  await using platform = await broadcast({ seed: 'late-and-missing' });
  const { control, url } = platform.simulator;
  const ivs = ivsFor(url);
  const daemon = await platform.daemon({
    rules: 'rules: []\n',
    polling: 'polling: {starving_interval: 500ms, full_interval: 1s, inventory_interval: 1h, silent_after: 30s}',
  });
  const arns = await play(control, await recordingConfiguration(ivs));
  // Deliveries stay as bad as at the scenario's end, while some broadcasts end and some start again.
  await control.end(arns.slice(5, 15));
  await control.goLive(arns.slice(10, 15));
  await control.starve(arns.slice(12, 20));
  await control.recover(arns.slice(14, 18));
  await new Promise((done) => setTimeout(done, 3_500));
  await control.releaseEvents();
  expect(await control.settleEvents()).toEqual([]);
  await eventually(async () => (await platform.queueDepth()) === 0);
  const truth = await perfect(await control.events(), ivs);
  const events = await control.events();
  // On a busy machine polls are far apart: an end that only they report is known after two of them.
  const asked = (await control.calls({ operation: 'ListStreams' })).map(({ at }) => at);
  const byPollsMs = 1_000 + 2 * Math.max(...asked.slice(1).map((at, index) => at - asked[index]!));
  const missed = new Set(
    events
      .filter(({ fate }) => fate === 'missing')
      .map(({ event }) => `${String(event.detail['stream_id'])} ${nameOf(event)}`),
  );
  const expected = new Map<string, Told[]>();
  for (const arn of arns) {
    const story = await channelStory(truth.state, arn as never, { limit: 50, sinceMs: 0 });
    expected.set(arn, [story!.record!, ...story!.sessions].map(asTold));
  }
  // After two polls, everything that polls can find is known.
  const inShort = (sessions: readonly Told[]) =>
    sessions.map(({ streamId, state, health }) => `${streamId} ${state} ${health}`).join();
  await eventually(async () => {
    const told = await Promise.all(arns.map((arn) => toldOf(daemon, arn)));
    return told.every((sessions, index) => inShort(sessions) === inShort(expected.get(arns[index]!)!));
  });

  const fates = new Set(events.map(({ fate }) => fate));
  expect(fates).toEqual(new Set(['sent', 'missing', 'doubled', 'late', 'reordered']));
  let sessions = 0;
  for (const arn of arns) {
    const told = await toldOf(daemon, arn);
    const wanted = expected.get(arn)!;
    expect(told.map(({ streamId }) => streamId)).toEqual(wanted.map(({ streamId }) => streamId));
    for (const [index, session] of wanted.entries()) {
      sessions += 1;
      const found = told[index]!;
      const lost = (name: string) => missed.has(`${session.streamId} ${name}`);
      const { streamId, state, health } = session;
      expect(found, arn).toMatchObject({ streamId, state, health });
      // Polls say nothing about recordings.
      if (!lost('Recording Start') && !lost('Recording End')) expect(found.recording, arn).toBe(session.recording);
      // Events are dated to the second, ListStreams to the millisecond.
      expect(apartMs(found.startedAt, session.startedAt), arn).toBeLessThanOrEqual(1_000);
      if (session.endedAt === undefined) expect(found.endedAt, arn).toBeUndefined();
      else
        expect(apartMs(found.endedAt, session.endedAt), arn).toBeLessThanOrEqual(
          lost('Stream End') ? byPollsMs : 1_000,
        );
    }
  }
  expect(sessions).toBeGreaterThanOrEqual(36);
  ivs.destroy();
});

function nameOf({ detail }: EventRecord['event']): string {
  return String(detail['event_name'] ?? detail['recording_status']);
}
