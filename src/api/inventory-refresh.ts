// Handles an operator's request to read channels again: finds the shard, reads the channel or enqueues a listing, and writes the audit.
// Implements the port of routes/channels.ts.
import { isDeepStrictEqual } from 'node:util';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import { notFound } from '#domain/not-found.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import type { Queues } from '#jobs/queues.ts';
import { audit } from '#journal/audit.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import type { InventoryRefreshPort } from './routes/channels.ts';

/** What a refresh needs of one shard. */
export interface InventoryShard extends ShardIdentity {
  readonly state: SharedState;
  readonly queues: Pick<Queues, 'get'>;
  readonly relay: { nudge(): void };
  /** Reads one channel and commits the changes; undefined if IVS has no such channel. */
  refreshChannel(arn: ChannelArn): Promise<Channel | undefined>;
}

export interface InventoryRefreshOptions {
  readonly shards: ShardDirectory<InventoryShard>;
  readonly configHash: () => string;
}

const job = 'refresh-inventory';
/** Requests within the same period of this length share a listing. */
const stepMs = 5_000;

export class InventoryRefresh implements InventoryRefreshPort {
  readonly #options: InventoryRefreshOptions;

  constructor(options: InventoryRefreshOptions) {
    this.#options = options;
  }

  async one({ channelArn, who, reason }: Parameters<InventoryRefreshPort['one']>[0]) {
    const { shards, configHash } = this.#options;
    const shard = shards.ofChannel(channelArn);
    const { state } = shard;
    await state.refresh();
    const before = state.view.get(kinds.channel.of(channelArn));
    const found = await shard.refreshChannel(channelArn as ChannelArn);
    const changed = changes(before, found);
    await state.transact((tx) =>
      audit(tx, {
        who,
        what: 'refresh_channel',
        outcome: changed.length === 0 ? 'already_done' : 'done',
        why: reason,
        channelArn,
        before: pick(before, changed),
        after: pick(found, changed),
        configHash: configHash(),
      }),
    );
    if (!found)
      throw notFound('channel', `IVS has no channel ${channelArn}${before ? '; the inventory has forgotten it' : ''}`);
    return { channel: { ...found, tags: { ...found.tags } }, changed };
  }

  async all({ who, reason }: Parameters<InventoryRefreshPort['all']>[0]) {
    const { shards, configHash } = this.#options;
    return Promise.all(
      shards.all.map(async ({ name, state, queues, relay }) => {
        // A listing that has not begun yet will see everything that is true now.
        const [waiting] = await queues.get(job).getWaiting(0, 0);
        const stepId = jobIdOf(job, Math.floor(state.nowMs() / stepMs));
        const jobId = waiting?.id ?? stepId;
        await state.transact(
          (tx) => {
            if (waiting?.id === undefined && !tx.isRepeat(stepId)) tx.enqueue({ jobId, name: job, payload: {} });
            audit(tx, {
              who,
              what: 'refresh_channels',
              outcome: 'requested',
              why: reason,
              jobId,
              configHash: configHash(),
            });
          },
          { dedupIds: waiting?.id === undefined ? [stepId] : [] },
        );
        relay.nudge();
        return { account: name, jobId };
      }),
    );
  }
}

/** Names of the fields that have changed; `new` and `gone` for a whole channel. */
function changes(before: Channel | undefined, after: Channel | undefined): string[] {
  if (!before || !after) return before === after ? [] : [after ? 'new' : 'gone'];
  return (Object.keys(before) as (keyof Channel)[]).filter((field) => !isDeepStrictEqual(before[field], after[field]));
}

function pick(channel: Channel | undefined, fields: readonly string[]): Partial<Channel> | undefined {
  if (!channel || fields.includes('new') || fields.includes('gone')) return channel;
  return fields.length === 0
    ? undefined
    : Object.fromEntries(Object.entries(channel).filter(([field]) => fields.includes(field)));
}
