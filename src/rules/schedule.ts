// Schedule triggers: when a rule's intervals start and end, and which channels have been handled.
import type { DailyTimes, Rule } from '#domain/rule.ts';
import type { Cause, ScheduleState } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { memoriesOf } from './memory.ts';
import type { RuleOf } from './rule-index.ts';
import { activeAt, nextBoundary, nextDailyMs } from './time-intervals.ts';

const recheckMs = 86_400_000;
const keyOf = (rule: string) => kinds.schedule.of(rule);

export function readSchedule(view: StateView, rule: Rule): ScheduleState | undefined {
  const known = view.get(keyOf(rule.name));
  return known?.conditionHash === rule.conditionHash ? known : undefined;
}

export function isScheduleActive(view: StateView, rule: Rule): boolean {
  return readSchedule(view, rule)?.active ?? false;
}

function isFiring(tx: Transaction, { name }: Rule): boolean {
  for (const _ of memoriesOf(tx, 'firing', name)) return true;
  return false;
}

/** Follows the clock. Returns whether the rule's channels must be evaluated: it has just changed, or not all have been evaluated yet. */
export function followSchedule(tx: Transaction, rule: RuleOf<'schedule'>): boolean {
  const known = readSchedule(tx, rule);
  if (known && tx.nowMs < known.nextMs) return known.toldUpTo !== undefined;
  const active = rule.trigger.intervals.some((interval) => activeAt(interval, tx.nowMs));
  const boundaries = rule.trigger.intervals.flatMap((interval) => nextBoundary(interval, tx.nowMs) ?? []);
  const nextMs = Math.min(tx.nowMs + recheckMs, ...boundaries);
  // A rule that was changed may still fire for what is over now.
  const changed = known ? active !== known.active : active || isFiring(tx, rule);
  tx.set(keyOf(rule.name), {
    conditionHash: rule.conditionHash,
    active,
    sinceMs: changed || !known ? tx.nowMs : known.sinceMs,
    nextMs,
    ...(changed ? { toldUpTo: '' } : known?.toldUpTo === undefined ? {} : { toldUpTo: known.toldUpTo }),
  });
  return changed || known?.toldUpTo !== undefined;
}

/**
 * Follows the times of the day. Returns the time that channels must be evaluated for; undefined: none. If several were missed, the last.
 */
export function followDaily(tx: Transaction, rule: RuleOf<'times'>, daily: DailyTimes): number | undefined {
  const known = readSchedule(tx, rule);
  if (known?.toldUpTo !== undefined) return known.sinceMs;
  if (known && tx.nowMs < known.nextMs) return undefined;
  const { conditionHash } = rule;
  let atMs = known?.nextMs;
  let nextMs = nextDailyMs(daily, atMs ?? tx.nowMs);
  while (atMs !== undefined && nextMs <= tx.nowMs) {
    atMs = nextMs;
    nextMs = nextDailyMs(daily, atMs);
  }
  const told = atMs === undefined ? {} : { toldUpTo: '' };
  tx.set(keyOf(rule.name), { conditionHash, active: false, sinceMs: atMs ?? tx.nowMs, nextMs, ...told });
  return atMs;
}

/** Remembers how far the channels have been evaluated; undefined: all of them. */
export function noteTold(tx: Transaction, rule: Rule, upTo: string | undefined): void {
  const known = readSchedule(tx, rule);
  if (!known) return;
  const { toldUpTo: _before, ...rest } = known;
  tx.set(keyOf(rule.name), upTo === undefined ? rest : { ...rest, toldUpTo: upTo });
}

/** When the next schedule starts, ends, or continues with its channels. */
export function nextScheduleMs(view: StateView): number | undefined {
  let nextMs: number | undefined;
  for (const [, { nextMs: own, toldUpTo }] of view.entries(kinds.schedule)) {
    const dueMs = toldUpTo === undefined ? own : 0;
    nextMs = nextMs === undefined ? dueMs : Math.min(nextMs, dueMs);
  }
  return nextMs;
}

/** The cause of everything that follows from the active interval. */
export function scheduleCause(view: StateView, rule: RuleOf<'schedule'>): Cause {
  const sinceMs = readSchedule(view, rule)?.sinceMs ?? 0;
  const names = rule.trigger.intervals.map(({ name }) => name).join(', ');
  return {
    id: `interval@${sinceMs}`,
    evidence: {
      kind: 'schedule',
      sinceMs,
      text: `time interval ${names} is active`,
      values: { since: new Date(sinceMs).toISOString() },
    },
  };
}
