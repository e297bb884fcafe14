// Transactions that wait together and share one commit.
import type { StateView, Transaction } from '#domain/shared-state.ts';
import type { Traceparent } from '#domain/trace.ts';
import { DraftTransaction } from './local-copy.ts';

/** A transaction that waits for its commit. */
export interface Waiting {
  readonly body: (tx: Transaction) => unknown;
  readonly dedupIds: readonly string[];
  readonly dedupTtlMs: number;
  readonly trace?: Traceparent | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface Group {
  /** The writes of all bodies that did not throw. */
  readonly draft: DraftTransaction;
  readonly dedupIds: readonly string[];
  /** One for each member. */
  readonly settle: (() => void)[];
}

/** Each body sees what earlier ones wrote, and their dedup ids as repeats; a body that throws leaves no trace. */
export function runGroup(
  members: readonly Waiting[],
  { base, nowMs, repeats }: { base: StateView; nowMs: number; repeats: ReadonlySet<string> },
): Group {
  const draft = new DraftTransaction({ base, nowMs, repeats });
  const used = new Set<string>();
  const settle = members.map(({ body, dedupIds, trace, resolve, reject }) => {
    const own = new DraftTransaction({
      // Until a body has written something there is nothing to look through.
      base: draft.writes.size === 0 ? base : draft,
      nowMs,
      repeats: used.size === 0 ? repeats : new Set([...repeats, ...used]),
      trace,
    });
    try {
      const result = body(own);
      draft.join(own);
      for (const dedupId of dedupIds) if (!repeats.has(dedupId)) used.add(dedupId);
      return () => resolve(result);
    } catch (error) {
      return () => reject(error);
    }
  });
  return { draft, dedupIds: [...used], settle };
}
