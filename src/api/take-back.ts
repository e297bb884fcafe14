// Cancels what waits on a channel: an ad break before its turn, or an intent. The audit entry is in the same commit.
import { AppError } from '#domain/errors.ts';
import type { AuditEntry } from '#domain/log-entries.ts';
import type { SharedState, Transaction } from '#domain/shared-state.ts';
import { audit } from '#journal/audit.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';

export interface TakeBackOptions {
  readonly shards: ShardDirectory<ShardIdentity & { readonly state: SharedState }>;
  readonly configHash: () => string;
}

/**
 * Cancels what `take` finds, and returns it.
 * @param told what the audit says about it
 * @throws AppError NOT_FOUND with the text `missing` if nothing waits there
 */
export async function takeBack<T extends object>(
  { shards, configHash }: TakeBackOptions,
  { channelArn, who, missing }: { readonly channelArn: string; readonly who: string; readonly missing: string },
  take: (tx: Transaction) => T | undefined,
  told: (taken: T) => Pick<AuditEntry, 'what' | 'why' | 'jobId' | 'before'>,
): Promise<T> {
  const taken = await shards.ofChannel(channelArn).state.transact((tx) => {
    const found = take(tx);
    if (found) audit(tx, { who, outcome: 'done', channelArn, ...told(found), configHash: configHash() });
    return found;
  });
  if (!taken) throw new AppError('NOT_FOUND', missing);
  return taken;
}
