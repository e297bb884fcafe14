import type { SharedState } from '#domain/shared-state.ts';

/** Reads what other replicas have written, in every shard: one of them may have written what is asked for. */
export async function refreshAll(shards: {
  readonly all: readonly { readonly state: Pick<SharedState, 'refresh'> }[];
}): Promise<void> {
  await Promise.all(shards.all.map(({ state }) => state.refresh()));
}
