// Random true histories, delivered badly: the records must end as under perfect delivery wherever polls can know, and must never be false
// on the way.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Observation, PollObservation } from '#domain/observation.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import {
  deliver,
  drawHistory,
  eventsOf,
  type History,
  healthAt,
  inOrderOfArrival,
  liveAt,
  oddEvents,
  sweepsOf,
  type TrueSession,
} from '#test/support/stream-histories.ts';
import { arnOf, Noticing, startMs, streamIdFor } from '#test/support/streams.ts';
import { isThorough } from '#test/support/thorough.ts';
import { pastOf } from './keys.ts';

/**
 * Runs of each property (more in the soak); each covers two channels. A failure is reported by its seed: shrinking it takes many minutes.
 */
const options = { numRuns: isThorough ? 2_000 : 100, endOnFailure: true };

function recordsOf(noticing: Noticing, channel: string): StreamRecord[] {
  const newest = noticing.record(channel);
  return newest ? [newest, ...pastOf(noticing.state.view, arnOf(channel))] : [];
}

async function finalRecords(observations: readonly Observation[], histories: readonly History[]) {
  const noticing = new Noticing();
  await noticing.see(...inOrderOfArrival(observations));
  return histories.map(({ channel }) => recordsOf(noticing, channel));
}

/** Histories of two channels, their events as delivered, and sweeps until everything has settled. */
function drawAll(draw: fc.GeneratorValue, { lost, faults }: { lost: boolean; faults: boolean }) {
  const histories = ['A', 'B'].map((channel) => drawHistory(draw, channel));
  const events = histories.flatMap(eventsOf);
  const delivered = deliver(events, draw, { lost });
  const arrivals = delivered.map(({ arrivedAtMs }) => arrivedAtMs - startMs);
  const until = Math.max(...histories.map(({ endsAt }) => endsAt), ...arrivals) + 60_000;
  return { histories, events, delivered, sweeps: sweepsOf(histories, until, faults ? draw : undefined) };
}

/** What must not depend on delivery: everything but how and when it became known. */
function essence(record: StreamRecord) {
  const {
    evidence: _evidence,
    basis: _basis,
    healthSinceMs: _since,
    viewerCountAtMs: _counted,
    timeline,
    ...rest
  } = record;
  const told = timeline
    .filter(({ source }) => source === 'event')
    .map(({ name, eventTimeMs, text }) => ({ name, eventTimeMs, text }));
  return { ...rest, told };
}

function sessionOf({ sessions }: History, record: StreamRecord): TrueSession {
  return sessions.find(({ stream }) => streamIdFor(stream) === record.streamId)!;
}

describe('the records of channels', () => {
  test('are the same whatever the order, the delay and the number of deliveries of their events', async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (draw) => {
        const { histories, events, delivered, sweeps } = drawAll(draw, { lost: false, faults: false });

        const perfect = (await finalRecords([...events, ...sweeps], histories)).flat();
        const actual = (await finalRecords([...delivered, ...sweeps], histories)).flat();

        expect(actual.map(essence)).toEqual(perfect.map(essence));
        // Late evidence may make a health known for a shorter time than it lasts, never for a longer one.
        for (const [index, { healthSinceMs }] of actual.entries())
          holds(healthSinceMs + cutMs > perfect[index]!.healthSinceMs, `since ${healthSinceMs}`);
      }),
      options,
    );
  });

  test('end as under perfect delivery although events are lost, wherever polls can know it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (draw) => {
        const { histories, delivered, sweeps } = drawAll(draw, { lost: true, faults: true });
        const polled = new Set(sweeps.flatMap(({ streams }) => streams.map(({ streamId }) => streamId)));

        const all = await finalRecords([...delivered, ...sweeps], histories);

        for (const [index, history] of histories.entries()) {
          const live = liveAt(history, history.endsAt - 1);
          for (const session of history.sessions.filter(({ stream }) => polled.has(streamIdFor(stream)))) {
            const record = all[index]!.find(({ streamId }) => streamId === streamIdFor(session.stream));
            const isLive = session === live;
            expect(record).toMatchObject({
              state: isLive ? 'live' : 'ended',
              health: isLive ? healthAt(session, history.endsAt - 1) : 'UNKNOWN',
              startedAtMs: startMs + session.liveAt,
              viewerCount: session.liveAt % 97,
            });
            if (!isLive) expect(record).not.toMatchObject({ recording: 'recording' });
            if (isLive) expect(all[index]![0]).toBe(record);
          }
        }
      }),
      options,
    );
  });

  test('are never false on the way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (draw) => {
        const { histories, delivered, sweeps } = drawAll(draw, { lost: true, faults: true });
        const noticing = new Noticing();
        const applied: Observation[] = [];

        for (const observation of inOrderOfArrival([...delivered, ...sweeps])) {
          await noticing.see(observation);
          applied.push(observation);
          const now = noticing.nowMs - startMs;
          for (const history of histories) checkAll(recordsOf(noticing, history.channel), history, { now, applied });
        }
      }),
      options,
    );
  });
});

test('whatever events say, a stream that complete sweeps list is live, and one that they do not list is over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const { histories, delivered, sweeps: earlier } = drawAll(draw, { lost: true, faults: true });
      const odd = oddEvents(histories, draw);
      const lastMs = Math.max(...[...delivered, ...odd].map(({ arrivedAtMs }) => arrivedAtMs - startMs));
      const sweeps = [...earlier, ...sweepsOf(histories, lastMs + 1_000)];

      const all = await finalRecords([...delivered, ...odd, ...sweeps], histories);

      for (const [index, history] of histories.entries()) {
        const live = liveAt(history, history.endsAt - 1);
        const [newest, ...past] = all[index]!;
        if (live) {
          expect(newest).toMatchObject({
            state: 'live',
            streamId: streamIdFor(live.stream),
            startedAtMs: startMs + live.liveAt,
            health: healthAt(live, history.endsAt - 1),
          });
        } else if (newest) expect(newest.state).toMatch(/^(ended|failed)$/);
        for (const { state } of past) expect(state).toMatch(/^(ended|failed)$/);
      }
    }),
    options,
  );
});

/** What was delivered before a moment. */
interface Seen {
  readonly now: number;
  readonly applied: readonly Observation[];
}

/** The longest that a true change of health can stay unnoticed while polls arrive. */
const healthUnseenMs = 6_000;
/** EventBridge truncates times to seconds. */
const cutMs = 1_000;
const longestReconnectMs = 300_000;
/** How much later than its Session Ended a stream may have ended. */
const endUnknownMs = 2 * cutMs;

function checkAll([newest, ...past]: readonly StreamRecord[], history: History, seen: Seen): void {
  if (!newest) return;
  checkNewest(newest, sessionOf(history, newest), history, seen);
  for (const record of past) checkOver(record, sessionOf(history, record));
  for (const record of [newest, ...past]) checkRecording(record, sessionOf(history, record), seen);
}

function checkNewest(record: StreamRecord, session: TrueSession, { endsAt }: History, { now, applied }: Seen): void {
  const moment = Math.min(now, endsAt - 1);
  const { state, health, startedAtMs } = record;
  if (state === 'created') holds(session.createdAt <= now + cutMs, 'is called created');
  if (state === 'ended' || state === 'failed') checkOver(record, session);
  if (state === 'failed') holds(session.liveAt === session.endAt, 'is called failed');
  if (startedAtMs !== undefined)
    holds(Math.abs(startedAtMs - startMs - session.liveAt) < cutMs, 'is said to have begun');
  if (state !== 'live') return;
  holds(session.liveAt <= now + cutMs, `is called live at ${moment}`);
  if (moment >= session.endAt) {
    const sweeps = completeSweeps(applied).filter(({ startedAtMs: at }) => at - startMs > session.endAt + cutMs);
    holds(sweeps.length < 2, `is called live at ${moment}`);
  } else if (health !== 'UNKNOWN') {
    checkHealth(record, session, { now, applied }, moment);
  }
}

function checkHealth({ health, healthSinceMs }: StreamRecord, session: TrueSession, { applied }: Seen, moment: number) {
  const lastPollMs = applied.findLast(({ kind }) => kind === 'poll');
  const unseenMs = lastPollMs?.kind === 'poll' ? moment - (lastPollMs.startedAtMs - startMs) : moment;
  const backMs = Math.max(0, unseenMs) + healthUnseenMs;
  const recently = Array.from({ length: backMs / 100 + 1 }, (_, index) => healthAt(session, moment - index * 100));
  holds(recently.includes(health), `is called ${health} at ${moment}`);
  for (const { value, atMs } of sightingsOf(applied, session))
    holds(
      value === health || atMs <= healthSinceMs + cutMs,
      `is ${health} since ${healthSinceMs}, ${value} at ${atMs}`,
    );
}

/** Everything that reported the health of a session. */
function sightingsOf(applied: readonly Observation[], { stream }: TrueSession): { value: string; atMs: number }[] {
  const streamId = streamIdFor(stream);
  return applied.flatMap((observation) => {
    if (observation.kind === 'poll')
      return observation.streams
        .filter((listed) => listed.streamId === streamId)
        .map(({ health }) => ({ value: health, atMs: observation.startedAtMs }));
    if (observation.kind !== 'event' || observation.envelope.detail['stream_id'] !== streamId) return [];
    const told = { 'Starvation Start': 'STARVING', 'Starvation End': 'HEALTHY' };
    const value = told[observation.envelope.detail['event_name'] as keyof typeof told];
    return value ? [{ value, atMs: observation.eventTimeMs }] : [];
  });
}

function checkRecording(record: StreamRecord, { recorded, endAt }: TrueSession, { now, applied }: Seen): void {
  const { recording, recordingSinceMs = 0, endedAtMs } = record;
  if (recording === 'none') return;
  holds(recorded !== undefined && recorded.from <= now + cutMs, `is called ${recording} at ${now}`);
  if (recording === 'failed') holds(recorded?.end === 'Recording End Failure', 'is said to have failed to record');
  if (recording !== 'recording') {
    const overMs = Math.min(recorded!.to, endAt + longestReconnectMs);
    holds(overMs <= now + cutMs, `is said to be recorded no more at ${now}`);
  } else if (endedAtMs !== undefined) {
    const last = completeSweeps(applied).at(-1)?.startedAtMs ?? 0;
    // Its start may be dated after the end of the session, since each is truncated to its second.
    const carriedOnMs = Math.max(endedAtMs, recordingSinceMs) + longestReconnectMs;
    holds(last <= carriedOnMs + endUnknownMs, `is called recording at ${now}`);
  }
}

function completeSweeps(applied: readonly Observation[]): PollObservation[] {
  return applied.filter(
    (observation) => observation.kind === 'poll' && observation.scope === 'all' && observation.complete,
  ) as PollObservation[];
}

function checkOver({ endedAtMs }: StreamRecord, session: TrueSession): void {
  const over = startMs + Math.min(session.endAt, session.goneAt);
  holds(endedAtMs !== undefined && endedAtMs > over - cutMs, `is said to have ended at ${endedAtMs}, before ${over}`);
}

/** Like `expect`, but fast enough for a million checks. */
function holds(condition: boolean, claim: string): void {
  if (!condition) throw new Error(`the record says what is false: ${claim}`);
}
