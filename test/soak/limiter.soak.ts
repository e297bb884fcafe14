// The limiter's long ordeal: `npm run soak`. The short one is test/integration/limiter-ordeal.test.ts.
import { expect, it } from 'vitest';
import { limiterOrdeal } from '#test/support/limiter-ordeal.ts';

it('keeps the quota over minutes while replicas are killed and paused, and Redis is restarted and emptied', async () => {
  const result = await limiterOrdeal({
    channels: 1500,
    itemsEach: 8,
    requestTimeoutMs: 5000,
    pauseMs: 3000,
    boundMs: 280_000,
  });
  console.log(result);

  expect(result.throttled).toBe(0);
  expect(result.worstSecond).toBeLessThanOrEqual(155);
  expect(result.worstChannelSecond).toBeLessThanOrEqual(5);
  expect(result.arrived).toBe(result.items);
});
