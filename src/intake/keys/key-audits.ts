// When the stream keys are audited, and by which replica: one at a time, all keys once an hour, new channels and those without a key every
// five minutes.
import type { SharedState, StateView } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { gapOf } from '#streams/gaps.ts';
import { auditKeys, type KeyAuditOptions } from './audit.ts';

export interface KeyAuditsOptions extends Pick<KeyAuditOptions, 'reader' | 'observe' | 'yieldsTo'> {
  readonly state: SharedState;
  /** Identifies this process. */
  readonly replica: string;
}

const allEveryMs = 3_600_000;
const unknownEveryMs = 300_000;
const claimMs = 900_000;

/** Audits if it is time and no other replica does. @throws AppError of the call that failed; earlier findings stay */
export async function auditWhenDue(
  { state, reader, observe, replica, yieldsTo }: KeyAuditsOptions,
  signal: AbortSignal,
): Promise<'idle' | 'worked'> {
  if (!isDue(state.view, state.nowMs())) return 'idle';
  const claimed = await state.transact((tx) => {
    const known = tx.get(notes.keyAudit);
    if (!isDue(tx, tx.nowMs) || (known?.claim && known.claim.by !== replica && known.claim.untilMs > tx.nowMs))
      return undefined;
    const next = { ...known, claim: { by: replica, untilMs: tx.nowMs + claimMs } };
    tx.set(notes.keyAudit, next);
    return next;
  });
  if (!claimed) return 'idle';
  let done: Awaited<ReturnType<typeof auditKeys>> | undefined;
  try {
    const options = { reader, observe, view: state.view, now: () => state.nowMs(), yieldsTo };
    done = await auditKeys(options, signal, claimed.listedTo);
  } finally {
    // Also after a failure or a stop, so that another replica need not wait until the claim expires.
    await state.transact((tx) => {
      const { claim: _, listedTo: before, ...rest } = tx.get(notes.keyAudit) ?? {};
      const listedTo = done ? done.listedTo : before;
      const isWhole = done !== undefined && listedTo === undefined;
      tx.set(notes.keyAudit, {
        ...rest,
        ...(isWhole ? { allMs: tx.nowMs, triedMs: tx.nowMs } : {}),
        ...(listedTo === undefined ? {} : { listedTo }),
      });
    });
  }
  return 'worked';
}

/** Nothing is read before the channels are known, nor while IVS does not answer. */
function isDue(view: StateView, nowMs: number): boolean {
  if (view.get(notes.inventoryListed) === undefined || gapOf(view, 'poll')) return false;
  const { allMs = Number.NEGATIVE_INFINITY, triedMs = Number.NEGATIVE_INFINITY } = view.get(notes.keyAudit) ?? {};
  if (nowMs - allMs >= allEveryMs) return true;
  if (nowMs - triedMs < unknownEveryMs) return false;
  for (const [arn] of view.entries(kinds.channel)) if (view.get(kinds.streamKey.of(arn)) === undefined) return true;
  return false;
}
