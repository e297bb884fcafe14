import { expect, test } from 'vitest';
import { MemoryState } from '#store/memory-state.ts';
import { audit, auditEntries } from './audit.ts';

test('an entry is small, however large the request was, and names what it leaves out', async () => {
  const state = new MemoryState({ now: () => 1 });
  const params = (more: object) => ({ params: { payload: 'x' }, channels: 2, ...more });
  for (const more of [
    { targets: { channelArns: ['a', 'b'] } },
    { targets: { channelArns: Array.from({ length: 10_000 }, (_, n) => `arn-${n}`) } },
    Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`k${n}`, n])),
  ])
    await state.transact((tx) =>
      audit(tx, { who: 'token mara', what: 'bulk notify', outcome: 'requested', why: 'x', params: params(more) }),
    );

  const entries = [];
  for await (const entry of auditEntries(state, {})) entries.push(entry);

  expect(entries.map((entry) => entry.params)).toEqual([
    { leftOut: expect.stringMatching(/^\d{6} characters$/) },
    params({ targets: { leftOut: expect.stringMatching(/^\d{6} characters$/) } }),
    params({ targets: { channelArns: ['a', 'b'] } }),
  ]);
});
