import { expect, test } from 'vitest';
import { systemClock } from '#runtime/clock.ts';
import type { Outbox } from './outbox.ts';
import { Sweeper, type SweeperOptions } from './sweeper.ts';

/** An outbox in which this many items are due, on the channels `a b`; `stuck` ones are being sent and do not end. */
function setup({ due = 0, stuck = 0, everywhere = 0, locked = false } = {}) {
  const calls: string[] = [];
  /** Of the turn and of what it does not answer itself. */
  const trips: string[] = [];
  let waiting = due;
  const depth = () => ({ items: waiting + stuck, channels: { ready: 1, later: 2, leased: 3 } });
  const outbox = {
    async sweepTurn(_ms: number, most: number) {
      trips.push('turn');
      return { due: locked ? undefined : await outbox.due(most), depth: depth() };
    },
    async depth() {
      trips.push('depth');
      return depth();
    },
    async due(most: number) {
      calls.push('due');
      if (calls.length > 200) throw new Error('it never ends');
      const count = Math.min(most, waiting + stuck);
      return Array.from({ length: count }, (_, n) => ({ id: `i-${n}`, channels: n < everywhere ? undefined : 'a b' }));
    },
    async sweep(channels: readonly string[], ids: readonly string[]) {
      calls.push(`sweep ${channels.join('+')} ${ids.join('+')}`);
      if (waiting === 0) return 0;
      waiting -= ids.length;
      return ids.length;
    },
    async *waitingChannels() {
      yield ['a', 'b'];
      yield ['c'];
    },
  } as unknown as Outbox;
  const gauges: Record<string, number> = {};
  let [rounds, ended] = [0, () => {}];
  const over = new Promise<void>((resolve) => (ended = resolve));
  const gauge = (name: string) => ({
    set: ({ state }: { state?: string }, value: number) => void (gauges[state ?? name] = value),
  });
  // Waits take no time; the one between two rounds ends the test.
  const clock = {
    ...systemClock,
    sleep: async (ms: number) => {
      if (ms < 500) return;
      rounds += 1;
      ended();
      await new Promise<void>(() => {});
    },
  };
  const sweeper = new Sweeper({
    outbox,
    clock,
    logger: { warn: () => undefined },
    metrics: { metadataWaiting: gauge('items'), metadataChannels: gauge('channels') },
    shard: 'main',
  } as unknown as SweeperOptions);
  const round = async () => {
    await sweeper.start();
    await over;
    return rounds;
  };
  return { sweeper, calls, trips, gauges, round };
}
const steps = (calls: readonly string[]) => calls.filter((call) => call === 'due').length;

test('ends due items step by step, until a step is not full', async () => {
  const { calls, gauges, round } = setup({ due: 45 });

  await round();

  expect(steps(calls)).toBe(3);
  expect(calls.slice(0, 2)).toEqual(['due', 'sweep a+b i-0']);
  expect(gauges).toEqual({ items: 0, ready: 1, later: 2, leased: 3 });
});

test('a turn without anything due is one round trip; the depth is asked for again after a sweep', async () => {
  const quiet = setup();
  await quiet.round();
  expect([quiet.trips, quiet.gauges]).toEqual([['turn'], { items: 0, ready: 1, later: 2, leased: 3 }]);

  const busy = setup({ due: 2 });
  await busy.round();
  expect([busy.trips, busy.gauges]).toEqual([['turn', 'depth'], { items: 0, ready: 1, later: 2, leased: 3 }]);
});

test('a step that ends nothing, since the items are being sent, is the last one for now', async () => {
  const { calls, gauges, round } = setup({ stuck: 20 });

  await round();

  expect(steps(calls)).toBe(1);
  expect(gauges).toMatchObject({ items: 20 });
});

test('looks for items of many channels wherever something waits, all of them at once', async () => {
  const { sweeper, calls } = setup({ due: 3, everywhere: 2 });

  await expect(sweeper.sweep()).resolves.toEqual({ ended: 3, more: false });

  expect(calls).toEqual(['due', 'sweep a+b i-2', 'sweep a+b i-0+i-1', 'sweep c i-0+i-1']);
});

test('shows only the depth while another replica sweeps', async () => {
  const { calls, gauges, round } = setup({ due: 5, locked: true });

  await round();

  expect(calls).toEqual([]);
  expect(gauges).toMatchObject({ items: 5 });
});
