// Decides whether what has become due acts. First, everything that is true becomes firing, so that it inhibits; then the guards of each
// rule are asked, inhibitors first. What a guard holds back stays due and is judged again, unless the guard's no is final.
import type { Decision, DecisionOutcome, DecisionReason, GuardVerdict } from '#domain/decision.ts';
import type { Rule, Step } from '#domain/rule.ts';
import type { Firing, Timer } from '#domain/rule-memory.ts';
import { type Occasion, runSteps, viewOfSubject, withheldName } from './act.ts';
import { checkCondition } from './conditions.ts';
import type { DueCause, Evaluation } from './evaluation.ts';
import { guardInputs } from './guard-inputs.ts';
import { askGuards, finalGuards, reasonOfGuard } from './guards.ts';
import { aggregateText, clearRateAlert, noteRateReached, openIncident, stopRule } from './incidents.ts';
import { keyAgeHolds } from './key-age.ts';
import { dropMoment, writeMemory, writeMoment } from './memory.ts';
import { aggregateDocument, aggregateHolds } from './population.ts';
import { isHolding, isMoment, type RuleOf } from './rule-index.ts';
import { isScheduleActive } from './schedule.ts';
import { blockTimer, dropTimer, startTimer } from './timers.ts';
import {
  afterActing,
  cancelPending,
  decisionOf,
  type Ended,
  laterDecisionId,
  newFiring,
  occasionOf,
  replaceFiring,
  resolve,
  withoutFiring,
  withoutPending,
} from './transitions.ts';

/** The most firings that one transaction acts on: the rest follow in the next. */
const actsPerEvaluation = 500;

/** The most decisions of one transaction while it judges withheld moments: there can be thousands. */
const decisionsPerEvaluation = 500;

/** Judges everything due. Returns whether the limit of one transaction was reached and more is waiting. */
export function judge(evaluation: Evaluation, steps: readonly Timer[] = []): { readonly more: boolean } {
  const due = [...evaluation.due.values()].filter(
    (one) => isStillTrue(evaluation, one) && !isKeptForLater(evaluation, one),
  );
  // If a subject has several moments, the first inhibits for all; they fire one after another.
  for (const one of due)
    if (!isMoment(one.rule) || !evaluation.memory(one.rule, one.subject).firing) markFiring(evaluation, one);
  const rank = (rule: Rule) => evaluation.index.rank.get(rule.name) ?? 0;
  due.sort((a, b) => rank(a.rule) - rank(b.rule));
  let acted = 0;
  let more = false;
  for (const one of due) {
    // Without a timer it would be lost; with one it stays due, like a withheld moment.
    if (acted >= actsPerEvaluation && one.timer) more = true;
    else if (evaluation.decisions.length >= decisionsPerEvaluation && one.withheld) more = true;
    else {
      if (isMoment(one.rule)) markFiring(evaluation, one);
      if (fire(evaluation, one)) acted += 1;
    }
  }
  for (const timer of steps) {
    if (acted >= actsPerEvaluation) more = true;
    else if (runDueStep(evaluation, timer)) acted += 1;
  }
  return { more };
}

/** Whether the condition of a subject holds now; undefined: it does. */
export function whyNot(
  evaluation: Evaluation,
  { rule, subject, cause }: Pick<DueCause, 'rule' | 'subject' | 'cause'>,
): Ended | undefined {
  if (rule.trigger.kind === 'aggregate') {
    const { count, live, percent } = aggregateDocument(evaluation.tx, rule as RuleOf<'aggregate'>);
    if (aggregateHolds(evaluation.tx, rule as RuleOf<'aggregate'>) !== false) return undefined;
    return { failed: 'trigger', values: () => ({ count, live, percent }) };
  }
  if (rule.trigger.kind === 'schedule' && !isScheduleActive(evaluation.tx, rule))
    return { failed: 'trigger', values: () => ({ active: false }) };
  if (rule.trigger.kind === 'key_age' && !keyAgeHolds(evaluation.tx, rule, subject, evaluation.nowMs))
    return { failed: 'trigger', values: () => ({ key: 'not that old' }) };
  const view = viewOfSubject(evaluation, subject);
  if (!view) return undefined;
  const verdict = checkCondition(rule, view, cause);
  return verdict.holds ? undefined : verdict;
}

/** Late timers are checked against the record, not fired blindly. */
function isStillTrue(evaluation: Evaluation, due: DueCause): boolean {
  const ended = whyNot(evaluation, due);
  if (!ended) return true;
  const memory = evaluation.memory(due.rule, due.subject);
  if (isMoment(due.rule)) dropMoment(evaluation.tx, { ...due, rule: due.rule.name });
  cancelPending(evaluation, due.rule, memory, due.cause, ended);
  const { firing } = memory;
  if (firing?.owes && !firing.acted) resolve(evaluation, due.rule, { ...withoutPending(memory), firing });
  else if (firing && !firing.acted) writeMemory(evaluation.tx, withoutFiring(withoutPending(memory)));
  return false;
}

/**
 * Keeps a moment that comes before it is known what is true, so that it is judged on its own afterwards: a warm-up or a data gap
 * only delays. Returns whether nothing more is to be done with it for now.
 */
function isKeptForLater(evaluation: Evaluation, { rule, subject, cause, withheld }: DueCause): boolean {
  if (!isMoment(rule)) return false;
  const occasion = occasionOf(evaluation, rule, subject, newFiring(evaluation, rule, subject, cause), 'fire');
  const guards = askGuards(guardInputs(evaluation, rule, occasion, 'fire'));
  const refused = guards.find(({ passed }) => !passed);
  if (refused?.guard !== 'warm_up' && refused?.guard !== 'on_data_gap') return false;
  const blocked = reasonOfGuard[refused.guard];
  const moment = { rule: rule.name, subject, conditionHash: rule.conditionHash, cause, blocked };
  const isKept =
    withheld?.blocked === blocked ||
    writeMoment(evaluation.tx, { ...moment, heldMs: withheld?.heldMs ?? evaluation.nowMs });
  if (isKept) evaluation.hasWithheld = true;
  if (withheld?.blocked === blocked) return true;
  const reason = isKept ? blocked : 'too_many_waiting';
  evaluation.emit(decisionOf(evaluation, rule, subject, cause, { outcome: 'suppressed', reason, guards }));
  return true;
}

function markFiring(evaluation: Evaluation, { rule, subject, cause }: DueCause): void {
  const memory = evaluation.memory(rule, subject);
  if (!isHolding(rule)) return;
  if (memory.firing?.cause.id !== cause.id) {
    const { firing: before } = memory;
    if (before) replaceFiring(evaluation, rule, subject, before, cause);
    const owes = before && (before.owes || (before.acted && before.mode === 'enforce'));
    writeMemory(evaluation.tx, {
      ...withoutPending(memory),
      firing: { ...newFiring(evaluation, rule, subject, cause), ...(owes ? { owes } : {}) },
      touchedMs: evaluation.nowMs,
    });
  }
  if (rule.trigger.kind === 'aggregate') {
    const { count, live } = aggregateDocument(evaluation.tx, rule as RuleOf<'aggregate'>);
    const text = aggregateText(rule.name, count, live);
    openIncident(evaluation.tx, 'aggregate', rule.name, { affected: count, live, text });
  }
}

/** Acts, or says why not. Returns whether it acted. */
function fire(evaluation: Evaluation, due: DueCause): boolean {
  const { rule, subject, cause } = due;
  const firing = newFiring(evaluation, rule, subject, cause);
  const occasion = occasionOf(evaluation, rule, subject, firing, 'fire');
  const guards = askGuards(guardInputs(evaluation, rule, occasion, 'fire'));
  const refused = guards.find(({ passed }) => !passed);
  if (refused) {
    if (refused.guard === 'max_live_percent') stopRule(evaluation, rule, refused);
    if (refused.guard === 'max_per_hour') noteRateReached(evaluation, rule, refused);
    withhold(evaluation, due, { guards, refused });
    return false;
  }
  const now = firstSteps(rule);
  const { jobs, withheld } = runSteps(evaluation, { ...occasion, firing }, now);
  const muted = withheld.filter(({ reason }) => reason === 'silenced' || reason === 'inhibited');
  const isAwaited = withheld.some(({ reason }) => reason === 'awaiting_approval');
  if (now.length > 0 && jobs.length === 0 && !isAwaited && muted.length > 0) {
    const { reason, values } = muted[0]!;
    const refused: GuardVerdict = { guard: reason === 'silenced' ? 'silence' : 'inhibit', passed: false, values };
    withhold(evaluation, due, { guards: [...guards, refused], refused });
    return false;
  }
  noteActed(evaluation, due, firing);
  const laterSteps = rule.actions.filter(({ afterMs }) => afterMs > 0);
  for (const step of laterSteps) waitForStep(evaluation, due, { step, firing, inMs: step.afterMs });
  // If a silence or an inhibition removes an action from a firing, the action follows when that ends, while the firing lasts; so does an
  // action that found no room among the approval requests.
  if (isHolding(rule)) {
    for (const { action } of withheld.filter(({ reason }) => caughtUpWith.has(reason))) {
      const step = now.find((candidate) => candidate.action === action);
      if (step) waitForStep(evaluation, due, { step, firing, inMs: 0 });
    }
  }
  evaluation.emit(
    decisionOf(evaluation, rule, subject, cause, {
      ...fallout(occasion, 'fired', { jobs, withheld }),
      mode: occasion.mode,
      guards,
      jobs,
      withheld,
    }),
  );
  return true;
}

const caughtUpWith: ReadonlySet<DecisionReason> = new Set(['silenced', 'inhibited', 'too_many_approvals']);

/** The outcome of steps that no guard held back as a whole. */
function fallout(
  { mode }: Occasion,
  reason: 'fired' | 'step_due',
  { jobs, withheld }: Pick<Decision, 'jobs' | 'withheld'>,
): { readonly outcome: DecisionOutcome; readonly reason: DecisionReason } {
  const [first] = withheld;
  if (jobs.length > 0 || !first) return { outcome: mode === 'enforce' ? 'acted' : 'would_act', reason };
  if (withheld.some((one) => one.reason === 'awaiting_approval'))
    return { outcome: 'pending', reason: 'awaiting_approval' };
  return { outcome: 'suppressed', reason: first.reason };
}

function firstSteps(rule: Rule): readonly Step[] {
  return rule.actions.filter(({ afterMs }) => afterMs === 0);
}

/** Counts what a cap holds back in the incident that it opened. */
function noteCapped(
  evaluation: Evaluation,
  { rule, subject }: Pick<DueCause, 'rule' | 'subject'>,
  reason: DecisionReason,
  steps: readonly Step[],
): void {
  if (reason !== 'max_live_percent' && reason !== 'rule_stopped') return;
  for (const step of steps) evaluation.noteWithheld(rule.name, withheldName(rule, subject, step));
}

/** Remembers that the rule has fired for the cause. */
function noteActed(evaluation: Evaluation, { rule, subject, cause }: DueCause, firing: Firing): void {
  const { tx, nowMs } = evaluation;
  dropMoment(tx, { rule: rule.name, subject, cause });
  const { maxPerHour } = rule.guards;
  const { group } = occasionOf(evaluation, rule, subject, firing, 'fire');
  evaluation.noteFired(rule, group);
  // What holds was marked as firing before anything was judged; a moment inhibits from when it acts.
  if (!isHolding(rule)) evaluation.muting.addSource(rule, subject, group);
  if (maxPerHour !== undefined && evaluation.firings(rule.name).length <= maxPerHour / 2) clearRateAlert(tx, rule.name);
  dropTimer(tx, { kind: 'for', rule: rule.name, subject });
  const memory = afterActing(rule, withoutPending(evaluation.memory(rule, subject)), cause, nowMs);
  // A moment keeps firing only as long as `keep_firing_for` says.
  const lasts = isHolding(rule) || rule.keepFiringForMs > 0;
  const since = isHolding(rule) ? {} : { endedAtMs: nowMs };
  const before = memory.firing;
  // Moments replace each other without being marked first.
  const owes = before?.owes || (before?.acted && before.mode === 'enforce' && before.cause.id !== cause.id);
  writeMemory(
    tx,
    lasts ? { ...memory, firing: { ...firing, acted: true, ...since, ...(owes ? { owes: true } : {}) } } : memory,
  );
  if (lasts && !isHolding(rule)) startTimer(tx, rule, { kind: 'end', subject, runsMs: rule.keepFiringForMs });
}

function waitForStep(
  evaluation: Evaluation,
  { rule, subject }: DueCause,
  { step, firing, inMs }: { step: Step; firing: Firing; inMs: number },
): void {
  startTimer(evaluation.tx, rule, {
    kind: 'step',
    subject,
    runsMs: inMs,
    step: step.index,
    firing: { ...firing, acted: true },
  });
}

/** Keeps what was refused for the next evaluation, or drops it; the journal records it when the reason is new. */
function withhold(
  evaluation: Evaluation,
  { rule, subject, cause, timer }: DueCause,
  { guards, refused }: { guards: readonly GuardVerdict[]; refused: GuardVerdict },
): void {
  const { tx } = evaluation;
  const reason = reasonOfGuard[refused.guard];
  noteCapped(evaluation, { rule, subject }, reason, firstSteps(rule));
  dropMoment(tx, { rule: rule.name, subject, cause });
  const lasting = isHolding(rule) || rule.trigger.kind === 'threshold';
  const waits = !finalGuards.has(refused.guard) && lasting;
  const memory = evaluation.memory(rule, subject);
  if (waits) {
    evaluation.hasWithheld = true;
    if (!isHolding(rule)) writeMemory(tx, { ...memory, pending: { cause } });
    if (timer) blockTimer(tx, timer, reason);
    else startTimer(tx, rule, { kind: 'for', subject, runsMs: 0, blocked: reason });
  } else {
    dropTimer(tx, { kind: 'for', rule: rule.name, subject });
    if (!isHolding(rule)) writeMemory(tx, withoutPending(memory));
  }
  if (timer?.blocked === reason) return;
  const outcome = finalGuards.has(refused.guard) && refused.guard === 'max_event_age' ? 'not_fired' : 'suppressed';
  evaluation.emit(decisionOf(evaluation, rule, subject, cause, { outcome, reason, guards }));
}

/** An action with `after` that is due. Returns whether it acted. */
function runDueStep(evaluation: Evaluation, timer: Timer): boolean {
  const { tx } = evaluation;
  const { subject, firing } = timer;
  const rule = evaluation.index.byName.get(timer.rule);
  const step = rule?.actions.find(({ index }) => index === timer.step);
  const memory = rule && evaluation.memory(rule, subject);
  const current = memory?.firing;
  if (!rule || !step || !firing || (isHolding(rule) && current?.decisionId !== firing.decisionId)) {
    dropTimer(tx, timer);
    return false;
  }
  const { cause } = firing;
  if (isHolding(rule) && current && current.endedAtMs === undefined) {
    // Late timers are checked against the record: what is over resolves now.
    const ended = whyNot(evaluation, { rule, subject, cause });
    if (ended) {
      resolve(evaluation, rule, { ...memory, firing: current });
      return false;
    }
  }
  const id = laterDecisionId(evaluation, rule, subject, cause, 'step_due', String(step.index));
  // The job follows from the step's own decision.
  const occasion = occasionOf(evaluation, rule, subject, { ...firing, decisionId: id }, 'step');
  const recovering = isHolding(rule) && current?.endedAtMs !== undefined;
  const guards = askGuards(guardInputs(evaluation, rule, occasion, 'step', step.destructive));
  const refused = guards.find(({ passed }) => !passed);
  if (refused?.guard === 'max_live_percent') stopRule(evaluation, rule, refused);
  const { jobs, withheld } =
    refused || recovering ? { jobs: [], withheld: [] } : runSteps(evaluation, { ...occasion, firing }, [step]);
  const heldBack = withheld.find(({ reason }) => reason !== 'awaiting_approval');
  const blocked = recovering ? 'recovering' : refused ? reasonOfGuard[refused.guard] : heldBack?.reason;
  if (blocked !== undefined) {
    noteCapped(evaluation, { rule, subject }, blocked, [step]);
    if (blocked === 'template_failed') dropTimer(tx, timer);
    else {
      blockTimer(tx, timer, blocked);
      evaluation.hasWithheld = true;
    }
    if (timer.blocked !== blocked)
      evaluation.emit(
        decisionOf(evaluation, rule, subject, cause, {
          id: laterDecisionId(evaluation, rule, subject, cause, blocked, String(step.index)),
          outcome: 'suppressed',
          reason: blocked,
          afterMs: step.afterMs,
          guards,
          // The rule has acted; only this action waits.
          withheld:
            withheld.length > 0 ? withheld : [{ action: step.action, reason: blocked, values: refused?.values ?? {} }],
        }),
      );
    return false;
  }
  dropTimer(tx, timer);
  evaluation.emit(
    decisionOf(evaluation, rule, subject, cause, {
      id,
      afterMs: step.afterMs,
      ...fallout(occasion, 'step_due', { jobs, withheld }),
      mode: occasion.mode,
      guards,
      jobs,
      withheld,
    }),
  );
  return true;
}
