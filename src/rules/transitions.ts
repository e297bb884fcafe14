// The life cycle of a condition: begin → pending (`for`) → firing → (`keep_firing_for`) → resolved. A moment (an event without `while`, a
// threshold, a request) goes from pending to nothing. judge.ts decides whether a firing may act.
import type {
  Decision,
  DecisionOutcome,
  DecisionReason,
  GuardVerdict,
  TriggerEvidence,
  Values,
} from '#domain/decision.ts';
import type { Rule, RuleMode } from '#domain/rule.ts';
import type { Cause, Firing, RuleMemory } from '#domain/rule-memory.ts';
import { decisionIdOf, groupOf, type Occasion, runSteps, traceOf, viewOfSubject } from './act.ts';
import { cancelApprovals } from './approvals.ts';
import type { ChannelView } from './channel-view.ts';
import { streamValues } from './conditions.ts';
import type { Evaluation } from './evaluation.ts';
import { guardInputs } from './guard-inputs.ts';
import { askGuards, reasonOfGuard } from './guards.ts';
import { hashOf } from './hash-of.ts';
import { closeIncident } from './incidents.ts';
import { readMoment, withActed, writeMemory } from './memory.ts';
import { aggregateDocument } from './population.ts';
import { resolvedNotices } from './resolved-notice.ts';
import { isHolding, isMoment, momentKinds, type RuleOf } from './rule-index.ts';
import { countedMs, dropTimer, readTimer, startTimer } from './timers.ts';

/** A condition is true, or a moment has come. Has no effect if it was known already. */
export function begin(evaluation: Evaluation, rule: Rule, subject: string, given: Cause): void {
  const cause = evaluation.trace === undefined ? given : { ...given, trace: evaluation.trace };
  const memory = evaluation.memory(rule, subject);
  const { firing, pending } = memory;
  const bySelf = isHolding(rule) && !momentKinds.has(rule.trigger.kind);
  if (firing && bySelf) {
    if (firing.endedAtMs !== undefined) continueFiring(evaluation, rule, memory, firing);
    return;
  }
  if (isMoment(rule)) {
    if (readMoment(evaluation.tx, { rule: rule.name, subject, cause })) return;
  } else if (pending) {
    const isNewer = supersedes(rule, pending.cause, cause);
    if (pending.cause.id !== cause.id && !bySelf)
      noteSuperseded(evaluation, rule, subject, isNewer ? pending.cause : cause);
    if (!isNewer) return;
  }
  if (memory.acted.includes(cause.id)) {
    evaluation.emit(decisionOf(evaluation, rule, subject, cause, { outcome: 'not_fired', reason: 'already_acted' }));
    // It is still true: it inhibits, and its end is not a new beginning.
    if (bySelf) writeMemory(evaluation.tx, { ...memory, firing: newFiring(evaluation, rule, subject, cause) });
    return;
  }
  if (isOver(evaluation, rule, cause)) {
    evaluation.addDue({ rule, subject, cause });
    return;
  }
  wait(evaluation, rule, memory, cause);
  evaluation.emit(decisionOf(evaluation, rule, subject, cause, { outcome: 'pending', reason: 'condition_began' }));
}

/** Whether a condition has been seen true for as long as `for` requires. */
function isOver({ tx }: Evaluation, rule: Rule, { evidence }: Cause): boolean {
  return rule.forMs === 0 || countedMs(tx, rule, evidence.sinceMs) >= rule.forMs;
}

function wait({ tx, nowMs }: Evaluation, rule: Rule, memory: RuleMemory, cause: Cause): void {
  writeMemory(tx, { ...memory, pending: { cause }, touchedMs: nowMs });
  startTimer(tx, rule, { kind: 'for', subject: memory.subject, sinceMs: cause.evidence.sinceMs, runsMs: rule.forMs });
}

/**
 * A condition that still holds turns out to have begun at another time than was known: `for` runs from there. What has been acted
 * for stays acted for, under its new cause id as well.
 */
export function beganAt(evaluation: Evaluation, rule: Rule, subject: string, cause: Cause): void {
  const memory = evaluation.memory(rule, subject);
  const { firing } = memory;
  // Acted for in this firing, or under the rule as it was before an edit.
  if (firing && (firing.acted || memory.acted.includes(firing.cause.id))) {
    writeMemory(evaluation.tx, { ...memory, firing: { ...firing, cause }, acted: withActed(memory, cause.id) });
    return;
  }
  const waiting = withoutFiring(withoutPending(memory));
  evaluation.takeBackDue(rule, subject);
  if (!isOver(evaluation, rule, cause)) wait(evaluation, rule, waiting, cause);
  else {
    writeMemory(evaluation.tx, waiting);
    dropTimer(evaluation.tx, { kind: 'for', rule: rule.name, subject });
    evaluation.addDue({ rule, subject, cause });
  }
}

/** Why a condition is not true. */
export interface Ended {
  readonly failed: 'trigger' | 'match' | 'while';
  readonly values: () => Values;
}

/** A condition is not true, or no longer. Has no effect if it never was. */
export function end(evaluation: Evaluation, rule: Rule, subject: string, ended: Ended): void {
  const due = evaluation.takeBackDue(rule, subject);
  const memory = evaluation.memory(rule, subject);
  const waiting = memory.pending?.cause ?? (memory.firing ? undefined : due?.cause);
  if (waiting) cancelPending(evaluation, rule, memory, waiting, ended);
  const { firing } = memory;
  if (!firing || firing.endedAtMs !== undefined) return;
  const over = withoutPending(memory);
  if (!(firing.acted || firing.owes) || (rule.keepFiringForMs === 0 && evaluation.isWarm)) {
    resolve(evaluation, rule, { ...over, firing });
    return;
  }
  // Before the first complete poll the resolve waits like everything else, as a timer that has run out.
  writeMemory(evaluation.tx, { ...over, firing: { ...firing, endedAtMs: evaluation.nowMs } });
  startTimer(evaluation.tx, rule, { kind: 'end', subject, runsMs: rule.keepFiringForMs });
}

/** What waited is dropped: the condition ended before it could fire. */
export function cancelPending(
  evaluation: Evaluation,
  rule: Rule,
  memory: RuleMemory,
  cause: Cause,
  { failed, values }: Ended,
): void {
  dropTimer(evaluation.tx, { kind: 'for', rule: rule.name, subject: memory.subject });
  writeMemory(evaluation.tx, withoutPending(memory));
  const reason = failed === 'while' ? 'while_broken' : failed === 'match' ? 'match_failed' : 'for_not_reached';
  evaluation.emit(
    decisionOf(evaluation, rule, memory.subject, cause, { outcome: 'not_fired', reason, values: values() }),
  );
}

/**
 * The firing is over: what was planned is cancelled, and `on_resolve` runs if the rule had acted. What was done with `enforce` is undone
 * even if the rule was set to `dry_run` or `off` meanwhile.
 */
export function resolve(
  evaluation: Evaluation,
  rule: Rule,
  memory: RuleMemory & { readonly firing: Firing },
  reason: 'condition_ended' | 'rule_gone' = 'condition_ended',
): void {
  const { firing, subject } = memory;
  const { cause } = firing;
  for (const kind of ['for', 'end'] as const) dropTimer(evaluation.tx, { kind, rule: rule.name, subject });
  cancelSteps(evaluation, rule, subject, firing);
  const { firing: _over, ...rest } = memory;
  writeMemory(evaluation.tx, { ...rest, touchedMs: evaluation.nowMs });
  if (rule.trigger.kind === 'aggregate') closeIncident(evaluation.tx, rule.name, evaluation.nowMs);
  if (!firing.acted && !firing.owes) {
    evaluation.emit(decisionOf(evaluation, rule, subject, cause, { outcome: 'resolved', reason, values: {} }));
    return;
  }
  const id = laterDecisionId(evaluation, rule, subject, cause, reason);
  // What follows from the end follows from this decision, not from the one that fired.
  const occasion = occasionOf(evaluation, rule, subject, { ...firing, decisionId: id }, 'resolve');
  const guards = askGuards(guardInputs(evaluation, rule, occasion, 'resolve'));
  const refused = guards.find(({ passed }) => !passed);
  const steps = [...rule.onResolve, ...resolvedNotices(evaluation.ruleset, rule)];
  const { jobs, withheld } = refused
    ? {
        jobs: [],
        withheld: steps.map(({ action }) => ({
          action,
          reason: reasonOfGuard[refused.guard],
          values: refused.values,
        })),
      }
    : runSteps(evaluation, { ...occasion, firing }, steps);
  evaluation.emit(
    decisionOf(evaluation, rule, subject, cause, {
      id,
      outcome: 'resolved',
      reason,
      values: {},
      mode: occasion.mode,
      guards,
      jobs,
      withheld,
    }),
  );
}

/** Another cause replaces the one that a rule fires for. One that was still waiting to act is recorded. */
export function replaceFiring(evaluation: Evaluation, rule: Rule, subject: string, firing: Firing, next: Cause): void {
  if (!firing.acted && firing.cause.id !== next.id && momentKinds.has(rule.trigger.kind))
    noteSuperseded(evaluation, rule, subject, firing.cause);
  cancelSteps(evaluation, rule, subject, firing);
}

function noteSuperseded(evaluation: Evaluation, rule: Rule, subject: string, cause: Cause): void {
  evaluation.emit(decisionOf(evaluation, rule, subject, cause, { outcome: 'not_fired', reason: 'superseded' }));
}

/** Drops the steps of a firing that have not run: those with `after`, and those that wait for approval. */
function cancelSteps(evaluation: Evaluation, rule: Rule, subject: string, firing: Firing): void {
  for (const { id: approval, action, step } of cancelApprovals(evaluation.tx, rule, subject, firing)) {
    const values = { action, step, approval };
    evaluation.emit(
      decisionOf(evaluation, rule, subject, firing.cause, { outcome: 'not_fired', reason: 'step_cancelled', values }),
    );
  }
  for (const step of rule.actions) {
    const timer = readTimer(evaluation.tx, { kind: 'step', rule: rule.name, subject, step: step.index, firing });
    if (!timer) continue;
    dropTimer(evaluation.tx, timer);
    const values = { action: step.action, step: step.index };
    evaluation.emit(
      decisionOf(evaluation, rule, subject, firing.cause, {
        outcome: 'not_fired',
        reason: 'step_cancelled',
        values,
        afterMs: step.afterMs,
      }),
    );
  }
}

export function newFiring(evaluation: Evaluation, rule: Rule, subject: string, cause: Cause): Firing {
  return {
    cause,
    firedAtMs: evaluation.nowMs,
    acted: false,
    mode: rule.mode,
    decisionId: decisionIdOf(rule.name, subject, cause),
  };
}

export function occasionOf(
  evaluation: Evaluation,
  rule: Rule,
  subject: string,
  { cause, mode, decisionId, endedAtMs, owes }: Pick<Firing, 'cause' | 'mode' | 'decisionId' | 'endedAtMs' | 'owes'>,
  phase: Occasion['phase'],
): Occasion {
  const enforces = phase === 'resolve' ? mode === 'enforce' || owes : mode === 'enforce' && rule.mode === 'enforce';
  return {
    rule,
    subject,
    group: groupOf(rule, viewOfSubject(evaluation, subject), cause),
    cause,
    phase,
    mode: enforces ? 'enforce' : 'dry_run',
    decisionId,
    endedAtMs,
  };
}

export function withoutPending(memory: RuleMemory): RuleMemory {
  const { pending: _gone, ...rest } = memory;
  return rest;
}

/** The cause has been acted for. */
export function afterActing(rule: Rule, memory: RuleMemory, cause: Cause, nowMs: number): RuleMemory {
  const { once } = memory;
  const value = cause.threshold?.value;
  const known = once && once.streamId === cause.streamId ? once.values : [];
  return {
    ...memory,
    acted: withActed(memory, cause.id),
    touchedMs: nowMs,
    ...(cause.streamId === undefined || rule.oncePer === undefined
      ? {}
      : { once: { streamId: cause.streamId, values: value === undefined ? known : [...known, value] } }),
  };
}

interface Outcome {
  /** Where jobs already contain the id of the decision. */
  readonly id?: string;
  readonly outcome: DecisionOutcome;
  readonly reason: DecisionReason;
  readonly mode?: RuleMode;
  readonly guards?: readonly GuardVerdict[];
  readonly jobs?: Decision['jobs'];
  readonly withheld?: Decision['withheld'];
  /** What was read now, besides what is known of the subject. Absent: the decision describes the moment that triggered the rule. */
  readonly values?: Values;
  /** For an action with `after`. */
  readonly afterMs?: number;
}

/** The id of a decision that is not the firing itself. @param place distinguishes several at one moment */
export function laterDecisionId(
  { nowMs }: Evaluation,
  rule: Rule,
  subject: string,
  cause: Cause,
  reason: DecisionReason,
  place = '',
): string {
  return `d-${hashOf(rule.name, subject, cause.id, reason, nowMs, place)}`;
}

/** A decision about a subject, ready for the journal. */
export function decisionOf(
  evaluation: Evaluation,
  rule: Rule,
  subject: string,
  cause: Cause,
  { id, outcome, reason, mode = rule.mode, guards = [], jobs = [], withheld = [], values, afterMs }: Outcome,
): Decision {
  const view = viewOfSubject(evaluation, subject);
  const acts = reason === 'fired' || reason === 'awaiting_approval';
  const { evidence, streamId } = cause;
  const trace = jobs.length === 0 ? undefined : traceOf(evaluation, cause, outcome === 'resolved');
  return {
    id:
      id ??
      (acts
        ? decisionIdOf(rule.name, subject, cause)
        : laterDecisionId(evaluation, rule, subject, cause, reason, String(values?.['step'] ?? ''))),
    rule: rule.name,
    mode,
    outcome,
    reason,
    atMs: evaluation.nowMs,
    ...(view ? { channelArn: view.arn, channelName: view.channel.name } : {}),
    ...(streamId === undefined ? {} : { streamId }),
    group: groupOf(rule, view, cause),
    cause: cause.id,
    ...(afterMs === undefined ? {} : { afterMs }),
    ...(trace === undefined ? {} : { trace }),
    trigger: values ? { ...evidence, values: { ...knownNow(evaluation, rule, view, evidence), ...values } } : evidence,
    guards,
    jobs,
    withheld,
  };
}

/** What is known at the decision: for an event or a request its content, for everything else the present state. */
function knownNow(
  { tx }: Evaluation,
  rule: Rule,
  view: ChannelView | undefined,
  { kind, values }: TriggerEvidence,
): Values {
  if (rule.trigger.kind === 'aggregate' && rule.mode !== 'off') {
    const { count, live, percent } = aggregateDocument(tx, rule as RuleOf<'aggregate'>);
    return { count, live, percent };
  }
  const stream = view && (kind === 'state' || rule.while) ? streamValues(view.stream) : {};
  return kind === 'state' ? stream : { ...values, ...stream };
}

function continueFiring(evaluation: Evaluation, rule: Rule, memory: RuleMemory, firing: Firing): void {
  dropTimer(evaluation.tx, { kind: 'end', rule: rule.name, subject: memory.subject });
  const { endedAtMs: _back, ...rest } = firing;
  writeMemory(evaluation.tx, { ...memory, firing: rest });
}

/** Whether a new cause replaces one that is waiting. Of several equal ones, `for` runs from the first. */
function supersedes(rule: Rule, waiting: Cause, next: Cause): boolean {
  if (rule.trigger.kind === 'threshold') return waiting.id !== next.id;
  return waiting.streamId !== next.streamId;
}

export function withoutFiring(memory: RuleMemory): RuleMemory {
  const { firing: _gone, ...rest } = memory;
  return rest;
}
