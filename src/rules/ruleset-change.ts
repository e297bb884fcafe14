// When the rules change: a rule with the same condition keeps everything it remembers, also under another name. What a changed, removed or
// disabled rule waited for is dropped, and a new condition is evaluated for every channel. What a rule has done is undone in any case: a
// changed rule continues to fire until its new condition is not met, and left-firings.ts does what a rule that is gone owes.
import type { Rule } from '#domain/rule.ts';
import type { Firing, RuleMemory, Timer } from '#domain/rule-memory.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { forgetTurns } from './clocked.ts';
import type { Evaluation } from './evaluation.ts';
import { closeIncident, openIncidentOf, resetRule } from './incidents.ts';
import { whyNot } from './judge.ts';
import { forgetKeyAges } from './key-age.ts';
import { dropWaiting, followRenames, isOnResolveKept, isOwing, keepOnResolve, leave } from './left-firings.ts';
import { allSubject, dropMoment, readMemory, ruleMemories, withheldMoments, writeMemory } from './memory.ts';
import { reevaluateState } from './notice.ts';
import { isHolding, momentKinds, type RuleOf } from './rule-index.ts';
import { dropTimer, startTimer, timers } from './timers.ts';
import { decisionOf, withoutPending } from './transitions.ts';

const key = notes.ruleset;
/** Channels that one transaction evaluates. */
const checksPerEvaluation = 100_000;

/** Adapts what is remembered to the rules. Costs one look-up if nothing has changed. */
export function followRuleset(evaluation: Evaluation): void {
  const { tx, ruleset, index } = evaluation;
  const known = tx.get(key);
  if (known?.hash === ruleset.hash) {
    // A version before this one followed the rules meanwhile.
    if (!isOnResolveKept(evaluation)) keepOnResolve(evaluation);
    return;
  }
  const rules = Object.fromEntries(Array.from(index.byName.values(), (rule) => [rule.name, rule.conditionHash]));
  const isNew = (name: string) => known?.rules[name] !== rules[name];
  if (known) {
    followRenames(evaluation, known.rules);
    forgetOthers(evaluation);
  }
  keepOnResolve(evaluation);
  const unseen = index.state.map(({ name }) => name).filter((name) => isNew(name) || known?.unseen.includes(name));
  tx.set(key, { hash: ruleset.hash, rules, unseen });
  forgetTurns(tx, ruleset);
  forgetKeyAges(tx, index);
}

/** Lets new state rules evaluate every channel, some rules at a time. Returns whether some are left. */
export function evaluateEveryChannel(evaluation: Evaluation): boolean {
  const { tx, index } = evaluation;
  const known = tx.get(key);
  if (!known || known.unseen.length === 0) return false;
  const channels = new Set<string>();
  for (const [arn] of tx.entries(kinds.stream)) channels.add(arn);
  for (const [arn] of tx.entries(kinds.channel)) channels.add(arn);
  const atOnce = Math.max(1, Math.floor(checksPerEvaluation / Math.max(1, channels.size)));
  const names = known.unseen.slice(0, atOnce);
  for (const name of names) {
    const rule = index.byName.get(name);
    if (rule?.trigger.kind !== 'state') continue;
    for (const arn of channels) reevaluateState(evaluation, rule as RuleOf<'state'>, evaluation.channel(arn));
  }
  const unseen = known.unseen.slice(names.length);
  tx.set(key, { ...known, unseen });
  return unseen.length > 0;
}

function forgetOthers(evaluation: Evaluation): void {
  const { tx, index } = evaluation;
  const isCurrent = (rule: string, conditionHash: string) => index.byName.get(rule)?.conditionHash === conditionHash;
  for (const [, timer] of Array.from(timers(tx))) {
    const rule = index.byName.get(timer.rule);
    const memory = tx.get(kinds.ruleMemory.of(timer.rule, timer.subject));
    if (rule && memory?.conditionHash === rule.conditionHash) continue;
    if (!rule && timer.kind === 'end' && memory?.firing?.left) continue;
    dropTimer(tx, timer);
    if (timer.kind === 'step' && memory?.firing && isOwing(memory.firing))
      noteDropped(evaluation, timer, memory.firing);
  }
  for (const [, memory] of Array.from(ruleMemories(tx))) {
    const rule = index.byName.get(memory.rule);
    const { firing } = memory;
    if (rule && firing && (firing.left || (isOwing(firing) && !isCurrent(memory.rule, memory.conditionHash))))
      carryOn(evaluation, rule, { ...memory, firing });
    else if (!isCurrent(memory.rule, memory.conditionHash) && !(firing && !rule && leave(evaluation, memory, firing)))
      dropWaiting(evaluation, memory);
  }
  for (const moment of withheldMoments(tx)) {
    if (isCurrent(moment.rule, moment.conditionHash)) continue;
    dropMoment(tx, moment);
    const rule = index.byName.get(moment.rule) ?? evaluation.ruleset.rules.find(({ name }) => name === moment.rule);
    if (rule)
      evaluation.emit(
        decisionOf(evaluation, rule, moment.subject, moment.cause, { outcome: 'not_fired', reason: 'rule_changed' }),
      );
  }
  for (const [, alert] of Array.from(tx.entries(kinds.alert))) {
    if (alert.kind !== 'cap' && alert.kind !== 'rate') continue;
    if (index.byName.get(alert.rule)?.hash !== alert.ruleHash) {
      resetRule(tx, alert.rule);
      if (tx.get(kinds.alert.of(alert.kind, alert.rule)) !== undefined)
        tx.delete(kinds.alert.of(alert.kind, alert.rule));
    }
  }
  for (const name of Object.keys(tx.get(key)?.rules ?? {})) {
    const open = openIncidentOf(tx, name);
    const rule = index.byName.get(name);
    const isKept = rule?.trigger.kind === 'aggregate' && readMemory(tx, name, allSubject)?.firing !== undefined;
    if (open && !isKept && rule?.conditionHash !== tx.get(key)?.rules[name]) closeIncident(tx, name, tx.nowMs);
  }
}

/** A changed rule continues to fire for what it acted on, unless what it watches now cannot end that. */
function carryOn(evaluation: Evaluation, rule: Rule, memory: RuleMemory & { readonly firing: Firing }): void {
  const { tx, nowMs } = evaluation;
  const { subject, pending } = memory;
  if (pending)
    evaluation.emit(
      decisionOf(evaluation, rule, subject, pending.cause, { outcome: 'not_fired', reason: 'rule_changed' }),
    );
  const { left: _back, ...firing } = memory.firing;
  const { cause } = firing;
  const isOver = !watches(rule, memory) || (isWatchedByEvents(rule) && whyNot(evaluation, { rule, subject, cause }));
  const endedAtMs = firing.endedAtMs ?? (isOver ? nowMs : undefined);
  writeMemory(tx, {
    ...withoutPending(memory),
    conditionHash: rule.conditionHash,
    firing: endedAtMs === undefined ? firing : { ...firing, endedAtMs },
  });
  const end = { kind: 'end', subject } as const;
  if (endedAtMs !== undefined) startTimer(tx, rule, { ...end, sinceMs: endedAtMs, runsMs: rule.keepFiringForMs });
  else dropTimer(tx, { ...end, rule: rule.name });
}

/** Whether the condition of a rule is about the subject of a firing, and has an end. */
function watches(rule: Rule, { subject, firing }: RuleMemory & { readonly firing: Firing }): boolean {
  const { kind } = rule.trigger;
  if (!isHolding(rule) || kind !== firing.cause.evidence.kind) return false;
  return kind !== 'schedule' || (rule.match === undefined) === (subject === allSubject);
}

/** Rules of the other kinds evaluate every subject again when they have changed. */
function isWatchedByEvents({ trigger }: Rule): boolean {
  return momentKinds.has(trigger.kind);
}

/** An action with `after` that a changed rule had planned. */
function noteDropped(evaluation: Evaluation, { rule: name, subject, step = 0 }: Timer, { cause }: Firing): void {
  const rule = evaluation.ruleset.rules.find((one) => one.name === name);
  if (!rule) return;
  const values = { step };
  evaluation.emit(
    decisionOf(evaluation, rule, subject, cause, { outcome: 'not_fired', reason: 'rule_changed', values }),
  );
}
