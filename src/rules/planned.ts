// What rules have planned for channels, as of now: what runs at its time, and what is held back, by what, and what comes of it then.
// Asks the same predicates as the decision itself, so that nothing counts down that will not happen.
import { holdTag, readHold, readPause } from '#domain/controls-in-force.ts';
import type { DecisionReason } from '#domain/decision.ts';
import type { Rule, Ruleset, Step } from '#domain/rule.ts';
import type { Timer } from '#domain/rule-memory.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { groupOf, labelsOfOccasion, viewOfSubject } from './act.ts';
import { Evaluation } from './evaluation.ts';
import { readOnly } from './explain.ts';
import { stoppedBy } from './guard-inputs.ts';
import { channelOfSubject, readMemory } from './memory.ts';
import { dueTimes, silentSources, timers } from './timers.ts';

/** Why a planned action does not happen at its time, in words for people. */
export interface WithheldAction {
  readonly reason: DecisionReason;
  /** Such as `inhibited by mass-starvation`. */
  readonly why: string;
  /** What happens to it when that is over. */
  readonly afterwards: string;
}

export interface PlannedAction {
  /** Of the timer: what to name when it is cancelled. */
  readonly timerId: string;
  readonly rule: string;
  readonly channelArn: string;
  /** Actions that run then; of those that are held back, these. */
  readonly actions: readonly string[];
  /** Epoch ms; undefined while it is held back. */
  readonly dueMs?: number | undefined;
  readonly withheld?: WithheldAction | undefined;
}

/** Everything that rules in force have planned for single channels. */
export function* plannedActions(view: StateView, ruleset: Ruleset, nowMs: number): Iterable<PlannedAction> {
  if (view.count(kinds.timer) === 0) return;
  const evaluation = new Evaluation(readOnly(view, nowMs), ruleset, {});
  const dueMsOf = dueTimes(view, nowMs);
  for (const [timerId, timer] of timers(view)) {
    const channelArn = channelOfSubject(timer.subject);
    const rule = evaluation.index.byName.get(timer.rule);
    if (channelArn === undefined || !rule || timer.kind === 'end' || rule.mode !== 'enforce') continue;
    const steps = stepsOf(rule, timer);
    const dueMs = dueMsOf(timer);
    const base = { timerId, rule: rule.name, channelArn };
    const whole = heldAsAWhole(evaluation, rule, timer);
    const muted = whole ? [] : steps.map((step) => ({ step, withheld: mutedStep(evaluation, rule, timer, step) }));
    const free = muted.filter(({ withheld }) => !withheld).map(({ step }) => step);
    const held = whole ?? muted.find(({ withheld }) => withheld)?.withheld;
    if (free.length > 0 || (steps.length === 0 && !whole)) yield { ...base, actions: namesOf(free), dueMs };
    if (!held) continue;
    const actions = namesOf(whole ? steps : muted.filter(({ withheld }) => withheld).map(({ step }) => step));
    yield {
      ...base,
      actions,
      withheld: { ...held, afterwards: afterwardsOf(held.reason, dueMs <= nowMs || timer.blocked !== undefined) },
    };
  }
}

function stepsOf(rule: Rule, { kind, step }: Timer): readonly Step[] {
  return kind === 'step'
    ? rule.actions.filter(({ index }) => index === step)
    : rule.actions.filter(({ afterMs }) => afterMs === 0);
}

function namesOf(steps: readonly Step[]): string[] {
  return steps.map(({ action }) => action);
}

type Held = Omit<WithheldAction, 'afterwards'>;

/** What keeps a rule from doing anything to the channel. */
function heldAsAWhole(evaluation: Evaluation, rule: Rule, timer: Timer): Held | undefined {
  const { tx, nowMs } = evaluation;
  if (stoppedBy(evaluation, rule)) return { reason: 'rule_stopped', why: 'the rule is stopped by its cap' };
  const pause = readPause(tx);
  if (pause) return { reason: 'paused', why: `paused by ${pause.who}: ${pause.reason}` };
  const tag = viewOfSubject(evaluation, timer.subject)?.channel.tags[holdTag];
  if (tag !== undefined) return { reason: 'held', why: `on hold by the tag ${holdTag}` };
  const hold = readHold(tx, timer.subject, nowMs);
  if (hold) return { reason: 'held', why: `on hold by ${hold.who}: ${hold.reason}` };
  const silent = timer.freezes ? silentSources(tx) : [];
  if (silent.length > 0) return { reason: 'data_gap', why: `no data from ${silent.join(' and ')}` };
  const isFired = readMemory(tx, rule.name, timer.subject)?.firing?.endedAtMs !== undefined;
  if (timer.kind === 'step' && isFired)
    return { reason: 'recovering', why: 'the condition is over, keep_firing_for runs' };
  // What is looked at here would be found here; of the rest the last judgement is what is known.
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

/** What keeps one action of a rule from happening. */
function mutedStep(evaluation: Evaluation, rule: Rule, { subject, firing }: Timer, { action }: Step): Held | undefined {
  const view = viewOfSubject(evaluation, subject);
  const cause = firing?.cause ?? readMemory(evaluation.tx, rule.name, subject)?.pending?.cause ?? {};
  const found = evaluation.muting.check(rule, labelsOfOccasion(rule, groupOf(rule, view, cause), view), action);
  if (!found) return undefined;
  const { author, reason, by } = found.values;
  return found.reason === 'silenced'
    ? { reason: 'silenced', why: `silenced by ${author}: ${reason}` }
    : { reason: 'inhibited', why: `inhibited by ${by}` };
}

const over: Readonly<Partial<Record<DecisionReason, string>>> = {
  inhibited: 'When the inhibition ends',
  silenced: 'When the silence ends',
  paused: 'When automation is resumed',
  held: 'When the hold is released',
  rule_stopped: 'When the rule is started again',
  data_gap: 'When data is back',
};

function afterwardsOf(reason: DecisionReason, isDue: boolean): string {
  if (reason === 'recovering') return 'It acts if the condition comes back, and is dropped if it does not.';
  const when = over[reason] ?? 'When that is over';
  if (reason === 'data_gap') return `${when}, its time goes on from where it stands.`;
  return isDue
    ? `${when}, it is judged again: it acts at once if the condition still holds, and is dropped if not.`
    : `${when}, it goes on: it acts at its time if the condition still holds, and is dropped if not.`;
}
