// Answers "why does this rule not act on this channel?", as of now: every part of the condition and every guard with the values it
// compares, what is waiting, and the last time the rule came close. Reads only; uses the same predicates as the decision itself.

import type { DecisionReason, GuardVerdict, Values } from '#domain/decision.ts';
import { iso, valuesText } from '#domain/duration.ts';
import type { Rule, RuleMode, Ruleset } from '#domain/rule.ts';
import type { Cause, Timer } from '#domain/rule-memory.ts';
import type { StateView } from '#domain/shared-state.ts';
import { lastWord } from '#journal/record.ts';
import { groupOf, labelsOfOccasion, viewOfSubject } from './act.ts';
import { streamValues } from './conditions.ts';
import { type DecideOptions, Evaluation } from './evaluation.ts';
import { guardInputs, stoppedBy } from './guard-inputs.ts';
import { askAllGuards, reasonOfGuard } from './guards.ts';
import { heldBack } from './held-back.ts';
import { whyNot } from './judge.ts';
import { allSubject, hasActed, readMemory, withheldMoments } from './memory.ts';
import { aggregateDocument } from './population.ts';
import { readOnly } from './read-only.ts';
import type { RuleOf } from './rule-index.ts';
import { dueTimes, readTimer, timers } from './timers.ts';
import { occasionOf } from './transitions.ts';

export interface Explanation {
  readonly rule: string;
  readonly mode: RuleMode;
  readonly channelArn: string;
  readonly channelName: string;
  /** `idle`: the condition is not true. `waiting`: `for` runs. `held_back`: it would act. `firing`: it has acted. */
  readonly state: 'off' | 'idle' | 'waiting' | 'held_back' | 'firing';
  /** The reason, as a word of the closed set, and as a sentence with the values. */
  readonly reason: DecisionReason | 'off';
  readonly sentence: string;
  /** What is known about the channel and its stream. */
  readonly values: Values;
  readonly sinceMs?: number;
  /** What comes next, epoch ms. */
  readonly due: readonly { readonly action: string; readonly dueMs: number; readonly heldBack?: DecisionReason }[];
  readonly guards: readonly GuardVerdict[];
  /** Actions that a silence or an inhibition would hold back now. */
  readonly muted: readonly { readonly action: string; readonly reason: DecisionReason; readonly values: Values }[];
  readonly last?: { readonly atMs: number; readonly reason: DecisionReason; readonly values: Values };
}

/** Explains a rule for a channel as of now. The rule is one of the ruleset's. */
export function explain(
  view: StateView,
  ruleset: Ruleset,
  { rule, channelArn, nowMs, options = {} }: { rule: Rule; channelArn: string; nowMs: number; options?: DecideOptions },
): Explanation {
  const evaluation = new Evaluation(readOnly(view, nowMs), ruleset, options);
  const subject = rule.trigger.kind === 'aggregate' || (ofFleet(rule) && !rule.match) ? allSubject : channelArn;
  const channel = evaluation.channel(channelArn);
  const memory = readMemory(view, rule.name, subject);
  const withheld = withheldMoments(view).findLast((moment) => moment.rule === rule.name && moment.subject === subject);
  const cause = memory?.pending?.cause ?? withheld?.cause ?? memory?.firing?.cause;
  const last = lastWord(view, rule.name, channelArn);
  const base = {
    rule: rule.name,
    mode: rule.mode,
    channelArn,
    channelName: channel.channel.name,
    values:
      rule.trigger.kind === 'aggregate'
        ? countsOf(view, rule as RuleOf<'aggregate'>)
        : { ...streamValues(channel.stream), ...tagValues(channel.channel.tags) },
    ...(cause ? { sinceMs: cause.evidence.sinceMs } : {}),
    due: dueOf(evaluation, rule, subject),
    ...(last ? { last: { atMs: last.atMs, reason: last.reason, values: last.values } } : {}),
  };
  if (rule.mode === 'off')
    return { ...base, state: 'off', reason: 'off', sentence: 'The rule is off.', guards: [], muted: [] };
  const asked: Cause = cause ?? {
    id: 'explain',
    evidence: { kind: rule.trigger.kind, sinceMs: nowMs, text: '', values: {} },
  };
  const occasion = occasionOf(evaluation, rule, subject, { cause: asked, mode: rule.mode, decisionId: '' }, 'fire');
  const guards = askAllGuards(guardInputs(evaluation, rule, occasion, 'fire')).filter(
    // Without an event there is no age.
    ({ guard }) => cause !== undefined || guard !== 'max_event_age',
  );
  const labels = labelsOfOccasion(
    rule,
    groupOf(rule, viewOfSubject(evaluation, subject), asked),
    viewOfSubject(evaluation, subject),
  );
  const muted = rule.actions.flatMap(({ action }) => {
    const found = evaluation.muting.check(rule, labels, action);
    return found ? [{ action, reason: found.reason, values: found.values }] : [];
  });
  const shown = { ...base, guards, muted };
  const stopped = stoppedBy(evaluation, rule);
  if (memory?.firing && hasActed(memory)) {
    const { acted, firedAtMs } = memory.firing;
    return {
      ...shown,
      state: 'firing',
      reason: acted ? 'fired' : 'already_acted',
      sentence:
        `${acted ? `It fired at ${iso(firedAtMs)}` : 'It has acted for this before'} and has not resolved.` +
        (stopped ? ` It cannot fire again: ${stopped.text}` : ''),
    };
  }
  const ended = needsMoment(rule, cause) ? undefined : whyNot(evaluation, { rule, subject, cause: asked });
  if (ended || needsMoment(rule, cause)) {
    const reason =
      ended?.failed === 'match' ? 'match_failed' : ended?.failed === 'while' ? 'while_broken' : 'trigger_not_met';
    return { ...shown, state: 'idle', reason, sentence: idleSentence(rule, reason) };
  }
  if (memory?.pending) {
    const timer = readTimer(view, { kind: 'for', rule: rule.name, subject });
    if (!timer?.blocked)
      return {
        ...shown,
        state: 'waiting',
        reason: 'condition_began',
        sentence: `The condition has been true since ${iso(asked.evidence.sinceMs)}; \`for\` is not over.`,
      };
  }
  const refused = guards.find(({ passed }) => !passed);
  const reason = refused ? reasonOfGuard[refused.guard] : (muted[0]?.reason ?? 'fired');
  const sentence = refused
    ? refused.guard === 'stopped' && stopped
      ? stopped.text
      : `It is held back by ${refused.guard}: ${valuesText(refused.values)}.`
    : muted[0]
      ? `It is held back (${muted[0].reason}): ${valuesText(muted[0].values)}.`
      : 'Nothing holds it back.';
  return { ...shown, state: 'held_back', reason, sentence };
}

/** What an aggregate compares: it is about all channels, whichever one is asked about. */
function countsOf(view: StateView, rule: RuleOf<'aggregate'>): Values {
  const { count, live, percent } = aggregateDocument(view, rule);
  return { count, live, percent };
}

/** Whether the rule, without `match`, is about the fleet. */
function ofFleet({ trigger }: Rule): boolean {
  return trigger.kind === 'schedule' || (trigger.kind === 'times' && 'daily' in trigger);
}

/** An event, a request or a crossing is over once it was judged: without a waiting cause nothing can be true. */
function needsMoment(rule: Rule, cause: Cause | undefined): boolean {
  return !cause && ['event', 'http', 'times', 'threshold'].includes(rule.trigger.kind);
}

function idleSentence(rule: Rule, reason: DecisionReason): string {
  if (reason === 'match_failed')
    return rule.match && Object.keys(rule.match.source).some((field) => field === 'tags' || field.startsWith('tags.'))
      ? '`match` does not select this channel, with the tags that it had when the channels were last listed; `ivs-autopilot channel refresh` lists them now.'
      : '`match` does not select this channel.';
  if (reason === 'while_broken') return 'The trigger matches, but `while` does not hold.';
  const moment = { event: 'No event', http: 'No request', times: 'No time', threshold: 'No crossing' } as const;
  const { kind } = rule.trigger;
  return kind in moment
    ? `${moment[kind as keyof typeof moment]} is waiting; the last one is shown, if it was not acted on.`
    : 'The trigger does not match what is known.';
}

function dueOf(evaluation: Evaluation, rule: Rule, subject: string): Explanation['due'] {
  const { tx, nowMs } = evaluation;
  const dueMsOf = dueTimes(tx, nowMs);
  return Array.from(timers(tx), ([, timer]) => timer)
    .filter((timer) => timer.rule === rule.name && timer.subject === subject)
    .map((timer) => {
      const { whole, steps } = heldBack(evaluation, rule, timer);
      // A rule fires with those of its actions that nothing holds back.
      const held = whole ?? (steps.every(({ withheld }) => withheld) ? steps[0]?.withheld : undefined);
      const reason = timer.kind === 'end' ? timer.blocked : held?.reason;
      return { action: actionOf(rule, timer), dueMs: dueMsOf(timer), ...(reason ? { heldBack: reason } : {}) };
    });
}

function actionOf(rule: Rule, { kind, step = 0 }: Timer): string {
  if (kind === 'end') return 'resolve';
  return kind === 'for' ? 'fire' : (rule.actions[step]?.action ?? 'step');
}

function tagValues(tags: Readonly<Record<string, string>>): Values {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`tag ${key}`, value]));
}
