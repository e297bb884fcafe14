// Applies an observation to the records, inventory and notes of the shared state, and names the changes that rules judge.
// Deterministic: it reads and writes nothing but the transaction.
import type { EventObservation, InventoryObservation, Observation, PollObservation } from '#domain/observation.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { fold } from './channel-records.ts';
import { eventNameOf, streamIdOf } from './event-signs.ts';
import { gapOf } from './gaps.ts';
import { applyHistory } from './history.ts';
import { applyInventory } from './inventory-changes.ts';
import { streamOf } from './keys.ts';
import { applyPoll } from './poll-changes.ts';
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

/** Splits an observation into pieces small enough for one commit each; applied one after another they have the same effect. */
export function splitObservation(observation: Observation, maxPerPiece = 25): Observation[] {
  if (observation.kind === 'poll' && observation.streams.length > maxPerPiece)
    return splitPoll(observation, maxPerPiece);
  if (observation.kind === 'inventory' && observation.channels.length > maxPerPiece)
    return splitInventory(observation, maxPerPiece);
  return [observation];
}

function splitPoll(poll: PollObservation, size: number): PollObservation[] {
  const pieces: PollObservation[] = [];
  for (let from = 0; from < poll.streams.length; from += size) {
    const last = from + size >= poll.streams.length;
    pieces.push({
      ...poll,
      streams: poll.streams.slice(from, from + size),
      ...(last ? { alreadyApplied: poll.streams.slice(0, from) } : { continues: true }),
    });
  }
  return pieces;
}

function splitInventory(inventory: InventoryObservation, size: number): InventoryObservation[] {
  const pieces: InventoryObservation[] = [];
  for (let from = 0; from < inventory.channels.length; from += size) {
    const last = from + size >= inventory.channels.length;
    const channels = inventory.channels.slice(from, from + size);
    pieces.push(last ? { ...inventory, channels } : { ...inventory, channels, removed: [], complete: false });
  }
  return pieces;
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
