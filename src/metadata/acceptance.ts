// How a batch comes into the outbox: what bounds it, what accept-script.ts is given for it, and what may become of it.
import { lanes } from '#domain/action.ts';
import { packChannels } from './channel-list.ts';
import { headStartArguments } from './head-start.ts';
import type { OutboxGroup } from './parts.ts';
import { contentsOf, type Full, type OutboxBatch, type StoredBatch } from './stored-batch.ts';

/** How much may wait, and how long what has finished is kept. */
export interface AcceptanceLimits {
  readonly maxItemsPerChannel: number;
  readonly maxItemsTotal: number;
  /** How long a finished batch without a key can be asked for. Default 6 h. */
  readonly keepFinishedMs?: number;
  /** How long a repeat of an idempotency key is recognised; its batch, once finished, is kept as long. Default 24 h. */
  readonly keepKeysMs?: number;
  /** Most finished batches that are kept, with their keys: the oldest go first. Default 10,000. */
  readonly keepFinished?: number;
  /** A finished batch with parts also goes, with their keys, when so many parts have ended since it did. Default 50,000. */
  readonly keepFinishedParts?: number;
}

export type Acceptance =
  | {
      readonly outcome: 'accepted';
      readonly channels: number;
      readonly channelsBefore: number;
      readonly full: Full;
    }
  | Known
  /** An item's random id is in use; take another. */
  | { readonly outcome: 'id_taken' }
  /** Its head start would overtake something. */
  | { readonly outcome: 'overtakes' }
  | { readonly outcome: 'full'; readonly scope: 'total' | 'channel'; readonly waiting: number };

/** What an idempotency key stands for that was used before: this batch, or another request. */
export type Known = { readonly outcome: 'repeated'; readonly batch: StoredBatch } | { readonly outcome: 'conflict' };

/** What is the same for all groups of a batch. */
export type AcceptedBatch = Omit<OutboxBatch, 'channels' | 'items'>;

const hour = 3_600_000;

/**
 * Returns the arguments of the script, whose order is documented there.
 * @param origin tells the drains of other replicas who woke them.
 */
export function acceptArguments(
  batch: AcceptedBatch,
  groups: readonly OutboxGroup[],
  limits: AcceptanceLimits,
  origin: string,
): (string | number)[] {
  const { keepFinishedMs = 6 * hour, keepKeysMs = 24 * hour, keepFinished = 10_000 } = limits;
  const { maxItemsPerChannel, maxItemsTotal, keepFinishedParts = 50_000 } = limits;
  const { idempotency } = batch;
  const items = groups.flatMap((group) => group.items);
  const hasKeys = idempotency !== undefined || groups.some(({ keys }) => keys.length > 0);
  const fields = {
    lane: batch.lane,
    items: items.map(({ id }) => id).join(' '),
    // Of one channel.
    itemCount: String(groups[0]?.items.length ?? 0),
    callsPerChannel: String(batch.callsPerChannel),
    ...(batch.skipped.length === 0 ? {} : { skipped: JSON.stringify(batch.skipped) }),
    who: batch.who,
    ...(batch.job ? { job: JSON.stringify(batch.job) } : {}),
    ...(batch.trace === undefined ? {} : { trace: batch.trace }),
    contents: JSON.stringify(contentsOf(items)),
    keepMs: String(hasKeys ? keepKeysMs : keepFinishedMs),
    keepMost: String(keepFinished),
    keepParts: String(keepFinishedParts),
    ...(idempotency ? { idem: idempotency.key } : {}),
  };
  return [
    idempotency?.key ?? '',
    idempotency?.requestHash ?? '',
    keepKeysMs,
    batch.batchId,
    JSON.stringify(fields),
    lanes.indexOf(batch.lane),
    maxItemsPerChannel,
    maxItemsTotal,
    origin,
    ...headStartArguments(batch.headStart),
    groups.length,
    ...groups.flatMap((group) => [
      packChannels(group.channels),
      group.keys.join(' '),
      group.items.length,
      ...group.items.flatMap(({ id, text, mode, key = '', acceptedAtMs, expiresInMs }) => [
        id,
        text,
        mode,
        key,
        acceptedAtMs,
        expiresInMs,
      ]),
    ]),
  ];
}
