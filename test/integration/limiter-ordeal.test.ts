// The short form of the limiter's ordeal; test/soak has the long one.
import { expect, it } from 'vitest';
import { limiterOrdeal } from '#test/support/limiter-ordeal.ts';

it('keeps the quota when a replica is killed, one is paused, and Redis is restarted and emptied; every item arrives', async () => {
  const result = await limiterOrdeal({
    channels: 300,
    itemsEach: 2,
    requestTimeoutMs: 1000,
    pauseMs: 1500,
    boundMs: 300_000,
  });

  expect(result.throttled).toBe(0);
  expect(result.worstSecond).toBeLessThanOrEqual(155);
  expect(result.worstChannelSecond).toBeLessThanOrEqual(5);
  expect(result.arrived).toBe(result.items);
});
