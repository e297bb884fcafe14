// Random true histories, delivered badly: the record must end as under perfect delivery wherever polls can know, and must never
// say what is false on the way.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventObservation, Observation } from '#domain/observation.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import {
  channel,
  deliver,
  drawHistory,
  eventsOf,
  type History,
  healthAt,
  inOrderOfArrival,
  liveAt,
  passesOf,
  type TrueSession,
} from '#test/support/stream-histories.ts';
import { arnOf, Noticing, startMs, streamIdFor } from '#test/support/streams.ts';
import { pastOf } from './keys.ts';

/** Histories for each property. */
const runs = 1_000;
const timeoutMs = 60_000;

/** When the last event has arrived and everything has settled. */
function lastArrival(events: readonly EventObservation[], { endsAt }: History): number {
  return Math.max(endsAt, ...events.map(({ arrivedAtMs }) => arrivedAtMs - startMs)) + 60_000;
}

async function finalRecords(observations: readonly Observation[]): Promise<StreamRecord[]> {
  const noticing = new Noticing();
  await noticing.see(...inOrderOfArrival(observations));
  const newest = noticing.record(channel);
  return newest ? [newest, ...pastOf(noticing.state.view, arnOf(channel))] : [];
}

/** What must not depend on the delivery: everything but how and when it came to be known. */
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

describe('the record of a channel', () => {
  test(
    'is the same whatever the order, the delay and the number of deliveries of its events',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (draw) => {
          const history = drawHistory(draw);
          const events = eventsOf(history);
          const delivered = deliver(events, draw, { lost: false });
          const passes = passesOf(history, lastArrival(delivered, history));

          const perfect = await finalRecords([...events, ...passes]);
          const actual = await finalRecords([...delivered, ...passes]);

          expect(actual.map(essence)).toEqual(perfect.map(essence));
        }),
        { numRuns: runs },
      );
    },
    timeoutMs,
  );

  test(
    'ends as under perfect delivery although events are lost, wherever polls can know it',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (draw) => {
          const history = drawHistory(draw);
          const delivered = deliver(eventsOf(history), draw, { lost: true });
          const passes = passesOf(history, lastArrival(delivered, history), draw);
          const polled = new Set(passes.flatMap(({ streams }) => streams.map(({ streamId }) => streamId)));

          const [actual] = await finalRecords([...delivered, ...passes]);

          const begun = history.sessions.filter(({ liveAt }) => liveAt < history.endsAt);
          const newest = begun.at(-1)!;
          if (!polled.has(streamIdFor(newest.stream))) return;
          const live = liveAt(history, history.endsAt - 1);
          expect(actual).toMatchObject({
            streamId: streamIdFor(newest.stream),
            state: live ? 'live' : 'ended',
            health: live ? healthAt(live, history.endsAt - 1) : 'UNKNOWN',
            startedAtMs: startMs + newest.liveAt,
          });
        }),
        { numRuns: runs },
      );
    },
    timeoutMs,
  );

  test(
    'never says what is false on the way',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (draw) => {
          const history = drawHistory(draw);
          const delivered = deliver(eventsOf(history), draw, { lost: true });
          const passes = passesOf(history, lastArrival(delivered, history), draw);
          const noticing = new Noticing();

          for (const observation of inOrderOfArrival([...delivered, ...passes])) {
            await noticing.see(observation);
            const record = noticing.record(channel);
            if (record)
              checkTrue(
                record,
                sessionOf(history, record),
                Math.min(noticing.nowMs - startMs, history.endsAt + 60_000),
                history,
              );
            for (const past of pastOf(noticing.state.view, arnOf(channel))) checkOver(past, sessionOf(history, past));
          }
        }),
        { numRuns: runs },
      );
    },
    timeoutMs,
  );
});

/** The longest that a true change can stay unseen: two sweeps that fail or shift between three that do not, and their duration. */
const endUnseenMs = 61_000;
const healthUnseenMs = 6_000;
/** EventBridge's times are cut to seconds. */
const cutMs = 1_000;

function checkTrue(record: StreamRecord, session: TrueSession, now: number, history: History): void {
  const moment = Math.min(now, history.endsAt - 1);
  const { state, health, startedAtMs } = record;
  if (state === 'created') holds(session.createdAt <= now + cutMs, 'is called created');
  if (state === 'ended') checkOver(record, session);
  if (startedAtMs !== undefined)
    holds(Math.abs(startedAtMs - startMs - session.liveAt) < cutMs, 'is said to have begun');
  if (state !== 'live') return;
  holds(session.liveAt <= now + cutMs && moment < session.endAt + endUnseenMs, `is called live at ${moment}`);
  if (health === 'UNKNOWN' || moment >= session.endAt) return;
  const recently = Array.from({ length: healthUnseenMs / 100 + 1 }, (_, index) =>
    healthAt(session, moment - index * 100),
  );
  holds(recently.includes(health), `is called ${health} at ${moment}`);
}

function checkOver({ endedAtMs }: StreamRecord, session: TrueSession): void {
  const over = startMs + Math.min(session.endAt, session.goneAt);
  holds(endedAtMs !== undefined && endedAtMs > over - cutMs, `is said to have ended at ${endedAtMs}, before ${over}`);
}

/** As `expect`, for what is asked a million times. */
function holds(condition: boolean, claim: string): void {
  if (!condition) throw new Error(`the record says what is false: ${claim}`);
}
