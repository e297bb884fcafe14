// What happens to the safety controls when the shared state was lost or went back: those that are known are written again, what was
// taken back stays taken back, and automation pauses unless nothing can have gone wrong. Each control has the time of its last
// change, so several replicas may do this in any order, and again, and come to the same end: the newest word on each counts.
import type { Pause } from '#domain/control.ts';
import { holdsInForce } from '#domain/controls-in-force.ts';
import { formatDuration } from '#domain/duration.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import type { Key } from '#domain/state-key.ts';
import type { Repair, StateLoss } from '#domain/state-loss.ts';
import { kinds, notes, type PlacedControl, pauseKeys, pauses, stateLossAlertKey } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import { placeControl } from './memory.ts';

/** A failover costs about this much; it is told, and pauses nothing when a living replica has put the controls back. */
export const failoverMs = 5_000;

/** The pause's reason and the alert's kind. */
const stateLost = 'state_lost';

/** An alert about a loss that paused nothing ends by itself. */
const alertKeptMs = 3_600_000;

interface KnownControl {
  readonly key: Key<PlacedControl>;
  readonly value: PlacedControl;
  readonly changedMs: number;
}

/** Pauses, holds, silences and stopped rules that are in force. */
function* controlsOf(view: StateView, nowMs: number): Iterable<KnownControl> {
  for (const key of pauseKeys) {
    const pause = view.get(key);
    if (pause) yield { key, value: pause, changedMs: pause.sinceMs };
  }
  for (const [arn, hold] of holdsInForce(view, nowMs))
    yield { key: kinds.hold.of(arn), value: hold, changedMs: hold.sinceMs };
  // Its id stands for its content: one that was ended is never the same again.
  for (const [id, silence] of view.entries(kinds.silence))
    if (silence.endsMs > nowMs)
      yield { key: kinds.silence.of(id), value: silence, changedMs: Number.NEGATIVE_INFINITY };
  for (const [, alert] of view.entries(kinds.alert))
    if (alert.kind === 'cap') yield { key: kinds.alert.of('cap', alert.rule), value: alert, changedMs: alert.sinceMs };
}

function isNewer(view: StateView, { key, changedMs }: KnownControl): boolean {
  const gone = view.get(kinds.gone.of(key));
  if (gone && gone.atMs >= changedMs) return false;
  const there = view.get(key);
  return there === undefined || ('sinceMs' in there && there.sinceMs < changedMs);
}

/** Whether `found` lacks a control that `known` has and nobody took back. */
export function lacksControls(found: StateView, known: StateView, nowMs: number): boolean {
  for (const control of controlsOf(known, nowMs)) if (isNewer(found, control)) return true;
  return false;
}

/** When a control was last placed or taken back. */
export function controlsChangedMs(view: StateView): number {
  let last = 0;
  for (const { value, changedMs } of controlsOf(view, Number.NEGATIVE_INFINITY))
    last = Math.max(last, 'startsMs' in value ? value.startsMs : changedMs);
  for (const [, { atMs }] of view.entries(kinds.gone)) last = Math.max(last, atMs);
  return last;
}

/** Writes the controls that are known and newer than what is there, and takes back what was taken back. Returns their keys. */
function restoreControls(tx: Transaction, known: StateView): string[] {
  const restored: string[] = [];
  for (const control of controlsOf(known, tx.nowMs)) {
    if (!isNewer(tx, control)) continue;
    tx.set(control.key, control.value);
    restored.push(control.key);
  }
  for (const [key, gone] of known.entries(kinds.gone)) {
    const there = tx.get(key);
    if (there !== undefined && (!('sinceMs' in there) || there.sinceMs <= gone.atMs)) {
      tx.delete(key);
      restored.push(key);
    }
    if ((tx.get(kinds.gone.of(key))?.atMs ?? Number.NEGATIVE_INFINITY) < gone.atMs) tx.set(kinds.gone.of(key), gone);
  }
  return restored;
}

/** Mends a state that was lost, went back or was damaged: see the head of this file. */
export function repairState(tx: Transaction, loss: StateLoss): Repair {
  // Another replica has taken care of it, and went on from the lineage we knew: then only what it did not know is left.
  const isTold = loss.lineage !== undefined && tx.get(notes.lineage)?.former.includes(loss.lineage) === true;
  const restored = restoreControls(tx, loss.known);
  if (isTold && restored.length === 0) return { restored, paused: false };
  const paused = mustPause(tx, isTold ? { ...loss, kind: 'rolled_back' } : loss);
  if (paused) pauseForLoss(tx, loss);
  tell(tx, loss, { restored, paused });
  return { restored, paused };
}

function mustPause(
  tx: Transaction,
  { kind, known, hasCopy, lostMs, knownAtMs, controlsAtMs, onEmpty }: StateLoss,
): boolean {
  if (onEmpty === 'start') return false;
  // Somebody has resumed since, and so knows.
  const goneAtMs = (view: StateView) => view.get(kinds.gone.of(pauses.afterLoss))?.atMs ?? Number.NEGATIVE_INFINITY;
  if (knownAtMs !== undefined && goneAtMs(tx) > Math.max(knownAtMs, controlsAtMs ?? 0, goneAtMs(known))) return false;
  const isFailover = kind === 'rolled_back' && lostMs !== undefined && lostMs <= failoverMs;
  if (!isFailover) return true;
  return !hasCopy && (controlsAtMs === undefined || controlsAtMs > controlsChangedMs(tx));
}

function pauseForLoss(tx: Transaction, loss: StateLoss): void {
  if (tx.get(pauses.afterLoss) !== undefined) return;
  const pause: Pause = { who: 'autopilot', reason: stateLost, sinceMs: tx.nowMs, text: sentence(loss, [], true) };
  placeControl(tx, pauses.afterLoss, pause);
}

function tell(tx: Transaction, loss: StateLoss, { restored, paused }: Repair): void {
  const text = sentence(loss, restored, paused);
  const before = tx.get(stateLossAlertKey);
  tx.set(stateLossAlertKey, {
    kind: stateLost,
    sinceMs: before?.sinceMs ?? tx.nowMs,
    updatedAtMs: tx.nowMs,
    text,
  });
  const { kind, lostMs } = loss;
  audit(tx, {
    who: 'autopilot',
    what: stateLost,
    outcome: paused ? 'paused' : 'restored',
    why: text,
    params: { kind, ...(lostMs === undefined ? {} : { lostMs }), restored },
  });
}

/** What happened, what was done, and what is left to do. */
export function sentence(
  { evidence, lostMs, hasCopy }: StateLoss,
  restored: readonly string[],
  paused: boolean,
): string {
  const parts = [
    `The shared state was lost: ${evidence}.`,
    lostMs === undefined ? '' : `About ${formatDuration(Math.ceil(lostMs / 100) * 100)} of it is missing.`,
    restored.length === 0
      ? ''
      : `Put back: ${restored.slice(0, 5).join(', ')}${restored.length > 5 ? ` and ${restored.length - 5} more` : ''}.`,
    hasCopy ? '' : 'No living replica knew it: holds, silences and a pause may be missing.',
    paused ? 'All automation is paused: compare holds and silences with what should be in force, then resume.' : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** Ends the alert: at the resume, or, where nothing was paused, after an hour. */
export function endStateLossAlert(tx: Transaction, { resumed }: { readonly resumed: boolean }): void {
  const alert = tx.get(stateLossAlertKey);
  if (!alert) return;
  const isOver = resumed || (tx.get(pauses.afterLoss) === undefined && tx.nowMs - alert.updatedAtMs > alertKeptMs);
  if (isOver) tx.delete(stateLossAlertKey);
}
