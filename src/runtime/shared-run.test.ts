import { expect, test } from 'vitest';
import { SharedRun } from './shared-run.ts';

test('a caller during a run shares the run that begins after it', async () => {
  const runs: { why: string; end: PromiseWithResolvers<number> }[] = [];
  const shared = new SharedRun((why) => {
    const end = Promise.withResolvers<number>();
    runs.push({ why, end });
    return end.promise;
  });
  const first = shared.ask('first');
  const others = Array.from({ length: 40 }, (_, n) => shared.ask(`other ${n}`));
  expect(runs.map(({ why }) => why)).toEqual(['first']);
  runs[0]!.end.reject(new Error('broken'));
  await expect(first).rejects.toThrow('broken');
  await expect.poll(() => runs.map(({ why }) => why)).toEqual(['first', 'other 0']);
  runs[1]!.end.resolve(2);
  expect(new Set(await Promise.all(others))).toEqual(new Set([2]));
  void shared.ask('later').catch(() => undefined);
  expect(runs).toHaveLength(3);
});
