// A person's yes or no to an action that waits for approval. A yes does not order the action, it only removes the obstacle: whether the
// rule is the same, the condition lasts, the session is the same and every guard passes is checked as if the action had become due now. The
// answer, the decision, the job and the audit entry are one commit.
import type { Answered, Approval, ApprovalAnswer, ApprovalSaid } from '#domain/approval.ts';
import type { DecisionReason, GuardVerdict, Values } from '#domain/decision.ts';
import { iso } from '#domain/duration.ts';
import { callerText, isSamePerson, personText } from '#domain/person.ts';
import type { Rule, Step } from '#domain/rule.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import { enqueueStep, type Occasion, viewOfSubject } from './act.ts';
import { auditedParams, endApproval, type Over, shownValues, waitingApprovals } from './approvals.ts';
import type { Evaluation } from './evaluation.ts';
import { guardInputs } from './guard-inputs.ts';
import { askGuards, reasonOfGuard } from './guards.ts';
import { stopRule } from './incidents.ts';
import { whyNot } from './judge.ts';
import { labelsOf } from './label-matcher.ts';
import { hasActed, readMemory, writeMemory } from './memory.ts';
import { isHolding } from './rule-index.ts';
import { decisionOf, laterDecisionId, occasionOf, resolve } from './transitions.ts';

/** Takes an answer. Returns why it does not count, if it does not; an approval that turns out to be over ends. */
export function takeAnswer(evaluation: Evaluation, said: ApprovalSaid): Answered {
  const { tx } = evaluation;
  const approval = tx.get(kinds.approval.of(said.id));
  if (!approval)
    return { ok: false, code: 'NOT_FOUND', message: `there is no approval ${said.id}; it may have been forgotten` };
  const answered = judgeAnswer(evaluation, approval, said);
  if (!answered.ok)
    audit(tx, { ...auditOf(approval, said), outcome: 'refused', reason: answered.message, why: said.reason });
  return answered;
}

/** Ends those that have timed out, whose rule has changed, or whose cause is over. */
export function sweepApprovals(evaluation: Evaluation): void {
  for (const approval of waitingApprovals(evaluation.tx)) {
    const over = whyOver(evaluation, approval);
    if (over) endAs(evaluation, approval, over);
  }
}

function judgeAnswer(evaluation: Evaluation, approval: Approval, said: ApprovalSaid): Answered {
  if (approval.state !== 'waiting') return answerLate(approval, said);
  const over = whyOver(evaluation, approval);
  if (over) return refused('APPROVAL_OVER', over.note, endAs(evaluation, approval, over));
  const { terms, author, answers } = approval;
  if (terms.by === 'admin' && said.role !== 'admin')
    return refused('APPROVAL_NOT_ALLOWED', `only a token with the role ${terms.by} may answer this`, approval);
  if (said.kind === 'reject') return { ok: true, approval: reject(evaluation, approval, said), repeated: false };
  if (terms.notByAuthor && author !== undefined && isSamePerson(author, said.who))
    return refused(
      'APPROVAL_NOT_ALLOWED',
      `${callerText(said.who)} caused this and cannot approve it (not_by_author); somebody else must`,
      approval,
    );
  if (answers.some(({ who }) => isSamePerson(who, said.who))) return { ok: true, approval, repeated: true };
  return approve(evaluation, approval, said);
}

/** One that was decided already: whoever gave the same answer then gets its outcome, and nothing is repeated. */
function answerLate(approval: Approval, said: ApprovalSaid): Answered {
  const ofTheirs = said.kind === 'approve' ? 'approved' : 'rejected';
  const isTheirs = approval.answers.some(({ who, verdict }) => isSamePerson(who, said.who) && verdict === said.kind);
  if (isTheirs && approval.state === ofTheirs) return { ok: true, approval, repeated: true };
  const { state, endedAtMs = 0, note } = approval;
  const how = note === undefined ? '' : `: ${note}`;
  return refused(
    'APPROVAL_OVER',
    `it ended at ${iso(endedAtMs)} (${state.replaceAll('_', ' ')})${how}; this answer did nothing`,
    approval,
  );
}

function refused(
  code: Extract<Answered, { ok: false }>['code'],
  message: string,
  approval: Approval,
): Extract<Answered, { ok: false }> {
  return { ok: false, code, message, approval };
}

/** Why no further yes can count; undefined: it can. */
function whyOver(evaluation: Evaluation, approval: Approval): Over | undefined {
  const { tx, nowMs, index } = evaluation;
  const { subject, list, firing, streamId } = approval;
  const cancelled = (reason: DecisionReason, note: string): Over => ({ state: 'cancelled', reason, note });
  const rule = index.byName.get(approval.rule);
  if (rule?.hash !== approval.ruleHash)
    return cancelled('rule_changed', `the rule ${approval.rule} ${rule ? 'was changed' : 'was removed or is off'}`);
  if (nowMs >= approval.untilMs)
    return { state: 'timed_out', reason: 'approval_timed_out', note: `nobody had approved it by ${iso(nowMs)}` };
  if (isHolding(rule)) {
    const current = readMemory(tx, rule.name, subject)?.firing;
    if (list === 'actions' && current?.decisionId !== firing.decisionId)
      return cancelled('step_cancelled', 'the condition that caused it is over');
    if (list === 'on_resolve' && current)
      return cancelled('step_cancelled', 'the condition whose end caused it is true again');
  }
  const record = approval.channelArn === undefined ? undefined : tx.get(kinds.stream.of(approval.channelArn));
  if (record && (record.state === 'live' || record.state === 'created') && record.streamId !== streamId)
    return cancelled('session_over', 'another stream session has begun');
  return undefined;
}

function endAs(evaluation: Evaluation, approval: Approval, { state, reason, note }: Over): Approval {
  const ended = endApproval(evaluation.tx, approval, { state, note });
  // If the rule is gone, only the audit knows who was asked.
  const rule =
    evaluation.index.byName.get(approval.rule) ?? evaluation.ruleset.rules.find(({ name }) => name === approval.rule);
  if (rule) tellEnd(evaluation, rule, ended, { outcome: 'not_fired', reason, values: { note } });
  if (state === 'timed_out') evaluation.timedOut.push(ended);
  return ended;
}

function reject(evaluation: Evaluation, approval: Approval, said: ApprovalSaid): Approval {
  const rule = evaluation.index.byName.get(approval.rule)!;
  const answer = answerOf(evaluation, rule, approval, said);
  const ended = endApproval(evaluation.tx, approval, {
    state: 'rejected',
    note: `rejected by ${personText(said.who)}`,
    answers: [...approval.answers, answer],
  });
  tellEnd(evaluation, rule, ended, {
    outcome: 'not_fired',
    reason: 'approval_rejected',
    values: { rejectedBy: said.who, from: said.from, why: said.reason, ...shownIn(answer) },
  });
  auditAnswer(evaluation.tx, ended, said, answer, {});
  return ended;
}

function approve(evaluation: Evaluation, approval: Approval, said: ApprovalSaid): Answered {
  const { tx, index } = evaluation;
  const rule = index.byName.get(approval.rule)!;
  const step = (approval.list === 'actions' ? rule.actions : rule.onResolve).find(
    ({ index: place }) => place === approval.step,
  );
  if (!step) throw new RangeError('a rule with the same hash has the same steps');
  const { subject, firing } = approval;
  const memory = evaluation.memory(rule, subject);
  if (isHolding(rule) && approval.list === 'actions' && memory.firing) {
    const ended = whyNot(evaluation, { rule, subject, cause: firing.cause });
    if (ended && memory.firing.endedAtMs === undefined) {
      // The condition is known to be over: it resolves now, and with it everything that waited.
      resolve(evaluation, rule, { ...memory, firing: memory.firing });
      const over = tx.get(kinds.approval.of(approval.id)) ?? approval;
      return refused('APPROVAL_OVER', 'the condition that caused it is over', over);
    }
  }
  const { guards, obstacle } = lookAgain(evaluation, rule, step, approval);
  if (obstacle) {
    const { reason, words } = obstacle;
    tellEnd(evaluation, rule, approval, { outcome: 'suppressed', reason, guards, values: { approvedBy: said.who } });
    return refused('APPROVAL_HELD_BACK', `${words}; the action waits until ${iso(approval.untilMs)}`, approval);
  }
  const answer = answerOf(evaluation, rule, approval, said);
  const answers = [...approval.answers, answer];
  if (answers.length < approval.terms.count) {
    const waiting: Approval = { ...approval, answers };
    tx.set(kinds.approval.of(approval.id), waiting);
    auditAnswer(tx, waiting, said, answer, {});
    return { ok: true, approval: waiting, repeated: false };
  }
  return { ok: true, approval: act(evaluation, { rule, step, approval, said, answers, guards }), repeated: false };
}

/** Everybody has said yes and nothing prevents the action. */
function act(
  evaluation: Evaluation,
  {
    rule,
    step,
    approval,
    said,
    answers,
    guards,
  }: {
    readonly rule: Rule;
    readonly step: Step;
    readonly approval: Approval;
    readonly said: ApprovalSaid;
    readonly answers: readonly ApprovalAnswer[];
    readonly guards: readonly GuardVerdict[];
  },
): Approval {
  const { tx } = evaluation;
  const { subject, firing } = approval;
  const id = laterDecisionId(evaluation, rule, subject, firing.cause, 'approved', `${approval.list}${step.index}`);
  const occasion = occasionFor(evaluation, rule, approval, id);
  const job = enqueueStep(evaluation, occasion, {
    step,
    params: approval.params,
    view: viewOfSubject(evaluation, subject),
  });
  countActed(evaluation, rule, approval);
  const last = answers.at(-1)!;
  const by = answers.map(({ who }) => personText(who)).join(', ');
  const ended = endApproval(tx, approval, { state: 'approved', note: `approved by ${by}`, answers, jobId: job.jobId });
  evaluation.emit(
    decisionOf(evaluation, rule, subject, firing.cause, {
      id,
      outcome: 'acted',
      reason: 'approved',
      mode: occasion.mode,
      guards,
      jobs: [job],
      values: {
        approval: approval.id,
        action: step.action,
        step: step.index,
        askedAt: iso(approval.askedAtMs),
        approvedBy: answers.map(({ who }) => who).join(', '),
        from: answers.map(({ from }) => from).join(', '),
        ...shownIn(last),
      },
    }),
  );
  auditAnswer(tx, ended, said, last, { jobId: job.jobId, decisionId: id });
  return ended;
}

function occasionFor(evaluation: Evaluation, rule: Rule, approval: Approval, decisionId: string): Occasion {
  const phase = approval.list === 'on_resolve' ? 'resolve' : 'step';
  return {
    ...occasionOf(evaluation, rule, approval.subject, { ...approval.firing, decisionId }, phase),
    streamId: approval.streamId,
  };
}

/** The firing was counted when approval was requested; from now on it counts as of now, so that many answers at once are capped too. */
function countActed(evaluation: Evaluation, rule: Rule, { subject, firing }: Approval): void {
  const memory = readMemory(evaluation.tx, rule.name, subject);
  if (memory && (memory.acted.length > 0 || hasActed(memory)))
    writeMemory(evaluation.tx, { ...memory, touchedMs: evaluation.nowMs });
  if (rule.guards.maxPerHour === undefined) return;
  const firings = evaluation.firings(rule.name);
  const own = firings.indexOf(firing.firedAtMs);
  if (own >= 0) firings.splice(own, 1);
  firings.push(evaluation.nowMs);
}

interface Look {
  readonly guards: readonly GuardVerdict[];
  /** What keeps the action from running now. */
  readonly obstacle?: { readonly reason: DecisionReason; readonly words: string };
}

/** Asks everything that would be asked if the action became due now. */
function lookAgain(evaluation: Evaluation, rule: Rule, step: Step, approval: Approval): Look {
  const { subject } = approval;
  const current = evaluation.memory(rule, subject).firing;
  if (isHolding(rule) && approval.list === 'actions' && current?.endedAtMs !== undefined)
    return {
      guards: [],
      obstacle: { reason: 'recovering', words: 'the condition is over for now, and keep_firing_for runs (recovering)' },
    };
  const guards = askGuards(inputsFor(evaluation, rule, step, approval));
  const refusal = guards.find(({ passed }) => !passed);
  if (refusal) {
    if (refusal.guard === 'max_live_percent') stopRule(evaluation, rule, refusal);
    const reason = reasonOfGuard[refusal.guard];
    const words = `held back by ${refusal.guard} (${wordsOf(refusal.values) || reason})`;
    return { guards, obstacle: { reason, words } };
  }
  const view = viewOfSubject(evaluation, subject);
  const { group } = occasionFor(evaluation, rule, approval, '');
  const labels = labelsOf({ rule: rule.name, group, channel: view?.channel });
  const muted = evaluation.muting.check(rule, labels, step.action);
  if (!muted) return { guards };
  const verdict: GuardVerdict = {
    guard: muted.reason === 'silenced' ? 'silence' : 'inhibit',
    passed: false,
    values: muted.values,
  };
  const words = `${muted.reason} (${wordsOf(muted.values)})`;
  return { guards: [...guards, verdict], obstacle: { reason: muted.reason, words } };
}

/** As for a step that has become due, plus the caps of a firing: what was counted then may be long ago. */
function inputsFor(evaluation: Evaluation, rule: Rule, step: Step, approval: Approval) {
  const occasion = occasionFor(evaluation, rule, approval, approval.decisionId);
  if (approval.list === 'on_resolve') return guardInputs(evaluation, rule, occasion, 'resolve');
  // It counts among the channels that the rule is about to act on.
  evaluation.addDue({ rule, subject: approval.subject, cause: approval.firing.cause });
  const { minGap, incident, maxPerHour } = guardInputs(evaluation, rule, occasion, 'fire');
  const ofOthers = maxPerHour && {
    ...maxPerHour,
    fired: maxPerHour.fired - (evaluation.firings(rule.name).includes(approval.firing.firedAtMs) ? 1 : 0),
  };
  return {
    ...guardInputs(evaluation, rule, occasion, 'step', step.destructive),
    minGap,
    incident,
    maxPerHour: ofOthers,
  };
}

function answerOf(evaluation: Evaluation, rule: Rule, approval: Approval, said: ApprovalSaid): ApprovalAnswer {
  const view = viewOfSubject(evaluation, approval.subject);
  return {
    verdict: said.kind,
    who: said.who,
    from: said.from,
    reason: said.reason,
    atMs: evaluation.nowMs,
    values: shownValues(evaluation.tx, rule, view, approval.terms.show),
  };
}

/** A decision that follows from an answer, or from the lack of one. */
function tellEnd(
  evaluation: Evaluation,
  rule: Rule,
  { id, action, step, list, subject, firing }: Approval,
  {
    outcome,
    reason,
    guards = [],
    values,
  }: {
    outcome: 'not_fired' | 'suppressed';
    reason: DecisionReason;
    guards?: readonly GuardVerdict[];
    values: Values;
  },
): void {
  const { cause } = firing;
  evaluation.emit(
    decisionOf(evaluation, rule, subject, cause, {
      id: laterDecisionId(evaluation, rule, subject, cause, reason, `${list}${step}`),
      outcome,
      reason,
      guards,
      values: { approval: id, action, step, ...values },
    }),
  );
}

function shownIn({ values }: ApprovalAnswer): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`shown ${name}`, value]));
}

function auditOf(approval: Approval, said: ApprovalSaid) {
  const { channelArn, decisionId } = approval;
  return {
    who: said.who,
    what: said.kind,
    params: { ...auditedParams(approval), from: said.from },
    decisionId,
    ...(channelArn === undefined ? {} : { channelArn }),
  };
}

function auditAnswer(
  tx: Transaction,
  approval: Approval,
  said: ApprovalSaid,
  { values }: ApprovalAnswer,
  more: { readonly jobId?: string; readonly decisionId?: string },
): void {
  const base = auditOf(approval, said);
  audit(tx, { ...base, ...more, params: { ...base.params, shown: values }, outcome: 'done', why: said.reason });
}

function wordsOf(values: Values): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
