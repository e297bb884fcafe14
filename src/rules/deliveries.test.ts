// Rules and reducer together, with deliveries as bad as AWS makes them: late, twice, out of order, lost. Decisions follow from what
// happened, not from when it was reported.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Observation } from '#domain/observation.ts';
import { slateRules } from '#test/support/engine.ts';
import { event, poll, snapshot, startMs } from '#test/support/streams.ts';
import { Watch } from '#test/support/watch.ts';

const health = (name: string, at: number, arrived = at) =>
  event(name, { channel: 'A', stream: 's1', at: at * 1000, arrived: arrived * 1000 });
const seen = (at: number, value: 'HEALTHY' | 'STARVING') =>
  poll('all', { at: at * 1000, took: 0, streams: [snapshot('A', 's1', { health: value })] });

/** Delivers each at its second, and lets time pass. */
async function play(
  rules: string,
  deliveries: readonly (readonly [at: number, observation: Observation])[],
  until = 120,
) {
  const watch = new Watch(rules, { pollSilentAfterMs: 3_600_000 });
  for (const [at, observation] of deliveries) {
    await watch.goTo(at);
    await watch.see(observation);
  }
  await watch.goTo(until);
  return watch;
}

describe('`for` runs from when the condition began', () => {
  const rules = slateRules('for: 30s');

  test('as dated by an event that arrives after the poll', async () => {
    const watch = await play(rules, [
      [0, seen(0, 'HEALTHY')],
      [10, seen(10, 'STARVING')],
      [14, health('Starvation Start', 2, 14)],
    ]);

    expect(watch.log).toEqual(['32 put_metadata A']);
  });

  test('again when a late event shows that it was interrupted', async () => {
    const watch = await play(rules, [
      [0, seen(0, 'STARVING')],
      [10, seen(10, 'STARVING')],
      [14, health('Starvation End', 6, 14)],
    ]);

    expect(watch.log).toEqual(['40 put_metadata A']);
  });

  test('also when it had run out and a cooldown held it back', async () => {
    const watch = await play(slateRules('for: 10s\n    guards: {cooldown: 40s, max_live_percent: 100}'), [
      [0, seen(0, 'STARVING')],
      [12, seen(12, 'HEALTHY')],
      [15, seen(15, 'STARVING')],
      [46, seen(46, 'STARVING')],
      [48, health('Starvation End', 44, 48)],
    ]);

    expect(watch.log).toEqual(['10 put_metadata A', '56 put_metadata A']);
  });

  test('and what was acted on is not acted on again, under any date', async () => {
    const watch = await play(slateRules('for: 10s\n    guards: {cooldown: 0s, max_live_percent: 100}'), [
      [0, seen(0, 'HEALTHY')],
      [5, seen(5, 'STARVING')],
      [16, health('Starvation Start', 2, 16)],
      [17, seen(17, 'STARVING')],
    ]);

    expect(watch.log).toEqual(['15 put_metadata A']);
  });

  test('of several fields from the last that took its value, in whatever order they are reported', async () => {
    const both = `
rules:
  - name: both
    mode: enforce
    trigger: {state: {health: [STARVING], recording: [recording]}}
    for: 30s
    actions: [{put_metadata: {payload: slate}}]
`;
    const recording = (arrived: number) =>
      event('Recording Start', { channel: 'A', stream: 's1', at: 10_000, arrived: arrived * 1000 });
    const inOrder = await play(both, [
      [0, seen(0, 'HEALTHY')],
      [5, health('Starvation Start', 5)],
      [10, recording(10)],
    ]);
    const late = await play(both, [
      [0, seen(0, 'HEALTHY')],
      [12, recording(12)],
      [14, health('Starvation Start', 5, 14)],
    ]);

    expect(inOrder.log).toEqual(['40 put_metadata A']);
    expect(late.log).toEqual(inOrder.log);
  });
});

const moment = fc.record({
  lastsSeconds: fc.integer({ min: 1, max: 40 }),
  lateSeconds: fc.integer({ min: 0, max: 25 }),
  fate: fc.constantFrom('once', 'twice', 'lost'),
});
const pollSeconds = 5;

/** Starving and healthy in turns, with events delivered well and badly and a true poll every five seconds. */
function historyOf(moments: readonly (typeof moment extends fc.Arbitrary<infer T> ? T : never)[]) {
  const changes: number[] = [];
  const deliveries: (readonly [at: number, observation: Observation])[] = [];
  let at = 1;
  for (const [index, { lastsSeconds, lateSeconds, fate }] of moments.entries()) {
    changes.push(at);
    const name = index % 2 === 0 ? 'Starvation Start' : 'Starvation End';
    const toldAt = at + lateSeconds;
    if (fate !== 'lost') deliveries.push([toldAt, health(name, at, toldAt)]);
    if (fate === 'twice') deliveries.push([toldAt + 3, health(name, at, toldAt + 3)]);
    at += lastsSeconds;
  }
  const isStarving = (second: number) => changes.filter((changed) => changed <= second).length % 2 === 1;
  const until = at + 60;
  for (let second = 0; second <= until; second += pollSeconds)
    deliveries.push([second, seen(second, isStarving(second) ? 'STARVING' : 'HEALTHY')]);
  return { deliveries: deliveries.toSorted(([one], [other]) => one - other), isStarving, until };
}

test('however events arrive, a rule acts once for each starvation, when its record says that it has lasted for `for`', async () => {
  const forSeconds = 20;
  const rules = slateRules(`for: ${forSeconds}s\n    guards: {cooldown: 0s, max_live_percent: 100}`);
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 6 }), async (moments) => {
      const { deliveries, isStarving, until } = historyOf(moments);
      const watch = new Watch(rules);
      let actsInRow = 0;
      const step = async (act: () => Promise<void>) => {
        const before = watch.log.length;
        await act();
        const acts = watch.log.length - before;
        const { health: known, healthSinceMs } = watch.record('A') ?? { health: 'UNKNOWN', healthSinceMs: 0 };
        const isOver = known === 'STARVING' && watch.seconds - (healthSinceMs - startMs) / 1000 >= forSeconds;
        actsInRow = known === 'STARVING' ? actsInRow + acts : 0;

        if (acts > 0) {
          expect(isOver, 'not before').toBe(true);
          const lately = Array.from({ length: 2 * pollSeconds + 1 }, (_, index) => watch.seconds - index / 2);
          expect(lately.some(isStarving), 'not for what is long over').toBe(true);
        }
        if (isOver) expect(actsInRow, 'at once, and once').toBe(1);
      };
      for (const [at, observation] of deliveries) {
        while (watch.seconds < at) await step(() => watch.goTo(watch.seconds + 0.5));
        await step(() => watch.see(observation));
      }
      expect(watch.seconds).toBeGreaterThan(until - pollSeconds);
    }),
    { numRuns: 150 },
  );
});
