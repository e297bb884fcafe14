// The rules engine's door: what changed, or became due, goes in; decisions come out, and everything that follows from them (facts,
// timers, journal, incidents, jobs) is written through the same transaction. No clock and no I/O: the same transaction on the same
// state gives the same decisions. Begin to read at `decideAll`; notice.ts says what begins and ends, judge.ts what acts.
import type { Decision } from '#domain/decision.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { Fact, Timer } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange } from '#domain/stream-record.ts';
import { recordDecisions } from '#journal/record.ts';
import { type DecideOptions, Pass } from './evaluation.ts';
import { houseKeepingMs, keepHouse } from './housekeeping.ts';
import { noteWithheld } from './incidents.ts';
import { judge } from './judge.ts';
import { allSubject, dropMoment, notePolled, readFact, withheldMoments } from './memory.ts';
import { lookAtSchedule, noticeAggregates, noticeEvent, noticeHttp, noticeInventory, noticeStream } from './notice.ts';
import { followPopulation } from './population.ts';
import { isHolding, type RuleOf } from './rule-index.ts';
import { followRuleset, lookAtEverything } from './ruleset-change.ts';
import { followSchedule, isScheduleActive, nextScheduleMs, noteTold, readSchedule, scheduleCause } from './schedule.ts';
import {
  dropTimer,
  dueTimers,
  isRecheckDue,
  isRecheckPlanned,
  judgeBlockedSoon,
  nextTimerMs,
  noteGap,
  planRecheck,
} from './timers.ts';
import { begin, end, resolve } from './transitions.ts';

export type { DecideOptions } from './evaluation.ts';

/** Timers that one transaction takes upon itself. */
const timersPerPass = 500;
/** Channels that a schedule is told about in one transaction. */
const toldPerPass = 500;

/** Judges one change. Several changes of one transaction are better judged together: `decideAll`. */
export function decide(
  tx: Transaction,
  change: StreamChange,
  ruleset: Ruleset,
  options: DecideOptions = {},
): readonly Decision[] {
  return decideAll(tx, [change], ruleset, options);
}

/** Judges what has changed in this transaction, in the order it changed. The records are up to date already. */
export function decideAll(
  tx: Transaction,
  changes: readonly StreamChange[],
  ruleset: Ruleset,
  options: DecideOptions = {},
): readonly Decision[] {
  if (changes.length === 0) return [];
  const pass = new Pass(tx, ruleset, options);
  followRuleset(pass);
  followPopulation(tx, changes, pass.index);
  for (const change of changes) notice(pass, change);
  noticeAggregates(pass);
  judge(pass);
  if (pass.hasWithheld && !isRecheckPlanned(tx)) planRecheck(tx, 'some');
  return finish(pass);
}

/** Judges what has become due: timers, schedules, what was held back. Call it again at once while `nextDueMs` is not in the future. */
export function decideDue(tx: Transaction, ruleset: Ruleset, options: DecideOptions = {}): readonly Decision[] {
  const pass = new Pass(tx, ruleset, options);
  // Late timers wait for a complete poll: what they were set for may be long over.
  if (!pass.isWarm) return [];
  followRuleset(pass);
  let more = lookAtEverything(pass);
  for (const rule of pass.index.schedule) more = tellSchedule(pass, rule) || more;
  const recheck = isRecheckDue(tx);
  const due = dueTimers(tx, tx.nowMs, { blocked: recheck });
  const fresh = due.filter(({ blocked }) => blocked === undefined).slice(0, timersPerPass);
  const steps = takeDue(pass, [...fresh, ...due.filter(({ blocked }) => blocked !== undefined)]);
  if (recheck) takeWithheldMoments(pass);
  const judged = judge(pass, steps);
  if (judged.more || more) judgeBlockedSoon(tx);
  else if (recheck || pass.hasWithheld) planRecheck(tx, pass.hasWithheld ? 'some' : 'nothing');
  keepHouse(tx, pass.index);
  return finish(pass);
}

/** When there is next something for `decideDue`, epoch ms; in the past: now. */
export function nextDueMs(view: StateView): number | undefined {
  const moments = [nextTimerMs(view), nextScheduleMs(view), houseKeepingMs(view)].filter(
    (moment) => moment !== undefined,
  );
  return moments.length === 0 ? undefined : Math.min(...moments);
}

function notice(pass: Pass, change: StreamChange): void {
  switch (change.kind) {
    case 'stream':
      noticeStream(pass, change);
      return;
    case 'event':
      noticeEvent(pass, change);
      return;
    case 'http':
      noticeHttp(pass, change);
      return;
    case 'inventory':
      noticeInventory(pass, change);
      return;
    case 'data_gap':
      noteGap(pass.tx, change);
      return;
    case 'poll':
      if (change.scope === 'all' && change.complete) notePoll(pass, change);
  }
}

/** A complete poll ends the warm-up, and says of every stream whether it is still there: what waited for it is judged at the next tick. */
function notePoll({ tx, nowMs }: Pass, { atMs, staleAtMs }: StreamChange & { kind: 'poll' }): void {
  notePolled(tx, { polledMs: Math.min(atMs, nowMs), ...(staleAtMs === undefined ? {} : { staleAtMs }) });
  if (isRecheckPlanned(tx)) judgeBlockedSoon(tx);
}

/** Sorts due timers: what was waited for becomes due, what is over resolves; steps are given back. */
function takeDue(pass: Pass, due: readonly Timer[]): readonly Timer[] {
  const steps: Timer[] = [];
  for (const timer of due) {
    const rule = pass.index.byName.get(timer.rule);
    const fact: Fact | undefined = rule && readFact(pass.tx, rule.name, timer.subject);
    if (!rule || fact?.conditionHash !== rule.conditionHash) dropTimer(pass.tx, timer);
    else if (timer.kind === 'step') steps.push(timer);
    else if (timer.kind === 'for') {
      const cause = fact.pending?.cause ?? (isHolding(rule) && !fact.firing?.acted ? fact.firing?.cause : undefined);
      if (cause) pass.addDue({ rule, subject: timer.subject, cause, timer });
      else dropTimer(pass.tx, timer);
    } else if (fact.firing?.endedAtMs === undefined) dropTimer(pass.tx, timer);
    else resolve(pass, rule, { ...fact, firing: fact.firing });
  }
  return steps;
}

/** What came during a warm-up or a gap becomes due, each by itself, in the order in which it came. */
function takeWithheldMoments(pass: Pass): void {
  for (const moment of withheldMoments(pass.tx)) {
    const rule = pass.index.byName.get(moment.rule);
    if (rule?.conditionHash === moment.conditionHash)
      pass.addDue({ rule, subject: moment.subject, cause: moment.cause, withheld: moment });
    else dropMoment(pass.tx, moment);
  }
}

/** Lets a schedule begin or end for the channels it concerns. Returns whether some are left for the next transaction. */
function tellSchedule(pass: Pass, rule: RuleOf<'schedule'>): boolean {
  const { tx } = pass;
  if (!followSchedule(tx, rule)) return false;
  const isActive = isScheduleActive(tx, rule);
  if (!rule.match) {
    if (isActive) begin(pass, rule, allSubject, scheduleCause(tx, rule));
    else end(pass, rule, allSubject, { failed: 'trigger', values: () => ({ active: false }) });
    noteTold(tx, rule, undefined);
    return false;
  }
  const after = readSchedule(tx, rule)?.toldUpTo ?? '';
  const arns = Array.from(tx.entries(kinds.channel), ([arn]) => arn).filter((arn) => arn > after);
  const next = arns.sort().slice(0, toldPerPass);
  for (const arn of next) {
    if (isActive) lookAtSchedule(pass, rule, pass.channel(arn));
    else end(pass, rule, arn, { failed: 'trigger', values: () => ({ active: false }) });
  }
  const isLast = next.length === arns.length;
  noteTold(tx, rule, isLast ? undefined : next.at(-1));
  return !isLast;
}

function finish(pass: Pass): readonly Decision[] {
  noteWithheld(pass.tx, pass.withheldBy);
  pass.flush();
  recordDecisions(pass.tx, pass.decisions);
  return pass.decisions;
}
