// When the rules change: a rule with the same condition keeps everything it remembers; what a changed, removed or disabled rule waited for
// is dropped, and a new condition is evaluated for every channel.

import { kinds, notes } from '#domain/state-registry.ts';
import { forgetTurns } from './clocked.ts';
import type { Evaluation } from './evaluation.ts';
import { closeIncident, openIncidentOf, resetRule } from './incidents.ts';
import { forgetKeyAges } from './key-age.ts';
import { dropMoment, ruleMemories, withheldMoments, writeMemory } from './memory.ts';
import { reevaluateState } from './notice.ts';
import type { RuleOf } from './rule-index.ts';
import { dropTimer, timers } from './timers.ts';
import { decisionOf, withoutFiring, withoutPending } from './transitions.ts';

const key = notes.ruleset;
/** Channels that one transaction evaluates. */
const checksPerEvaluation = 100_000;

/** Adapts what is remembered to the rules. Costs one look-up if nothing has changed. */
export function followRuleset(evaluation: Evaluation): void {
  const { tx, ruleset, index } = evaluation;
  const known = tx.get(key);
  if (known?.hash === ruleset.hash) return;
  const rules = Object.fromEntries(Array.from(index.byName.values(), (rule) => [rule.name, rule.conditionHash]));
  const isNew = (name: string) => known?.rules[name] !== rules[name];
  if (known) forgetOthers(evaluation);
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
    if (!rule || memory?.conditionHash !== rule.conditionHash) dropTimer(tx, timer);
  }
  for (const [, memory] of Array.from(ruleMemories(tx))) {
    if (isCurrent(memory.rule, memory.conditionHash)) continue;
    const rule = index.byName.get(memory.rule) ?? evaluation.ruleset.rules.find(({ name }) => name === memory.rule);
    const waiting = memory.pending?.cause ?? memory.firing?.cause;
    if (rule && waiting)
      evaluation.emit(
        decisionOf(evaluation, rule, memory.subject, waiting, { outcome: 'not_fired', reason: 'rule_changed' }),
      );
    // A changed rule, or one that is removed and added again, still remembers that it has acted for a cause.
    writeMemory(tx, withoutFiring(withoutPending(memory)));
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
    if (open && index.byName.get(name)?.conditionHash !== tx.get(key)?.rules[name]) closeIncident(tx, name, tx.nowMs);
  }
}
