import { expect, test, vi } from 'vitest';
import { OnDemand } from './on-demand.ts';

function stage() {
  const opened: number[] = [];
  const closed: number[] = [];
  let fails = false;
  const it = new OnDemand({
    open: async () => {
      if (fails) throw new Error('away');
      opened.push(opened.length);
      return opened.length - 1;
    },
    close: async (one) => void closed.push(one),
    idleMs: 1_000,
  });
  return { it, opened, closed, fail: (does: boolean) => (fails = does) };
}

test('opens once for all who need it, and closes when it has been unused for a while', async () => {
  vi.useFakeTimers();
  const { it, opened, closed } = stage();
  expect(it.isOpen).toBe(false);
  const held = Promise.withResolvers<void>();
  const long = it.use(() => held.promise);
  expect(await it.use(async (one) => one)).toBe(0);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([opened, closed]).toEqual([[0], []]);
  held.resolve();
  await long;
  await vi.advanceTimersByTimeAsync(999);
  expect(await it.use(async (one) => one)).toBe(0);
  await vi.advanceTimersByTimeAsync(999);
  expect(closed).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect([closed, it.isOpen]).toEqual([[0], false]);
  expect(await it.use(async (one) => one)).toBe(1);
  await it.close();
  expect([closed, it.isOpen]).toEqual([[0, 1], false]);
  vi.useRealTimers();
});

test('a resource that could not be opened is opened by the next caller', async () => {
  const { it, opened, fail } = stage();
  fail(true);
  await expect(it.use(async (one) => one)).rejects.toThrow('away');
  fail(false);
  expect(await it.use(async (one) => one)).toBe(0);
  expect(opened).toEqual([0]);
  await it.close();
  await it.close();
});
