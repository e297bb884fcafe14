// One action for many channels: a parent that starts a job for each channel at a measured pace, with progress and a stop button. Its
// channels wait in the shared state, so it continues after any crash, in any replica.
import { randomUUID } from 'node:crypto';
import type { ActionJob, ActionName, ActionParams } from '#domain/action.ts';
import type { Bulk, BulkPlan, RunOutcome } from '#domain/action-memory.ts';
import { cancelAdBreaksOf, requestOf, takeTurn } from '#domain/ad-break-line.ts';
import { durationMs } from '#domain/duration.ts';
import type { SharedState, StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';

export interface BulkRequest {
  readonly action: ActionName;
  /** The parameters for each channel, with templates filled in. */
  readonly items: readonly { readonly channelArn: string; readonly params: ActionParams }[];
  readonly cause: Bulk['cause'];
  readonly dryRun: boolean;
  /** How many bulk actions may be running, including this one; simultaneous requests are counted one after another. */
  readonly mostOpen: number;
  /** Between two calls of InsertAdBreak. */
  readonly adBreakSpacingMs: number;
}

/** Stores the whole bulk before its first job starts. Returns its id; undefined if there are too many. */
export async function createBulk(
  state: SharedState,
  { action, items, cause, dryRun, mostOpen, adBreakSpacingMs: spacingMs }: BulkRequest,
): Promise<string | undefined> {
  const id = `bulk-${randomUUID()}`;
  const piece = 500;
  const sinceMs = state.nowMs();
  for (let from = 0; from < items.length || from === 0; from += piece) {
    const hasRoom = await state.transact((tx) => {
      if (from === 0 && openBulks(tx) >= mostOpen) return false;
      for (const { channelArn, params } of items.slice(from, from + piece)) {
        tx.set(kinds.bulkItem.of(id, channelArn), { bulkId: id, channelArn, params });
        if (!dryRun && isAdBreak(action, params)) {
          const durationSeconds = durationMs(params.duration) / 1000;
          takeTurn(tx, { channelArn, jobId: jobIdIn({ id, action }, channelArn), durationSeconds, cause, spacingMs });
        }
      }
      const ready = from + piece >= items.length;
      tx.set(kinds.bulk.of(id), {
        id,
        action,
        state: ready ? (items.length === 0 ? 'finished' : 'running') : 'preparing',
        channels: items.length,
        started: 0,
        outcomes: {},
        cause,
        dryRun,
        sinceMs,
        ...(items.length === 0 ? { endedAtMs: tx.nowMs } : {}),
      });
      // The first turn of ad breaks is now.
      if (ready && action === 'insert_ad_break') feedBulks(tx);
      return true;
    });
    if (!hasRoom) return undefined;
  }
  return id;
}

function isAdBreak(action: ActionName, _params: ActionParams): _params is ActionParams<'insert_ad_break'> {
  return action === 'insert_ad_break';
}

function jobIdIn({ id, action }: Pick<Bulk, 'id' | 'action'>, channelArn: string): string {
  return jobIdOf(`bulk-${action}`, id, channelArn);
}

/** Starts no more jobs; running ones are not affected. Returns undefined if there is no such bulk. */
export function stopBulk(tx: Transaction, id: string): Bulk | undefined {
  const bulk = tx.get(kinds.bulk.of(id));
  if (!bulk || bulk.state === 'finished' || bulk.state === 'stopped') return bulk;
  const stopped: Bulk = { ...bulk, state: 'stopped', endedAtMs: tx.nowMs };
  // Their jobs have started already, and wait for their turns.
  if (bulk.action === 'insert_ad_break')
    cancelAdBreaksOf(tx, (jobId, channelArn) => jobId === jobIdIn(bulk, channelArn), `the stop of ${id}`);
  tx.set(kinds.bulk.of(id), stopped);
  return stopped;
}

/** The most jobs of one bulk at a time: enough to use a quota of 5 calls per second, few enough to stop soon. */
const inFlight = 10;
/** Ad breaks wait in a queue of their own. */
const inFlightOf = (action: ActionName) => (action === 'insert_ad_break' ? 500 : inFlight);
const keepMs = 7 * 86_400_000;
const abandonedMs = 600_000;
/** The newest of those that have ended are kept, however many ended within `keepMs`. */
const keptEnded = 1_000;

/** Starts the next jobs of every running bulk, and cleans up after stopped ones: call it about every second. */
export function feedBulks(tx: Transaction): void {
  for (const [id, bulk] of tx.entries(kinds.bulk)) {
    if (bulk.state === 'running') feed(tx, bulk);
    // Its request died before all channels were stored.
    else if (bulk.state === 'preparing' && tx.nowMs - bulk.sinceMs > abandonedMs) stopBulk(tx, id);
    else if (bulk.state === 'stopped') dropItems(tx, id);
    if (bulk.endedAtMs !== undefined && !bulk.verification) verify(tx, bulk);
    if (bulk.endedAtMs !== undefined && tx.nowMs - bulk.endedAtMs > keepMs) forget(tx, id);
  }
  const ended = Array.from(tx.entries(kinds.bulk), ([, bulk]) => bulk).filter(
    ({ endedAtMs }) => endedAtMs !== undefined,
  );
  if (ended.length <= keptEnded) return;
  ended.sort((left, right) => left.endedAtMs! - right.endedAtMs!);
  for (const { id } of ended.slice(0, ended.length - keptEnded)) forget(tx, id);
}

/** What was never compared is deleted too: its channels' jobs ended late, or IVS refused the query. */
function forget(tx: Transaction, id: string): void {
  tx.delete(kinds.bulk.of(id));
  for (const [, { bulkId, channelArn }] of tx.entries(kinds.bulkCheck))
    if (bulkId === id) tx.delete(kinds.bulkCheck.of(bulkId, channelArn));
}

/** Starts a comparison of what the jobs of an ended bulk have set with what IVS reports. The last jobs of a stopped one may still run. */
function verify(tx: Transaction, bulk: Bulk): void {
  if (bulk.state === 'stopped' && ended(bulk.outcomes) < bulk.started && tx.nowMs - bulk.endedAtMs! < abandonedMs)
    return;
  for (const [, { bulkId }] of tx.entries(kinds.bulkCheck)) {
    if (bulkId !== bulk.id) continue;
    tx.set(kinds.bulk.of(bulk.id), {
      ...bulk,
      verification: { state: 'waiting', checked: 0, differing: 0, differs: [] },
    });
    tx.enqueue({ jobId: jobIdOf('verify-bulk', bulk.id), name: 'verify-bulk', payload: { bulkId } });
    return;
  }
}

/** Bulks that have not ended. */
export function openBulks(view: StateView): number {
  let count = 0;
  for (const [, { endedAtMs }] of view.entries(kinds.bulk)) if (endedAtMs === undefined) count += 1;
  return count;
}

/** Of how many jobs of a dry run the calls are kept, and how many of one. */
const mostPlans = 20;
const mostCalls = 20;

/** Counts the end of one of its jobs; in a dry run with what it would do. */
export function noteBulkResult(tx: Transaction, id: string, outcome: RunOutcome, plan?: BulkPlan): void {
  const bulk = tx.get(kinds.bulk.of(id));
  if (!bulk) return;
  const { wouldDo = [] } = bulk;
  const outcomes = { ...bulk.outcomes, [outcome]: (bulk.outcomes[outcome] ?? 0) + 1 };
  const finished = bulk.state === 'running' && ended(outcomes) >= bulk.channels;
  tx.set(kinds.bulk.of(id), {
    ...bulk,
    outcomes,
    ...(plan && wouldDo.length < mostPlans
      ? { wouldDo: [...wouldDo, { ...plan, calls: plan.calls.slice(0, mostCalls) }] }
      : {}),
    movedAtMs: Math.max(tx.nowMs, bulk.movedAtMs ?? 0),
    ...(finished ? { state: 'finished', endedAtMs: tx.nowMs } : {}),
  });
}

/** Channels that running bulks have not reached. */
export function bulkPending(view: StateView): number {
  return view.count(kinds.bulkItem);
}

function feed(tx: Transaction, bulk: Bulk): void {
  const untold = bulk.started - ended(bulk.outcomes);
  // Jobs whose end nobody will report (their replica died just then) must not block the others.
  const writtenOff = untold > 0 && tx.nowMs - (bulk.movedAtMs ?? bulk.sinceMs) > abandonedMs;
  if (writtenOff) for (let job = 0; job < untold; job += 1) noteBulkResult(tx, bulk.id, 'interrupted');
  const current = tx.get(kinds.bulk.of(bulk.id)) ?? bulk;
  let room = inFlightOf(bulk.action) - (writtenOff ? 0 : untold);
  if (room <= 0) return;
  let started = bulk.started;
  let movedAtMs = Math.max(tx.nowMs, current.movedAtMs ?? 0);
  for (const [key, item] of tx.entries(kinds.bulkItem)) {
    if (item.bulkId !== bulk.id) continue;
    const jobId = jobIdIn(bulk, item.channelArn);
    tx.enqueue({
      jobId,
      name: bulk.action,
      payload: {
        action: bulk.action,
        params: item.params,
        channelArn: item.channelArn,
        cause: bulk.cause,
        decidedAtMs: bulk.sinceMs,
        bulkId: bulk.id,
        ...(bulk.dryRun ? { dryRun: true } : {}),
      } satisfies ActionJob,
    });
    tx.delete(kinds.bulkItem.of(key));
    // An ad break may queue behind others for longer than any job is waited for.
    if (bulk.action === 'insert_ad_break')
      movedAtMs = Math.max(movedAtMs, requestOf(tx, item.channelArn, jobId)?.atMs ?? 0);
    started += 1;
    room -= 1;
    if (room <= 0) break;
  }
  if (started !== bulk.started) tx.set(kinds.bulk.of(bulk.id), { ...current, started, movedAtMs });
}

function dropItems(tx: Transaction, id: string): void {
  let left = 500;
  for (const [key, item] of tx.entries(kinds.bulkItem)) {
    if (item.bulkId !== id) continue;
    tx.delete(kinds.bulkItem.of(key));
    left -= 1;
    if (left === 0) return;
  }
}

function ended(outcomes: Bulk['outcomes']): number {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0);
}
