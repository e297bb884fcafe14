// The entry point of the rules engine: it takes what changed or became due, and returns decisions. Everything that follows from them (rule
// memory, timers, journal, incidents, jobs) is written through the same transaction. No clock and no I/O: the same transaction on the same
// state makes the same decisions. Start reading at `decideAll`; notice.ts says what begins and ends, judge.ts what acts.
import type { Answered, ApprovalSaid } from '#domain/approval.ts';
import type { Decision } from '#domain/decision.ts';
import type { Rule, Ruleset } from '#domain/rule.ts';
import type { RuleMemory, Timer } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange } from '#domain/stream-record.ts';
import { recordDecisions } from '#journal/record.ts';
import { sweepApprovals, takeAnswer } from './answers.ts';
import { nextApprovalMs, tellOfApprovals } from './approvals.ts';
import type { ChannelView } from './channel-view.ts';
import { nextTurnDueMs, takeTurns } from './clocked.ts';
import { type DecideOptions, Evaluation } from './evaluation.ts';
import { houseKeepingMs, keepHouse } from './housekeeping.ts';
import { noteWithheld } from './incidents.ts';
import { judge } from './judge.ts';
import { nextKeyAgeMs, noticeKeys, takeKeyAges } from './key-age.ts';
import { settle } from './left-firings.ts';
import { allSubject, dropMoment, notePolled, readMemory, withheldMoments } from './memory.ts';
import {
  evaluateSchedule,
  noticeAggregates,
  noticeDaily,
  noticeEvent,
  noticeHttp,
  noticeInventory,
  noticeStream,
  noticeTurn,
} from './notice.ts';
import { followPopulation } from './population.ts';
import { isHolding, type RuleOf } from './rule-index.ts';
import { evaluateEveryChannel, followRuleset } from './ruleset-change.ts';
import {
  followDaily,
  followSchedule,
  isScheduleActive,
  nextScheduleMs,
  noteTold,
  readSchedule,
  scheduleCause,
} from './schedule.ts';
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

/** Timers that one transaction handles. */
const timersPerEvaluation = 500;
/** Channels that one transaction evaluates for a schedule. */
const toldPerEvaluation = 500;

/** Judges one change. Several changes of one transaction should be judged together: `decideAll`. */
export function decide(
  tx: Transaction,
  change: StreamChange,
  ruleset: Ruleset,
  options: DecideOptions = {},
): readonly Decision[] {
  return decideAll(tx, [change], ruleset, options);
}

/** Judges what has changed in this transaction, in the order of the changes. The records are up to date already. */
export function decideAll(
  tx: Transaction,
  changes: readonly StreamChange[],
  ruleset: Ruleset,
  options: DecideOptions = {},
): readonly Decision[] {
  if (changes.length === 0) return [];
  const evaluation = new Evaluation(tx, ruleset, options);
  followRuleset(evaluation);
  followPopulation(evaluation, changes);
  for (const change of changes) {
    evaluation.trace = change.trace ?? options.trace;
    notice(evaluation, change);
  }
  noticeAggregates(evaluation);
  judge(evaluation);
  if (evaluation.hasWithheld && !isRecheckPlanned(tx)) planRecheck(tx, 'some');
  return finish(evaluation);
}

/** Judges what has become due: timers, schedules, what was held back. Call it again at once while `nextDueMs` is not in the future. */
export function decideDue(tx: Transaction, ruleset: Ruleset, options: DecideOptions = {}): readonly Decision[] {
  const evaluation = new Evaluation(tx, ruleset, options);
  // Late timers wait for a complete poll: their conditions may be long over.
  if (!evaluation.isWarm) return [];
  followRuleset(evaluation);
  let more = evaluateEveryChannel(evaluation);
  for (const rule of evaluation.index.schedule) more = tellSchedule(evaluation, rule) || more;
  for (const rule of evaluation.index.times) more = tellDaily(evaluation, rule) || more;
  more = takeKeyAges(evaluation) || more;
  const { turned, lookedMs } = takeTurns(tx, ruleset);
  for (const arn of turned) noticeTurn(evaluation, arn, lookedMs);
  sweepApprovals(evaluation);
  const recheck = isRecheckDue(tx);
  const due = dueTimers(tx, tx.nowMs, { blocked: recheck });
  const fresh = due.filter(({ blocked }) => blocked === undefined).slice(0, timersPerEvaluation);
  const steps = takeDue(evaluation, [...fresh, ...due.filter(({ blocked }) => blocked !== undefined)]);
  if (recheck) takeWithheldMoments(evaluation);
  const judged = judge(evaluation, steps);
  if (judged.more || more) judgeBlockedSoon(tx);
  else if (recheck || evaluation.hasWithheld) planRecheck(tx, evaluation.hasWithheld ? 'some' : 'nothing');
  keepHouse(tx, evaluation.index);
  return finish(evaluation);
}

/** Judges a person's yes or no to an action that waits for it. */
export function decideAnswer(
  tx: Transaction,
  said: ApprovalSaid,
  ruleset: Ruleset,
  options: DecideOptions = {},
): { readonly decisions: readonly Decision[]; readonly answered: Answered } {
  const evaluation = new Evaluation(tx, ruleset, options);
  followRuleset(evaluation);
  const answered = takeAnswer(evaluation, said);
  return { decisions: finish(evaluation), answered };
}

/** When `decideDue` next has something to do, epoch ms; in the past: now. */
export function nextDueMs(view: StateView): number | undefined {
  const moments = [
    nextTimerMs(view),
    nextScheduleMs(view),
    nextTurnDueMs(view),
    nextKeyAgeMs(view),
    houseKeepingMs(view),
    nextApprovalMs(view),
  ].filter((moment) => moment !== undefined);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

function notice(evaluation: Evaluation, change: StreamChange): void {
  switch (change.kind) {
    case 'stream':
      noticeStream(evaluation, change);
      return;
    case 'event':
      noticeEvent(evaluation, change);
      return;
    case 'http':
      noticeHttp(evaluation, change);
      return;
    case 'inventory':
      noticeInventory(evaluation, change);
      return;
    case 'keys':
      noticeKeys(evaluation, change.channelArns);
      return;
    case 'data_gap':
      noteGap(evaluation.tx, change);
      return;
    case 'poll':
      if (change.scope === 'all' && change.complete) notePoll(evaluation, change);
  }
}

/** A complete poll ends the warm-up, and says of every stream whether it still exists: what waited for it is judged at the next tick. */
function notePoll({ tx, nowMs }: Evaluation, { atMs, staleAtMs }: StreamChange & { kind: 'poll' }): void {
  notePolled(tx, { polledMs: Math.min(atMs, nowMs), ...(staleAtMs === undefined ? {} : { staleAtMs }) });
  if (isRecheckPlanned(tx)) judgeBlockedSoon(tx);
}

/** Sorts expired timers: a condition whose `for` ran out becomes due, a firing that is over resolves; steps are returned. */
function takeDue(evaluation: Evaluation, due: readonly Timer[]): readonly Timer[] {
  const steps: Timer[] = [];
  for (const timer of due) {
    const rule = evaluation.index.byName.get(timer.rule);
    const memory: RuleMemory | undefined = readMemory(evaluation.tx, timer.rule, timer.subject);
    if (!rule && timer.kind === 'end' && memory?.firing?.left) settle(evaluation, { ...memory, firing: memory.firing });
    else if (!rule || memory?.conditionHash !== rule.conditionHash) dropTimer(evaluation.tx, timer);
    else if (timer.kind === 'step') steps.push(timer);
    else if (timer.kind === 'for') {
      const cause =
        memory.pending?.cause ?? (isHolding(rule) && !memory.firing?.acted ? memory.firing?.cause : undefined);
      if (cause) evaluation.addDue({ rule, subject: timer.subject, cause, timer });
      else dropTimer(evaluation.tx, timer);
    } else if (memory.firing?.endedAtMs === undefined) dropTimer(evaluation.tx, timer);
    else resolve(evaluation, rule, { ...memory, firing: memory.firing });
  }
  return steps;
}

/** What came during a warm-up or a gap becomes due, each on its own, in the order in which it came. */
function takeWithheldMoments(evaluation: Evaluation): void {
  for (const moment of withheldMoments(evaluation.tx)) {
    const rule = evaluation.index.byName.get(moment.rule);
    if (rule?.conditionHash === moment.conditionHash)
      evaluation.addDue({ rule, subject: moment.subject, cause: moment.cause, withheld: moment });
    else dropMoment(evaluation.tx, moment);
  }
}

/** Lets a schedule begin or end for its channels. Returns whether some are left for the next transaction. */
function tellSchedule(evaluation: Evaluation, rule: RuleOf<'schedule'>): boolean {
  const { tx } = evaluation;
  if (!followSchedule(tx, rule)) return false;
  const isActive = isScheduleActive(tx, rule);
  if (!rule.match) {
    if (isActive) begin(evaluation, rule, allSubject, scheduleCause(tx, rule));
    else end(evaluation, rule, allSubject, { failed: 'trigger', values: () => ({ active: false }) });
    noteTold(tx, rule, undefined);
    return false;
  }
  return tellChannels(evaluation, rule, (view) => {
    if (isActive) evaluateSchedule(evaluation, rule, view);
    else end(evaluation, rule, view.arn, { failed: 'trigger', values: () => ({ active: false }) });
  });
}

/** Lets a time of day come for its channels. Returns whether some are left for the next transaction. */
function tellDaily(evaluation: Evaluation, rule: RuleOf<'times'>): boolean {
  const { tx } = evaluation;
  if (!('daily' in rule.trigger)) return false;
  const atMs = followDaily(tx, rule, rule.trigger.daily);
  if (atMs === undefined) return false;
  if (rule.match) return tellChannels(evaluation, rule, (view) => noticeDaily(evaluation, rule, atMs, view));
  noticeDaily(evaluation, rule, atMs);
  noteTold(tx, rule, undefined);
  return false;
}

/** Evaluates the next channels of the inventory. Returns whether some are left for the next transaction. */
function tellChannels(evaluation: Evaluation, rule: Rule, tell: (view: ChannelView) => void): boolean {
  const { tx } = evaluation;
  const after = readSchedule(tx, rule)?.toldUpTo ?? '';
  const arns = Array.from(tx.entries(kinds.channel), ([arn]) => arn).filter((arn) => arn > after);
  const next = arns.sort().slice(0, toldPerEvaluation);
  for (const arn of next) tell(evaluation.channel(arn));
  const isLast = next.length === arns.length;
  noteTold(tx, rule, isLast ? undefined : next.at(-1));
  return !isLast;
}

function finish(evaluation: Evaluation): readonly Decision[] {
  noteWithheld(evaluation.tx, evaluation.withheldBy);
  tellOfApprovals(evaluation);
  evaluation.flush();
  recordDecisions(evaluation.tx, evaluation.decisions);
  return evaluation.decisions;
}
