import { expect, test, vi } from 'vitest';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { runGroup, type Waiting } from './group.ts';
import { DraftTransaction } from './local-copy.ts';
import { MemoryState } from './memory-state.ts';

const key = kinds.pause.of('global');
const pause = (who: string) => ({ who, reason: 'x', sinceMs: 1 });

function group(bodies: readonly [body: (tx: Transaction) => unknown, ...dedupIds: string[]][], repeats: string[] = []) {
  const results: unknown[] = [];
  const members = bodies.map(
    ([body, ...dedupIds]): Waiting => ({
      body,
      dedupIds,
      dedupTtlMs: 1_000,
      resolve: (value) => results.push(value),
      reject: (error) => results.push(error),
    }),
  );
  const { draft, dedupIds, settle } = runGroup(members, {
    base: new MemoryState({ now: () => 1 }).view,
    nowMs: 1,
    repeats: new Set(repeats),
  });
  for (const tell of settle) tell();
  return { results, dedupIds, written: draft.get(key) };
}

test('each transaction of a group sees what earlier ones wrote', () => {
  const { results, written } = group([
    [(tx) => tx.set(key, pause('ann'))],
    [(tx) => tx.get(key)?.who],
    [(tx) => tx.set(key, pause('bob'))],
  ]);

  expect(results).toEqual([undefined, 'ann', undefined]);
  expect(written).toEqual(pause('bob'));
});

test('a transaction that throws leaves no trace and fails alone; its dedup ids may be used again', () => {
  const failure = new Error('no');
  const { results, dedupIds, written } = group([
    [
      (tx) => {
        tx.set(key, pause('ann'));
        throw failure;
      },
      'one',
    ],
    [(tx) => [tx.get(key), tx.isRepeat('one')], 'one'],
  ]);

  expect(results).toEqual([failure, [undefined, false]]);
  expect(dedupIds).toEqual(['one']);
  expect(written).toBeUndefined();
});

test('a dedup id is a repeat for later transactions, and is written once, unless it was known before', () => {
  const { results, dedupIds } = group(
    [
      [(tx) => tx.isRepeat('new'), 'new', 'known'],
      [(tx) => [tx.isRepeat('new'), tx.isRepeat('known'), tx.isRepeat('other')], 'new'],
    ],
    ['known'],
  );

  expect(results).toEqual([false, [true, true, false]]);
  expect(dedupIds).toEqual(['new']);
});

test('bodies look at what is committed without a detour until one has written', () => {
  const looked: string[] = [];
  const { view } = new MemoryState({ now: () => 1 });
  const base: StateView = {
    get: (wanted) => {
      looked.push(wanted);
      return view.get(wanted);
    },
    entries: (kind) => view.entries(kind),
    count: (kind) => view.count(kind),
    indexed: (index, word) => view.indexed(index, word),
  };
  const get = vi.spyOn(DraftTransaction.prototype, 'get');
  const member = (body: Waiting['body']): Waiting => ({
    body,
    dedupIds: [],
    dedupTtlMs: 1,
    resolve: () => undefined,
    reject: () => undefined,
  });

  runGroup(
    [
      member((tx) => tx.get(key)),
      member((tx) => tx.set(key, pause('ann'))),
      member((tx) => tx.get(kinds.pause.of('state_lost'))),
    ],
    { base, nowMs: 1, repeats: new Set() },
  );

  expect(looked).toEqual([key, kinds.pause.of('state_lost')]);
  // The last body looks first at its own writes, then at those before it.
  expect(get).toHaveBeenCalledTimes(1 + 2);
  get.mockRestore();
});
