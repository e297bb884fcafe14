// The repeating jobs with a real Redis: what keeps polls coming.
import { expect, test } from 'vitest';
import { Queues } from '#jobs/queues.ts';
import { scheduleKeeper } from '#jobs/schedule-keeper.ts';
import type { Schedule } from '#jobs/schedules.ts';
import { systemClock } from '#runtime/clock.ts';
import { eventually, quietLogger } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';

async function setup(schedules: () => readonly Schedule[]) {
  const scope = await redisScope();
  const queues = new Queues({ redis: scope.connect(), prefix: scope.prefix });
  const keeper = scheduleKeeper({
    queues,
    schedules,
    clock: systemClock,
    logger: quietLogger(),
    random: () => 0,
    intervalMs: 20,
  });
  await keeper.start();
  return {
    scope,
    inForce: async () => (await queues.get('poll-all').getJobScheduler('poll-all'))?.every,
    async [Symbol.asyncDispose]() {
      await keeper.stop();
      await queues.close();
      await scope[Symbol.asyncDispose]();
    },
  };
}

test('polls return after Redis lost its data', async () => {
  await using bundle = await setup(() => [{ job: 'poll-all', everyMs: 15_000 }]);
  await eventually(bundle.inForce);

  await bundle.scope.redis.unlink(...(await bundle.scope.redis.keys(`${bundle.scope.prefix}*`)));

  expect(await eventually(bundle.inForce)).toBe(15_000);
});

test('intervals that cannot be set at one time are applied the next time', async () => {
  let asked = 0;
  await using bundle = await setup(() => {
    asked += 1;
    if (asked === 1) throw new Error('these settings are impossible');
    return [{ job: 'poll-all', everyMs: 15_000 }];
  });

  expect(await eventually(bundle.inForce)).toBe(15_000);
});
