import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SimulatedClock } from './clock.ts';

it('a stopped clock moves only when told to, and runs what becomes due in order and at its own time', () => {
  const clock = new SimulatedClock({ startAt: 1000, rate: 0 });
  const seen: [string, number][] = [];
  clock.schedule(50, () => seen.push(['second', clock.now()]));
  clock.schedule(10, () => {
    seen.push(['first', clock.now()]);
    clock.schedule(5, () => seen.push(['made by the first', clock.now()]));
  });
  const off = clock.schedule(20, () => seen.push(['called off', clock.now()]));
  off.cancel();
  clock.schedule(51, () => seen.push(['too late', clock.now()]));
  clock.advance(50);
  expect(seen).toEqual([
    ['first', 1010],
    ['made by the first', 1015],
    ['second', 1050],
  ]);
  expect(clock.now()).toBe(1050);
});

it('a hundred timers run in the order of their times, whatever order they were made in', () => {
  const clock = new SimulatedClock({ startAt: 0, rate: 0 });
  const seen: number[] = [];
  for (let n = 0; n < 100; n++) {
    const at = (n * 37) % 100;
    clock.schedule(at, () => seen.push(at));
  }
  clock.advance(1000);
  expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

// A simulated day takes 86 ms; at real speed the test would time out.
it('a fast clock runs timers early in real time, and can be stopped', async () => {
  const clock = new SimulatedClock({ rate: 1_000_000 });
  const ran = new Promise<void>((resolve) => {
    clock.schedule(86_400_000, resolve);
  });
  await ran;
  clock.setRate(0);
  const at = clock.now();
  await sleep(5);
  expect(clock.now()).toBe(at);
  clock.close();
});
