// Everything that becomes due: `for`, `after`, `keep_firing_for`. It is stored, so that restarts and reloads lose none.
//
// A timer keeps the moment it counts from and how long it runs. Timers of rules with `on_data_gap: freeze` count only seen time: the
// stretches without data are stored beside them, each from the last data before it, and no part of a stretch counts, whenever it was
// noticed. So a gap delays any number of timers without changing one.
import type { DecisionReason } from '#domain/decision.ts';
import type { Rule } from '#domain/rule.ts';
import type { Stretch, Timer } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import type { StreamChange } from '#domain/stream-record.ts';

type TimerName = Pick<Timer, 'kind' | 'rule' | 'subject' | 'step' | 'firing'>;

const unseenKey = notes.unseen;
/** Beyond this many, the oldest become one: what was seen between them is dropped, so that nothing is due too early. */
const maxPast = 50;
const recheckKey = notes.recheck;
/** How often what guards hold back is judged again. */
const recheckEveryMs = 10_000;

const keyOf = ({ kind, rule, subject, step, firing }: TimerName) =>
  kinds.timer.of(`${kind}|${rule}|${subject}${kind === 'step' ? `|${step}|${firing?.decisionId ?? ''}` : ''}`);

/** Whether the rule's timers count only seen time. */
function freezesOf({ guards, trigger }: Rule): boolean {
  return guards.onDataGap === 'freeze' && trigger.kind !== 'schedule';
}

/** Sets a timer; without `sinceMs` it counts from now. */
export function startTimer(
  tx: Transaction,
  rule: Rule,
  timer: Omit<Timer, 'rule' | 'sinceMs' | 'freezes'> & { readonly sinceMs?: number },
): void {
  const set: Timer = { sinceMs: tx.nowMs, ...timer, rule: rule.name, freezes: freezesOf(rule) };
  tx.set(keyOf(set), set);
}

/** How much of the time since a moment counts for the rule's timers, as of now. */
export function countedMs(tx: Transaction, rule: Rule, sinceMs: number): number {
  const unseen = freezesOf(rule) ? unseenOf(tx, tx.nowMs) : [];
  const lost = unseen.map(([fromMs, toMs]) => Math.max(0, Math.min(toMs, tx.nowMs) - Math.max(fromMs, sinceMs)));
  return tx.nowMs - sinceMs - lost.reduce((total, ms) => total + ms, 0);
}

/** Marks a timer as held back. */
export function blockTimer(tx: Transaction, timer: Timer, blocked: DecisionReason): void {
  if (timer.blocked !== blocked) tx.set(keyOf(timer), { ...timer, blocked });
}

export function readTimer(view: StateView, name: TimerName): Timer | undefined {
  return view.get(keyOf(name));
}

export function dropTimer(tx: Transaction, name: TimerName): void {
  const key = keyOf(name);
  if (tx.get(key) !== undefined) tx.delete(key);
}

/** Hands a timer to a rule of another name. */
export function moveTimer(tx: Transaction, timer: Timer, rule: string): void {
  dropTimer(tx, timer);
  const moved: Timer = { ...timer, rule };
  tx.set(keyOf(moved), moved);
}

export function timers(view: StateView): Iterable<readonly [string, Timer]> {
  return view.entries(kinds.timer);
}

/** Timers that have run out, the oldest first; with `blocked`, including those that were held back. */
export function dueTimers(view: StateView, nowMs: number, { blocked }: { blocked: boolean }): Timer[] {
  const unseen = unseenOf(view);
  const due: (readonly [dueMs: number, timer: Timer])[] = [];
  for (const [, timer] of timers(view)) {
    const dueMs = dueMsOf(timer, unseen);
    if (timer.blocked ? blocked : dueMs <= nowMs) due.push([dueMs, timer]);
  }
  due.sort(([a, one], [b, other]) => (a === b ? (keyOf(one) < keyOf(other) ? -1 : 1) : a < b ? -1 : 1));
  return due.map(([, timer]) => timer);
}

/** When the next timer runs out, or what is held back is judged again, epoch ms. */
export function nextTimerMs(view: StateView): number | undefined {
  const unseen = unseenOf(view);
  let nextMs = view.get(recheckKey)?.dueMs ?? Number.POSITIVE_INFINITY;
  for (const [, timer] of timers(view)) if (!timer.blocked) nextMs = Math.min(nextMs, dueMsOf(timer, unseen));
  return Number.isFinite(nextMs) ? nextMs : undefined;
}

/** When timers run out, epoch ms, if data is available from now on. */
export function dueTimes(view: StateView, nowMs: number): (timer: Timer) => number {
  const unseen = unseenOf(view, nowMs);
  return (timer) => dueMsOf(timer, unseen);
}

/** Sources that are silent now. */
export function silentSources(view: StateView): readonly string[] {
  return Object.keys(view.get(unseenKey)?.silent ?? {});
}

/** A source went silent or returned. Its silence counts even if nobody noticed before it was over. */
export function noteGap(tx: Transaction, { source, state, sinceMs, atMs }: StreamChange & { kind: 'data_gap' }): void {
  const { silent, past } = tx.get(unseenKey) ?? { silent: {}, past: [] };
  const { [source]: knownMs, ...others } = silent;
  const fromMs = Math.min(knownMs ?? sinceMs ?? atMs, tx.nowMs);
  if (state === 'began') {
    if (knownMs !== undefined) return;
    tx.set(unseenKey, { silent: { ...silent, [source]: fromMs }, past });
    runOn(tx);
    return;
  }
  if (knownMs === undefined && sinceMs === undefined) return;
  const all = joined([...past, [fromMs, tx.nowMs]]);
  const bridge: Stretch[] = all.length > maxPast ? [[all[0]![0], all[1]![1]]] : [];
  tx.set(unseenKey, { silent: others, past: joined([...bridge, ...all]) });
  if (knownMs === undefined) runOn(tx);
  judgeBlockedSoon(tx);
}

/** Some of what was held back was not due: part of its time turns out not to have been seen. It continues to run. */
function runOn(tx: Transaction): void {
  const unseen = unseenOf(tx);
  for (const [, timer] of Array.from(timers(tx))) {
    const { blocked, ...running } = timer;
    if (blocked !== undefined && dueMsOf(timer, unseen) > tx.nowMs) tx.set(keyOf(timer), running satisfies Timer);
  }
}

/** Makes everything that is held back be judged again at the next tick. */
export function judgeBlockedSoon(tx: Transaction): void {
  tx.set(recheckKey, { dueMs: tx.nowMs });
}

/** Whether anything is held back that will be judged again. */
export function isRecheckPlanned(tx: Transaction): boolean {
  return tx.get(recheckKey) !== undefined;
}

/** Whether it is time to judge again what is held back. */
export function isRecheckDue(tx: Transaction): boolean {
  const recheck = tx.get(recheckKey);
  return recheck !== undefined && recheck.dueMs <= tx.nowMs;
}

/** Plans the next judgement of what is held back; `left`: whether anything is. */
export function planRecheck(tx: Transaction, left: 'nothing' | 'some' | 'more at once'): void {
  const known = tx.get(recheckKey);
  if (left === 'nothing') {
    if (known) tx.delete(recheckKey);
  } else if (left === 'more at once') judgeBlockedSoon(tx);
  else if (!known || known.dueMs <= tx.nowMs) tx.set(recheckKey, { dueMs: tx.nowMs + recheckEveryMs });
}

/** Stretches without data, in order and not touching; a current one ends at `untilMs`. */
function unseenOf(view: StateView, untilMs = Number.POSITIVE_INFINITY): readonly Stretch[] {
  const { silent, past } = view.get(unseenKey) ?? { silent: {}, past: [] };
  const sinceMs = Math.min(...Object.values(silent));
  return Number.isFinite(sinceMs) ? joined([...past, [sinceMs, untilMs]]) : past;
}

function joined(stretches: readonly Stretch[]): readonly Stretch[] {
  const result: Stretch[] = [];
  for (const [fromMs, toMs] of stretches.toSorted(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last && fromMs <= last[1]) result[result.length - 1] = [last[0], Math.max(last[1], toMs)];
    else result.push([fromMs, toMs]);
  }
  return result;
}

/** The first moment by which a timer has run its time; infinite while data is missing before it. */
function dueMsOf({ sinceMs, runsMs, freezes }: Timer, unseen: readonly Stretch[]): number {
  let dueMs = sinceMs + runsMs;
  if (!freezes) return dueMs;
  for (const [fromMs, toMs] of unseen) {
    const lostFromMs = Math.max(fromMs, sinceMs);
    if (lostFromMs < dueMs && toMs > sinceMs) dueMs += toMs - lostFromMs;
  }
  return dueMs;
}
