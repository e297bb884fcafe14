// Applies an observation to the records, inventory and notes of the shared state, and names the changes that rules judge.
// Deterministic: it reads and writes nothing but the transaction.
import type {
  EventObservation,
  InventoryObservation,
  Observation,
  PollObservation,
  StreamName,
} from '#domain/observation.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { fold } from './channel-records.ts';
import { eventNameOf, streamIdOf } from './event-signs.ts';
import { gapOf } from './gaps.ts';
import { applyHistory } from './history.ts';
import { applyInventory } from './inventory-changes.ts';
import { streamOf } from './keys.ts';
import { applyPoll, conclusionsOf } from './poll-changes.ts';
import { applyKeys } from './stream-keys.ts';

export interface ApplyOptions {
  /** How long ended sessions stay, including a channel's newest one. */
  readonly retentionMs: number;
  /** For this long an event may still amend an ended session that is not the newest. Events arrive up to hours late. */
  readonly settleMs?: number;
}

const defaultSettleMs = 12 * 3_600_000;

/** Applies an observation. The caller must find repeats (`dedupIds`): applied twice, it would change nothing but be reported twice. */
export function applyObservation(tx: Transaction, observation: Observation, options: ApplyOptions): StreamChange[] {
  const settleMs = options.settleMs ?? defaultSettleMs;
  switch (observation.kind) {
    case 'event':
      return applyEvent(tx, observation, settleMs);
    case 'poll':
      return applyPoll(tx, observation, { settleMs, retentionMs: options.retentionMs });
    case 'inventory':
      return applyInventory(tx, observation);
    case 'http':
      return [{ kind: 'http', observation, atMs: tx.nowMs }];
    case 'history':
      return applyHistory(tx, observation);
    case 'keys':
      return applyKeys(tx, observation);
    case 'data_gap':
      return applyGap(tx, observation);
  }
}

/**
 * Splits an observation into pieces small enough for one commit each; applied one after another they have the same effect. What a sweep
 * says about sessions that it does not list is found in the view: thousands can recover, or end, from one sweep to the next.
 */
export function splitObservation(observation: Observation, view: StateView, maxPerPiece = 25): Observation[] {
  if (observation.kind === 'poll') return splitPoll(observation, view, maxPerPiece);
  if (observation.kind === 'inventory') return splitInventory(observation, maxPerPiece);
  return [observation];
}

function splitPoll(poll: PollObservation, view: StateView, size: number): PollObservation[] {
  if (poll.continues) return [poll];
  const unlisted = poll.complete ? conclusionsOf(view, poll).map(({ record }) => nameOnly(record)) : [];
  const listed = inChunks(poll.streams, size);
  const judged = inChunks(unlisted, size).slice(0, -1);
  if (listed.length <= 1 && judged.length === 0) return [poll];
  const last = listed.pop() ?? [];
  return [
    ...listed.map((streams) => ({ ...poll, streams, continues: true })),
    ...judged.map((names) => ({ ...poll, streams: [], unlisted: names, continues: true })),
    { ...poll, streams: last, alreadyApplied: poll.streams.slice(0, poll.streams.length - last.length) },
  ];
}

function nameOnly({ channelArn, streamId }: StreamName): StreamName {
  return { channelArn, streamId };
}

function splitInventory(inventory: InventoryObservation, size: number): InventoryObservation[] {
  if (inventory.continues) return [inventory];
  const listed = inChunks(inventory.channels, size);
  const removed = inChunks(inventory.removed, size).slice(0, -1);
  const last = listed.pop() ?? [];
  return [
    ...listed.map((channels) => ({ ...inventory, channels, removed: [], continues: true })),
    ...removed.map((arns) => ({ ...inventory, channels: [], removed: arns, continues: true })),
    { ...inventory, channels: last },
  ];
}

function inChunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}

function applyEvent(tx: Transaction, observation: EventObservation, settleMs: number): StreamChange[] {
  const { channelArn } = observation;
  const streamId = streamIdOf(observation);
  const told = (record: StreamRecord | undefined): StreamChange => ({
    kind: 'event',
    observation,
    record,
    atMs: tx.nowMs,
  });
  if (channelArn === undefined) return [told(undefined)];
  if (streamId === undefined) return [told(streamOf(tx, channelArn))];
  const options = { unknownAfterMs: tx.nowMs - settleMs };
  const { record, changes } = fold(tx, channelArn, streamId, { kind: 'event', observation }, options);
  // Rules judged this end when it was learnt: the late event is the same end, not a second cause.
  if (record?.basis.endLearnt && eventNameOf(observation) === 'Stream End') return [...changes];
  return [...changes, told(record)];
}

/** A gap that a source of observations declares itself; `detectGaps` finds those by silence. */
function applyGap(tx: Transaction, gap: Observation & { kind: 'data_gap' }): StreamChange[] {
  const { source, state } = gap;
  const known = gapOf(tx, source);
  if ((known !== undefined) === (state === 'began')) return [];
  const sinceMs = known?.sinceMs ?? gap.sinceMs ?? gap.atMs;
  if (state === 'began') tx.set(kinds.gap.of(source), { sinceMs, noticedAtMs: tx.nowMs });
  else tx.delete(kinds.gap.of(source));
  return [{ kind: 'data_gap', source, state, sinceMs, atMs: tx.nowMs }];
}
