// What happens to the safety controls when the shared state was lost or went back: known controls are written again, removed ones stay
// removed, and automation pauses unless nothing can have gone wrong. Each control has the time of its last change, so several replicas may
// do this in any order, and repeatedly, with the same result: the newest change of each counts.
import type { Pause } from '#domain/control.ts';
import { holdsInForce } from '#domain/controls-in-force.ts';
import { formatDuration } from '#domain/duration.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import type { Key } from '#domain/state-key.ts';
import type { LostItems, Repair, StateLoss } from '#domain/state-loss.ts';
import { kinds, notes, type PlacedControl, pauseKeys, pauses, stateLossAlertKey } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import { lostItems } from './lost-items.ts';
import { placeControl } from './memory.ts';

/** A failover loses about this much; such a loss is reported, but pauses nothing if a running replica has restored the controls. */
export const failoverMs = 5_000;

/** The pause's reason and the alert's kind. */
const stateLost = 'state_lost';

/** The longest text of an alert that several replicas add to. */
const longestText = 4_000;

/** An alert about a loss that paused nothing ends by itself. */
const alertKeptMs = 3_600_000;

interface KnownControl {
  readonly key: Key<PlacedControl>;
  readonly value: PlacedControl;
  readonly changedMs: number;
}

/** Pauses, holds, silences, stopped rules and the activation of a standby that are in force. */
function* controlsOf(view: StateView, nowMs: number): Iterable<KnownControl> {
  for (const key of pauseKeys) {
    const pause = view.get(key);
    if (pause) yield { key, value: pause, changedMs: pause.sinceMs };
  }
  const activation = view.get(notes.activation);
  if (activation) yield { key: notes.activation, value: activation, changedMs: activation.sinceMs };
  for (const [arn, hold] of holdsInForce(view, nowMs))
    yield { key: kinds.hold.of(arn), value: hold, changedMs: hold.sinceMs };
  // Its id is made from its content: one that was ended never returns unchanged.
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

/** Whether `found` lacks a control that `known` has and nobody removed. */
export function lacksControls(found: StateView, known: StateView, nowMs: number): boolean {
  for (const control of controlsOf(known, nowMs)) if (isNewer(found, control)) return true;
  return false;
}

/** When a control was last set or removed. */
export function controlsChangedMs(view: StateView): number {
  let last = 0;
  for (const { value, changedMs } of controlsOf(view, Number.NEGATIVE_INFINITY))
    last = Math.max(last, 'startsMs' in value ? value.startsMs : changedMs);
  for (const [, { atMs }] of view.entries(kinds.gone)) last = Math.max(last, atMs);
  return last;
}

/** Writes the known controls that are newer than what is there, and removes what was removed. Returns their keys. */
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

/** Repairs a state that was lost, went back or was damaged: see the top of this file. */
export function repairState(tx: Transaction, loss: StateLoss): Repair {
  // Another replica has repaired it, and continued from the lineage we knew: then only what it did not know is left.
  const isTold = loss.lineage !== undefined && tx.get(notes.lineage)?.former.includes(loss.lineage) === true;
  const lost = loss.missingIsLost && !isTold ? lostItems(loss.known, tx) : undefined;
  const restored = restoreControls(tx, loss.known);
  if (isTold && restored.length === 0) return { restored, lost, paused: false };
  const paused = mustPause(tx, isTold ? { ...loss, kind: 'rolled_back' } : loss);
  const repair = { restored, lost, paused };
  if (paused) pauseForLoss(tx, loss, repair);
  tell(tx, loss, repair, isTold);
  return repair;
}

function mustPause(
  tx: Transaction,
  { kind, known, hasCopy, lostMs, knownAtMs, controlsAtMs, onEmpty }: StateLoss,
): boolean {
  if (onEmpty === 'start') return false;
  // Somebody has resumed since, and so knows about the loss.
  const goneAtMs = (view: StateView) => view.get(kinds.gone.of(pauses.afterLoss))?.atMs ?? Number.NEGATIVE_INFINITY;
  if (knownAtMs !== undefined && goneAtMs(tx) > Math.max(knownAtMs, controlsAtMs ?? 0, goneAtMs(known))) return false;
  const isFailover = kind === 'rolled_back' && lostMs !== undefined && lostMs <= failoverMs;
  if (!isFailover) return true;
  return !hasCopy && (controlsAtMs === undefined || controlsAtMs > controlsChangedMs(tx));
}

function pauseForLoss(tx: Transaction, loss: StateLoss, repair: Repair): void {
  if (tx.get(pauses.afterLoss) !== undefined) return;
  const text = sentence(loss, { ...repair, restored: [] });
  const pause: Pause = { who: 'autopilot', reason: stateLost, sinceMs: tx.nowMs, text };
  placeControl(tx, pauses.afterLoss, pause);
}

/** @param isTold another replica has reported the loss, and what it counted stays */
function tell(tx: Transaction, loss: StateLoss, repair: Repair, isTold: boolean): void {
  const { restored, lost, paused } = repair;
  const before = tx.get(stateLossAlertKey);
  const first = isTold && before && before.text.length < longestText ? before.text : undefined;
  const more = `Another replica knew more. ${putBack(restored)}`;
  const text =
    first === undefined
      ? sentence(loss, repair)
      : [first, more, paused && !first.includes(pausedText) ? pausedText : ''].filter(Boolean).join(' ');
  tx.set(stateLossAlertKey, {
    kind: stateLost,
    sinceMs: before?.sinceMs ?? tx.nowMs,
    updatedAtMs: tx.nowMs,
    text,
  });
  const { kind, lostMs, lostCommits } = loss;
  audit(tx, {
    who: 'autopilot',
    what: stateLost,
    outcome: paused ? 'paused' : 'restored',
    why: text,
    params: {
      kind,
      ...(lostMs === undefined ? {} : { lostMs }),
      ...(lostCommits === undefined ? {} : { lostCommits }),
      ...(lost === undefined ? {} : { lost: Object.fromEntries(lost.map(({ what, count }) => [what, count])) }),
      restored,
    },
  });
}

const pausedText =
  'All automation is paused: compare holds and silences with those that should be in force, then resume.';

/** Adds to the alert which accepted batches of metadata are lost: their senders can send them again. */
export function tellLostBatches(tx: Transaction, batchIds: readonly string[]): void {
  const alert = tx.get(stateLossAlertKey);
  const count = `${batchIds.length} ${batchIds.length === 1 ? 'batch' : 'batches'}`;
  const are = batchIds.length === 1 ? 'is' : 'are';
  const named = `${batchIds.slice(0, 5).join(', ')}${batchIds.length > 5 ? ', …' : ''}`;
  const text = `At least ${count} of metadata that had been accepted ${are} gone: ${named}. What was not delivered of it is lost.`;
  if (alert && alert.text.length < longestText)
    tx.set(stateLossAlertKey, { ...alert, updatedAtMs: tx.nowMs, text: `${alert.text} ${text}` });
  audit(tx, {
    who: 'autopilot',
    what: stateLost,
    outcome: 'lost',
    why: text,
    params: { batches: batchIds.slice(0, 200) },
  });
}

/** What happened, what was done, and what remains to be done. */
export function sentence(
  { evidence, lostMs, lostCommits, hasCopy }: StateLoss,
  { restored, lost, paused }: Repair,
): string {
  const commits = lostCommits === undefined ? '' : ` (${lostCommits} ${lostCommits === 1 ? 'commit' : 'commits'})`;
  const parts = [
    `The shared state was lost: ${evidence}.`,
    lostMs === undefined ? '' : `About ${formatDuration(Math.ceil(lostMs / 100) * 100)}${commits} of it is missing.`,
    putBack(restored),
    hasCopy ? lostText(lost) : 'No running replica knew it: holds, silences and a pause may be missing.',
    paused ? pausedText : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function putBack(restored: readonly string[]): string {
  if (restored.length === 0) return '';
  const more = restored.length > 5 ? ` and ${restored.length - 5} more` : '';
  return `Put back: ${restored.slice(0, 5).join(', ')}${more}.`;
}

/** No replica has a copy of the queues and of the outbox: their losses are never completely known. */
const unknowable =
  'Jobs in the queues and batches of metadata of that time may be missing too: no replica has a copy of them.';

function lostText(lost: readonly LostItems[] | undefined): string {
  if (lost === undefined) return `It is not known what else is missing: others have committed since. ${unknowable}`;
  if (lost.length === 0) return unknowable;
  const items = lost.map(
    ({ what, count, names }) => `${count} ${what}${names.length === 0 ? '' : ` (${namesOf(names, count)})`}`,
  );
  return `Lost and not put back, at least: ${items.join('; ')}. ${unknowable}`;
}

function namesOf(names: readonly string[], count: number): string {
  return names.length < count ? `among them ${names.join(', ')}` : names.join(', ');
}

/** Ends the alert: at the resume or, if nothing was paused, after an hour. */
export function endStateLossAlert(tx: Transaction, { resumed }: { readonly resumed: boolean }): void {
  const alert = tx.get(stateLossAlertKey);
  if (!alert) return;
  const isOver = resumed || (tx.get(pauses.afterLoss) === undefined && tx.nowMs - alert.updatedAtMs > alertKeptMs);
  if (isOver) tx.delete(stateLossAlertKey);
}
