// Each round: an event says that a stream starves, and the polls after it say that it does not.
import { describe, expect, test } from 'vitest';
import { notes } from '#domain/state-registry.ts';
import { event, Noticing, poll, snapshot, startMs } from '#test/support/streams.ts';
import { disagreementsLastHour, disagreementsOf, unheardSessions } from './disagreements.ts';
import { detectGaps, noteQueueRead } from './gaps.ts';

const minute = 60_000;

function setup() {
  const noticing = new Noticing();
  const healthy = () => [snapshot('A', 's')];
  return {
    noticing,
    disagreeAt: async (at: number) => {
      await noticing.see(poll('all', { at, streams: healthy() }));
      await noticing.see(event('Starvation Start', { channel: 'A', stream: 's', at: at + 2_000 }));
      await noticing.see(poll('all', { at: at + 10_000, streams: healthy() }));
    },
    total: () => disagreementsOf(noticing.state.view),
    lastHourAt: (at: number) => disagreementsLastHour(noticing.state.view, startMs + at),
  };
}

test('contradictions of the last hour are counted apart from the total, and drop out minute by minute', async () => {
  const { disagreeAt, total, lastHourAt } = setup();
  await disagreeAt(0);
  await disagreeAt(20_000);
  await disagreeAt(30 * minute);

  expect(total()).toEqual({ started: 0, ended: 0, health: 3 });
  expect(lastHourAt(31 * minute)).toBe(3);
  expect(lastHourAt(59 * minute)).toBe(3);
  expect(lastHourAt(61 * minute)).toBe(1);
  expect(lastHourAt(91 * minute)).toBe(0);
});

test('what is kept of contradictions is bounded, however long they continue', async () => {
  const { noticing, disagreeAt, total, lastHourAt } = setup();
  for (let at = 0; at < 300 * minute; at += minute) await disagreeAt(at);

  expect(total().health).toBe(300);
  expect(lastHourAt(300 * minute - 1)).toBe(60);
  const { minutes } = noticing.state.view.get(notes.disagreements)!;
  expect(minutes).toHaveLength(60);
});

test('a total from before the counts per minute continues', async () => {
  const { noticing, disagreeAt, total, lastHourAt } = setup();
  await noticing.state.transact((tx) => tx.set(notes.disagreements, { ended: 4, health: 2 }));
  expect(lastHourAt(0)).toBe(0);

  await disagreeAt(0);

  expect(total()).toEqual({ started: 0, ended: 4, health: 3 });
  expect(lastHourAt(minute)).toBe(1);
});

test('an ordinary start and the first poll after it do not contradict each other', async () => {
  const { noticing, total } = setup();

  await noticing.see(event('Stream Start', { channel: 'A', stream: 's', at: 0, arrived: 1_000 }));
  await noticing.see(poll('all', { at: 10_000, streams: [snapshot('A', 's')] }));

  expect(noticing.record('A')).toMatchObject({ health: 'HEALTHY' });
  expect(total()).toEqual({ started: 0, ended: 0, health: 0 });
});

test('without any events, polls contradict nothing, from start to end', async () => {
  const { noticing, total } = setup();

  await noticing.see(poll('all', { at: 0, streams: [snapshot('A', 's')] }));
  await noticing.see(poll('all', { at: 15_000 }), poll('all', { at: 30_000 }));

  expect(noticing.record('A')).toMatchObject({ state: 'ended' });
  expect(total()).toEqual({ started: 0, ended: 0, health: 0 });
});

test('a sweep that confirms the end of a recording agrees with it', async () => {
  const { noticing, total } = setup();

  await noticing.see(event('Stream Start', { channel: 'A', stream: 's', at: 0 }));
  await noticing.see(event('Recording End', { channel: 'A', stream: 's', at: 30_000 }));
  await noticing.see(poll('all', { at: 45_000 }));

  expect(noticing.record('A')).toMatchObject({ state: 'ended' });
  expect(total()).toEqual({ started: 0, ended: 0, health: 0 });
});

test.each(['before', 'after'])('a lost end counts; the first poll came %s the start was reported', async (order) => {
  const { noticing, total } = setup();
  const start = event('Stream Start', { channel: 'A', stream: 's', at: 0 });
  const seen = poll('all', { at: 10_000, streams: [snapshot('A', 's')] });

  await noticing.see(...(order === 'before' ? [seen, start] : [start, seen]));
  await noticing.see(poll('all', { at: 25_000 }), poll('all', { at: 40_000 }));

  expect(noticing.record('A')).toMatchObject({ state: 'ended' });
  expect(total()).toEqual({ started: 0, ended: 1, health: 0 });
});

describe('starts that no event reported', () => {
  /** A queue that is read every minute, and sweeps that find these sessions; each begins at its `started`. */
  async function watch(untilMinute: number, sessions: readonly { channel: string; started: number }[]) {
    const round = setup();
    const { noticing } = round;
    const streams = (at: number) =>
      sessions
        .filter(({ started }) => started <= at)
        .map(({ channel, started }) => snapshot(channel, `s${channel}`, { started }));
    const sweep = async (at: number, lagMs = 0) => {
      await noticing.state.transact((tx) => noteQueueRead(tx, { atMs: startMs + at, lagMs }));
      await noticing.see(poll('all', { at, streams: streams(at) }));
      await noticing.state.transact((tx) => detectGaps(tx, silence));
    };
    for (let at = 0; at <= untilMinute * minute; at += minute) await sweep(at);
    return { ...round, sweep, unheard: () => unheardSessions(noticing.state.view) };
  }
  const silence = { pollSilentAfterMs: 60 * minute, eventsSilentAfterMs: 15 * minute };
  const three = ['A', 'B', 'C'].map((channel, index) => ({ channel, started: (index + 1) * minute + 30_000 }));

  test('are counted once each, five minutes after they began', async () => {
    const { total, unheard, sweep } = await watch(6, three);
    expect(total()).toEqual({ started: 0, ended: 0, health: 0 });

    await sweep(7 * minute);
    expect(total()).toEqual({ started: 1, ended: 0, health: 0 });
    for (let at = 8; at < 20; at += 1) await sweep(at * minute);

    expect(total()).toEqual({ started: 3, ended: 0, health: 0 });
    expect(unheard()).toBe(3);
  });

  test('are no longer consecutive once an event reports a session', async () => {
    const four = [...three, { channel: 'D', started: 10 * minute }];
    const { noticing, total, unheard, sweep } = await watch(10, four);
    expect(unheard()).toBe(3);

    await noticing.see(event('Stream Start', { channel: 'D', stream: 'sD', at: 10 * minute, arrived: 11 * minute }));
    for (let at = 11; at < 17; at += 1) await sweep(at * minute);

    expect(unheard()).toBe(0);
    expect(total()).toEqual({ started: 3, ended: 0, health: 0 });
  });

  test('are not counted without a queue, while it lags, or if they began before anybody watched', async () => {
    const noQueue = setup();
    for (let at = 0; at < 20 * minute; at += minute)
      await noQueue.noticing.see(poll('all', { at, streams: [snapshot('A', 's', { started: minute })] }));
    const lagging = await watch(6, three);
    for (let at = 7; at < 20; at += 1) await lagging.sweep(at * minute, 10 * minute);
    const before = await watch(20, [{ channel: 'A', started: -2 * minute }]);

    expect(noQueue.total()).toEqual({ started: 0, ended: 0, health: 0 });
    expect(lagging.total()).toEqual({ started: 0, ended: 0, health: 0 });
    expect(before.total()).toEqual({ started: 0, ended: 0, health: 0 });
  });
});
