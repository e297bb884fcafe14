// The shared state for code that only evaluates decisions: to explain, and to look ahead.
import type { StateView, Transaction } from '#domain/shared-state.ts';

/** A transaction that only reads. */
export function readOnly(view: StateView, nowMs: number): Transaction {
  const refuse = () => {
    throw new TypeError('this only reads');
  };
  return {
    nowMs,
    get: (key) => view.get(key),
    entries: (kind) => view.entries(kind),
    count: (kind) => view.count(kind),
    indexed: (index, word) => view.indexed(index, word),
    set: refuse,
    delete: refuse,
    append: refuse,
    enqueue: refuse,
    isRepeat: () => false,
  };
}
