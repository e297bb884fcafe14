// What keeps a timer's actions from running at their time, as of now. It uses the same predicates as the decision itself.
import { holdTag, readHold, readPause } from '#domain/controls-in-force.ts';
import type { DecisionReason } from '#domain/decision.ts';
import { personText } from '#domain/person.ts';
import type { Rule, Step } from '#domain/rule.ts';
import type { Timer } from '#domain/rule-memory.ts';
import { groupOf, labelsOfOccasion, viewOfSubject } from './act.ts';
import type { Evaluation } from './evaluation.ts';
import { stoppedBy } from './guard-inputs.ts';
import { readMemory } from './memory.ts';
import { silentSources } from './timers.ts';

/** Why an action does not run at its time, in words for people. */
export interface Held {
  readonly reason: DecisionReason;
  /** Such as `inhibited by mass-starvation`. */
  readonly why: string;
}

export interface HeldBack {
  /** What keeps the rule from doing anything to the channel. */
  readonly whole: Held | undefined;
  /** The actions of the timer, each with what holds back that action alone. */
  readonly steps: readonly { readonly step: Step; readonly withheld: Held | undefined }[];
}

/** What holds back a timer's actions. */
export function heldBack(evaluation: Evaluation, rule: Rule, timer: Timer): HeldBack {
  const whole = heldAsAWhole(evaluation, rule, timer);
  const steps = stepsOf(rule, timer).map((step) => ({
    step,
    withheld: whole ? undefined : mutedStep(evaluation, rule, timer, step),
  }));
  return { whole, steps };
}

function stepsOf(rule: Rule, { kind, step }: Timer): readonly Step[] {
  return kind === 'step'
    ? rule.actions.filter(({ index }) => index === step)
    : rule.actions.filter(({ afterMs }) => afterMs === 0);
}

/** What keeps a rule from doing anything to the channel. */
function heldAsAWhole(evaluation: Evaluation, rule: Rule, timer: Timer): Held | undefined {
  const { tx, nowMs } = evaluation;
  if (stoppedBy(evaluation, rule)) return { reason: 'rule_stopped', why: 'the rule is stopped by its cap' };
  const pause = readPause(tx);
  if (pause) return { reason: 'paused', why: `paused by ${personText(pause.who)}: ${pause.reason}` };
  const tag = viewOfSubject(evaluation, timer.subject)?.channel.tags[holdTag];
  if (tag !== undefined) return { reason: 'held', why: `on hold by the tag ${holdTag}` };
  const hold = readHold(tx, timer.subject, nowMs);
  if (hold) return { reason: 'held', why: `on hold by ${personText(hold.who)}: ${hold.reason}` };
  const silent = timer.freezes ? silentSources(tx) : [];
  if (silent.length > 0) return { reason: 'data_gap', why: `no data from ${silent.join(' and ')}` };
  const isFired = readMemory(tx, rule.name, timer.subject)?.firing?.endedAtMs !== undefined;
  if (timer.kind === 'step' && isFired)
    return { reason: 'recovering', why: 'the condition is over, keep_firing_for runs' };
  // Guards that can be evaluated here were evaluated above; for the others the last verdict counts.
  if (timer.blocked === undefined || judgedHere.has(timer.blocked)) return undefined;
  return { reason: timer.blocked, why: timer.blocked.replaceAll('_', ' ') };
}

const judgedHere: ReadonlySet<DecisionReason> = new Set([
  'rule_stopped',
  'paused',
  'held',
  'silenced',
  'inhibited',
  'data_gap',
  'recovering',
]);

/** What keeps one action of a rule from running. */
function mutedStep(evaluation: Evaluation, rule: Rule, { subject, firing }: Timer, { action }: Step): Held | undefined {
  const view = viewOfSubject(evaluation, subject);
  const cause = firing?.cause ?? readMemory(evaluation.tx, rule.name, subject)?.pending?.cause ?? {};
  const found = evaluation.muting.check(rule, labelsOfOccasion(rule, groupOf(rule, view, cause), view), action);
  if (!found) return undefined;
  const { author, reason, by } = found.values;
  return found.reason === 'silenced'
    ? { reason: 'silenced', why: `silenced by ${personText(String(author))}: ${reason}` }
    : { reason: 'inhibited', why: `inhibited by ${by}` };
}
