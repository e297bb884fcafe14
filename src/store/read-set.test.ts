import { expect, test } from 'vitest';
import type { StateView } from '#domain/shared-state.ts';
import type { Key } from '#domain/state-key.ts';
import { indexes, kinds } from '#domain/state-registry.ts';
import { MemoryState } from './memory-state.ts';
import { ReadSet } from './read-set.ts';

const [pause, hold] = [kinds.pause.of('global'), kinds.pause.of('state_lost')];

test('what a transaction reads again is looked up once, whether it exists or not', async () => {
  const state = new MemoryState({ now: () => 1 });
  const value = { who: 'ann', reason: 'x', sinceMs: 1 };
  await state.transact((tx) => tx.set(pause, value));
  const looked: string[] = [];
  const base: StateView = {
    get: <T>(key: Key<T>) => {
      looked.push(key);
      return state.view.get(key);
    },
    entries: (kind) => state.view.entries(kind),
    count: (kind) => state.view.count(kind),
    indexed: (index, word) => state.view.indexed(index, word),
  };
  const reads = new ReadSet(base);

  for (let time = 0; time < 3; time += 1) {
    expect(reads.get(pause)).toBe(value);
    expect(reads.get(hold)).toBeUndefined();
  }

  expect(looked).toEqual([pause, hold]);
  expect(reads.includesAny([hold])).toBe(true);
  expect(reads.includesAny([pause])).toBe(true);
  expect(reads.includesAny(['channel/other'])).toBe(false);
});

test('a count, a walk and an index stand for their whole kind', () => {
  const { view } = new MemoryState({ now: () => 1 });
  const looks: ((reads: ReadSet) => unknown)[] = [
    (reads) => reads.count(kinds.ruleMemory),
    (reads) => Array.from(reads.entries(kinds.ruleMemory)),
    (reads) => Array.from(reads.indexed(indexes.memories, 'open')),
  ];
  for (const look of looks) {
    const reads = new ReadSet(view);
    look(reads);

    expect(reads.includesAny([kinds.ruleMemory.of('slate', 'new')])).toBe(true);
    expect(reads.includesAny([kinds.watch.of('new')])).toBe(false);
  }
});
