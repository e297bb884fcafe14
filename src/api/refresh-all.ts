// Reads what other replicas have written, in every shard that this process carries.
import { isRedisFailure } from '#domain/errors.ts';
import type { SharedState } from '#domain/shared-state.ts';

/**
 * Reads what other replicas have written, which may include what is asked for. With several Redis servers, those that cannot be asked
 * raise an alert, and do not block the others.
 * @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES if none can be asked; STATE_TOO_NEW
 */
export async function refreshAll(shards: {
  readonly all: readonly { readonly state: Pick<SharedState, 'refresh'> }[];
}): Promise<void> {
  const settled = await Promise.allSettled(shards.all.map(({ state }) => state.refresh()));
  const failures: readonly unknown[] = settled.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
  );
  const isPassable = failures.length < settled.length && failures.every(isRedisFailure);
  if (failures.length > 0 && !isPassable) throw failures[0];
}
