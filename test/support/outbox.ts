// An outbox alone: items, and batches that are accepted without a service around it.
import type { Lane } from '#domain/action.ts';
import { encodeItem, encodePlain, newItemId } from '#metadata/envelope.ts';
import type { Outbox, OutboxOptions } from '#metadata/outbox.ts';
import type { OutboxBatch, OutboxItem } from '#metadata/stored-batch.ts';
import { channelArn, FakeSender, metadataParts } from './metadata.ts';
import type { RedisScope } from './redis.ts';

/** Longer than any test, in ms. */
export const long = 600_000;

export function item(
  payload: string,
  options: Partial<Pick<OutboxItem, 'key' | 'expiresInMs' | 'mode'>> = {},
): OutboxItem {
  const id = newItemId();
  const { mode = 'packed' } = options;
  return {
    id,
    text: mode === 'packed' ? encodeItem({ id, t: 1, payload }) : encodePlain(payload),
    mode,
    key: options.key,
    acceptedAtMs: 1,
    expiresInMs: options.expiresInMs ?? long,
  };
}

export function outboxOf(scope: RedisScope, options: Partial<OutboxOptions> = {}): Outbox {
  return metadataParts({ scope, sender: new FakeSender(), outbox: options }).outbox;
}

export async function put(
  outbox: Outbox,
  channels: readonly string[],
  items: readonly OutboxItem[],
  lane: Lane = 'normal',
  more: Partial<OutboxBatch> = {},
) {
  const batchId = newItemId();
  const acceptance = await outbox.accept({
    batchId,
    lane,
    channels: channels.map(channelArn),
    items,
    who: 'test',
    callsPerChannel: 1,
    skipped: [],
    idempotency: undefined,
    ...more,
  });
  return { batchId, acceptance };
}
