// Everything that becomes due: `for`, `after`, `keep_firing_for`. Stored, so that restarts and reloads lose none.
//
// Timers of rules with `on_data_gap: freeze` run in data time, which stands still while polls or events are silent. So a gap
// delays any number of them without touching one.
import type { DecisionReason } from '#domain/decision.ts';
import type { Rule } from '#domain/rule.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import type { Firing } from './memory.ts';

export interface Timer {
  readonly kind: 'for' | 'step' | 'end';
  readonly rule: string;
  readonly subject: string;
  /** In data time when `freezes`, else epoch ms. */
  readonly dueMs: number;
  readonly freezes: boolean;
  /** A guard held it back when it was due: it is judged again with the other blocked ones. */
  readonly blocked?: DecisionReason;
  /** Of a `step`: its place in `actions`, and the firing that it belongs to. */
  readonly step?: number;
  readonly firing?: Firing;
}

type TimerName = Pick<Timer, 'kind' | 'rule' | 'subject' | 'step' | 'firing'>;

/** The entry `meta/freeze`: data time is the time of day minus `totalMs`, and stands still since `sinceMs`. */
interface Freeze {
  readonly sources: readonly string[];
  readonly sinceMs?: number;
  readonly totalMs: number;
}

const freezeKey = 'meta/freeze';
const recheckKey = 'meta/recheck';
/** What guards hold back is judged again this often. */
const recheckEveryMs = 10_000;

const keyOf = ({ kind, rule, subject, step, firing }: TimerName) =>
  `timer/${kind}|${rule}|${subject}${kind === 'step' ? `|${step}|${firing?.decisionId ?? ''}` : ''}`;

/** Sets a timer that runs out in `inMs`. */
export function startTimer(
  tx: Transaction,
  rule: Rule,
  inMs: number,
  timer: Omit<Timer, 'rule' | 'dueMs' | 'freezes'>,
): void {
  const freezes = rule.guards.onDataGap === 'freeze' && rule.trigger.kind !== 'schedule';
  const nowMs = freezes ? dataTimeMs(tx, tx.nowMs) : tx.nowMs;
  const set: Timer = { ...timer, rule: rule.name, dueMs: nowMs + inMs, freezes };
  tx.set(keyOf(set), set);
}

/** Marks a timer as held back. */
export function blockTimer(tx: Transaction, timer: Timer, blocked: DecisionReason): void {
  if (timer.blocked !== blocked) tx.set(keyOf(timer), { ...timer, blocked });
}

export function readTimer(view: StateView, name: TimerName): Timer | undefined {
  return view.get<Timer>(keyOf(name));
}

export function dropTimer(tx: Transaction, name: TimerName): void {
  const key = keyOf(name);
  if (tx.get(key) !== undefined) tx.delete(key);
}

export function timers(view: StateView): Iterable<readonly [string, Timer]> {
  return view.entries<Timer>('timer');
}

/** Timers that have run out, the oldest first; with `blocked`, those that were held back too. */
export function dueTimers(view: StateView, nowMs: number, { blocked }: { blocked: boolean }): Timer[] {
  const dataMs = dataTimeMs(view, nowMs);
  const due: Timer[] = [];
  for (const [, timer] of timers(view)) {
    if (timer.blocked ? blocked : timer.dueMs <= (timer.freezes ? dataMs : nowMs)) due.push(timer);
  }
  return due.sort((a, b) => a.dueMs - b.dueMs || (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** When the next timer runs out, or what is held back is judged again, epoch ms. */
export function nextTimerMs(view: StateView): number | undefined {
  const { sinceMs, totalMs } = freezeOf(view);
  let nextMs = view.get<{ dueMs: number }>(recheckKey)?.dueMs ?? Number.POSITIVE_INFINITY;
  for (const [, timer] of timers(view)) {
    if (timer.blocked || (timer.freezes && sinceMs !== undefined)) continue;
    nextMs = Math.min(nextMs, timer.freezes ? timer.dueMs + totalMs : timer.dueMs);
  }
  return Number.isFinite(nextMs) ? nextMs : undefined;
}

/** When a timer runs out by the time of day, if data does not stop (again) until then. */
export function dueAtMs(view: StateView, { dueMs, freezes }: Timer, nowMs: number): number {
  const { sinceMs, totalMs } = freezeOf(view);
  return freezes ? dueMs + totalMs + (sinceMs === undefined ? 0 : Math.max(0, nowMs - sinceMs)) : dueMs;
}

/** Sources that are silent now. */
export function silentSources(view: StateView): readonly string[] {
  return freezeOf(view).sources;
}

/** A source went silent or came back. */
export function noteGap(tx: Transaction, source: string, state: 'began' | 'ended', atMs: number): void {
  const freeze = freezeOf(tx);
  const others = freeze.sources.filter((known) => known !== source);
  if (state === 'began') {
    if (others.length !== freeze.sources.length) return;
    const sinceMs = freeze.sinceMs ?? Math.min(atMs, tx.nowMs);
    tx.set(freezeKey, { ...freeze, sources: [...others, source], sinceMs });
    return;
  }
  if (others.length === freeze.sources.length) return;
  const { sinceMs = tx.nowMs, totalMs } = freeze;
  if (others.length > 0) tx.set(freezeKey, { ...freeze, sources: others });
  else tx.set(freezeKey, { sources: [], totalMs: totalMs + Math.max(0, tx.nowMs - sinceMs) });
  judgeBlockedSoon(tx);
}

/** Has everything that is held back judged again at the next tick. */
export function judgeBlockedSoon(tx: Transaction): void {
  tx.set(recheckKey, { dueMs: tx.nowMs });
}

/** Whether it is time to judge again what is held back. */
export function isRecheckDue(tx: Transaction): boolean {
  const recheck = tx.get<{ dueMs: number }>(recheckKey);
  return recheck !== undefined && recheck.dueMs <= tx.nowMs;
}

/** Plans the next look at what is held back; `left`: whether anything is. */
export function planRecheck(tx: Transaction, left: 'nothing' | 'some' | 'more at once'): void {
  const known = tx.get<{ dueMs: number }>(recheckKey);
  if (left === 'nothing') {
    if (known) tx.delete(recheckKey);
  } else if (left === 'more at once') judgeBlockedSoon(tx);
  else if (!known || known.dueMs <= tx.nowMs) tx.set(recheckKey, { dueMs: tx.nowMs + recheckEveryMs });
}

function freezeOf(view: StateView): Freeze {
  return view.get<Freeze>(freezeKey) ?? { sources: [], totalMs: 0 };
}

function dataTimeMs(view: StateView, nowMs: number): number {
  const { sinceMs, totalMs } = freezeOf(view);
  return (sinceMs ?? nowMs) - totalMs;
}
