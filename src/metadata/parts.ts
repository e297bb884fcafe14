// Parts of a batch. In a fan-out, each channel's item ends separately, is found by the key of its job, and can be cancelled alone.
import type { ChannelArn } from '#domain/channel.ts';
import { type Outcome, outcomes } from './batch.ts';
import type { OutboxBatch, OutboxItem, StoredBatch } from './stored-batch.ts';

/** Items for some of a batch's channels; in a batch with parts one item, and a key for each channel. */
export interface OutboxGroup {
  readonly channels: readonly ChannelArn[];
  readonly items: readonly OutboxItem[];
  readonly keys: readonly string[];
}

/** A batch whose channels are separate parts: each is found by its key and can be cancelled alone. No channel is in two groups. */
export interface OutboxParts extends Omit<OutboxBatch, 'channels' | 'items' | 'idempotency'> {
  readonly groups: readonly OutboxGroup[];
}

export type PartsAcceptance =
  | {
      readonly outcome: 'accepted';
      readonly channels: number;
      /** Places of channels, counted over all groups from 0: without room, and accepted before under their keys. */
      readonly full: readonly number[];
      readonly repeated: readonly number[];
    }
  /** An item's random id is in use; take another. */
  | { readonly outcome: 'id_taken' }
  /** Its head start would overtake something. */
  | { readonly outcome: 'overtakes' }
  | { readonly outcome: 'full'; readonly scope: 'total' | 'channel'; readonly waiting: number };

/** How a part of a batch stands. */
export interface PartEnd {
  /** Undefined: it waits, or is being sent. */
  readonly outcome: Outcome | undefined;
  /** It was cancelled while it was being sent: it is not sent again. */
  readonly cancelling: boolean;
  readonly atMs: number | undefined;
  readonly reason: string | undefined;
}

/** The name of one part of a batch, for people: `<batch>.<channel id>`. */
export function partName(batchId: string, part: string): string {
  return `${batchId}.${part}`;
}

/** The batch, and the part of it, that a name stands for. */
export function splitPart(batchId: string): [whole: string, part: string | undefined] {
  const dot = batchId.indexOf('.');
  return dot < 0 ? [batchId, undefined] : [batchId.slice(0, dot), batchId.slice(dot + 1)];
}

/**
 * Reads the state of a part, as the scripts write it: `<outcome> <when> <reason>`; `- <item> <channel>`, or `!` for `-`, where nothing has
 * ended.
 */
export function partEnd(stored: string): PartEnd {
  const [word, when, reason = ''] = stored.split(' ');
  const outcome = outcomes.find((each) => each === word);
  if (outcome === undefined) return { outcome, cancelling: word === '!', atMs: undefined, reason: undefined };
  return { outcome, cancelling: false, atMs: Number(when) || 0, reason: reason === '' ? undefined : reason };
}

/** A part as a batch of its own. */
export function partBatch(
  batch: StoredBatch,
  part: string,
  { outcome, cancelling, atMs, reason }: PartEnd,
): StoredBatch {
  const counts = { ...batch.counts };
  for (const each of Object.keys(counts) as (keyof typeof counts)[]) counts[each] = 0;
  counts[outcome ?? 'pending'] = 1;
  return {
    ...batch,
    batchId: partName(batch.batchId, part),
    state:
      outcome === undefined
        ? cancelling || batch.state === 'cancelling'
          ? 'cancelling'
          : 'running'
        : outcome === 'cancelled'
          ? 'cancelled'
          : 'finished',
    channels: 1,
    total: batch.items,
    counts,
    failures: reason === undefined ? {} : { [reason]: 1 },
    contents: batch.contents.length === 1 ? batch.contents : [],
    skipped: [],
    finishedAtMs: atMs,
  };
}

/** A hash, as a pipeline of the client answers it. */
export function fieldsOf(hash: unknown): Readonly<Record<string, string>> {
  return (hash ?? {}) as Readonly<Record<string, string>>;
}
