// One action at a time for a channel (or another resource), over all replicas.
//
// IVS has no conditional writes, so a lease cannot stop a call that a paused process had already begun. It makes simultaneous runs rare,
// its token is checked before every step, and each action verifies at its end. Times are the shared clock's.
import type { Lease } from '#domain/action-memory.ts';
import { AppError } from '#domain/errors.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { HandlerContext } from './ports.ts';

/** Longer than any one delivery may take, so that the calls of a lapsed holder have ended before the next holder begins. */
export const leaseMs = 30_000;

export interface Fence {
  /** Commits a step, if the lease is still ours; renews it. @throws AppError LEASE_LOST */
  commit(body: (tx: Transaction) => void): Promise<void>;
  /** Renews the lease. @throws AppError LEASE_LOST */
  renew(): Promise<void>;
}

/** Whether somebody is working on the resource right now. */
export function isLeased(tx: Pick<Transaction, 'get' | 'nowMs'>, resource: string): boolean {
  const lease = tx.get(kinds.lease.of(resource));
  return lease !== undefined && lease.untilMs > tx.nowMs;
}

/**
 * Runs a body with the lease of a resource. A job that crashed gets its own lease back at once.
 * @throws AppError CHANNEL_BUSY (retry later, no attempt spent) while another job holds it.
 */
export async function withLease<T>(
  context: Pick<HandlerContext, 'state' | 'jobId'>,
  resource: string,
  run: (fence: Fence) => Promise<T>,
): Promise<T> {
  const { state, jobId } = context;
  const key = kinds.lease.of(resource);
  const token = await state.transact((tx) => {
    const current = tx.get(key);
    if (current && current.untilMs > tx.nowMs && current.jobId !== jobId) throw busy(resource, current, tx.nowMs);
    const next = (current?.token ?? 0) + 1;
    tx.set(key, { jobId, token: next, untilMs: tx.nowMs + leaseMs });
    return next;
  });
  const commit = (body: (tx: Transaction) => void) =>
    state.transact((tx) => {
      if (tx.get(key)?.token !== token)
        throw new AppError('LEASE_LOST', `another run took over ${resource}; this one stops`);
      tx.set(key, { jobId, token, untilMs: tx.nowMs + leaseMs });
      body(tx);
    });
  try {
    return await run({ commit, renew: () => commit(() => undefined) });
  } finally {
    await state
      .transact((tx) => {
        // The token stays while it could still be compared: a later holder must get a higher one.
        const lease = tx.get(key);
        if (lease?.token === token) tx.set(key, { ...lease, untilMs: 0 });
      })
      .catch(() => undefined);
  }
}

/** Drops leases that nobody has held for ten minutes: by then no run that knew their token is left. */
export function dropOldLeases(tx: Transaction): void {
  for (const [resource, lease] of tx.entries(kinds.lease)) {
    if (lease.untilMs > tx.nowMs) continue;
    if (lease.freedAtMs === undefined) tx.set(kinds.lease.of(resource), { ...lease, freedAtMs: tx.nowMs });
    else if (tx.nowMs - lease.freedAtMs > 600_000) tx.delete(kinds.lease.of(resource));
  }
}

function busy(resource: string, current: Lease, nowMs: number): AppError {
  return new AppError('CHANNEL_BUSY', `job ${current.jobId} works on ${resource}`, {
    disposition: { kind: 'retry-after', delayMs: Math.max(500, Math.min(2_000, current.untilMs - nowMs)) },
  });
}
