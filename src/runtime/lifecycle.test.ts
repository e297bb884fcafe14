import { expect, test } from 'vitest';
import { turnsOf } from '#test/support/effort.ts';
import { quietLogger } from '#test/support/quiet.ts';
import { systemClock } from './clock.ts';
import { type Service, TeardownStack } from './lifecycle.ts';

const stackOf = () => new TeardownStack({ clock: systemClock, logger: quietLogger() });

test('nothing starts once the teardown has begun', async () => {
  const stack = stackOf();
  let started = false;
  const late: Service = { name: 'late', start: async () => void (started = true), stop: async () => undefined };
  await stack.close();

  await expect(stack.start(late, 1_000)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(started).toBe(false);
});

test('steps that hang share one deadline, and every step still gets its turn', async () => {
  const stack = stackOf();
  const turns: string[] = [];
  for (const name of ['first', 'second', 'third']) {
    stack.defer(name, 5_000, () => {
      turns.push(name);
      return new Promise(() => undefined);
    });
  }

  const { value: failures, turns: waited } = await turnsOf(stack.close(100));

  expect(turns).toEqual(['third', 'second', 'first']);
  expect(failures).toHaveLength(3);
  expect(waited).toBeLessThan(200);
});
