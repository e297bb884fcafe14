import { expect, test } from 'vitest';
import { RedisClock } from './redis-clock.ts';

const hour = 3_600_000;

/** A machine and a Redis whose clocks the test controls; every exchange takes `tripMs`. */
function world({ aheadMs = 0 } = {}) {
  const at = { monotonic: 1_000, wall: 10 * hour + aheadMs, redis: 10 * hour };
  const pass = (ms: number) => {
    at.monotonic += ms;
    at.wall += ms;
    at.redis += ms;
  };
  const clock = new RedisClock({ wallNow: () => at.wall, monotonic: () => at.monotonic });
  const exchange = (tripMs = 2) =>
    clock.measure(
      async () => {
        pass(tripMs / 2);
        const redisTimeMs = at.redis;
        pass(tripMs / 2);
        return redisTimeMs;
      },
      (redisTimeMs) => redisTimeMs,
    );
  return { at, pass, clock, exchange };
}

test.each([hour, -hour, 0])('a machine whose clock is off by %i ms uses the same time as Redis', async (aheadMs) => {
  const { clock, exchange, pass, at } = world({ aheadMs });

  expect(clock.skew()).toBeUndefined();
  await exchange();
  pass(5_000);

  expect(clock.nowMs()).toBe(at.redis);
  expect(clock.skew()).toEqual({ ms: aheadMs, uncertaintyMs: 1 });
});

test('a jump of the own clock changes the skew but not the time', async () => {
  const { clock, exchange, at } = world();
  await exchange();

  at.wall += hour;

  expect(clock.nowMs()).toBe(at.redis);
  expect(clock.skew()?.ms).toBe(hour);
});

test('a jump of Redis’s clock is followed at the next exchange, even a slow one', async () => {
  const { clock, exchange, at } = world();
  await exchange();

  at.redis -= hour;
  await exchange(200);

  expect(clock.nowMs()).toBe(at.redis);
  expect(clock.skew()?.ms).toBe(hour);
});
