// What a rule that was removed or switched off still owes: it acted and its condition has not ended, but nobody watches the condition any
// longer. Its `on_resolve` is done instead. `on_resolve` is kept with the shared state, because a removed rule is in no file.
import { actionSchemas } from '#domain/action.ts';
import type { Rule, Ruleset, Step } from '#domain/rule.ts';
import type { Firing, KeptEnd, KeptStep, LeftEnd, RuleMemory } from '#domain/rule-memory.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { compileParams } from './action-template.ts';
import type { Evaluation } from './evaluation.ts';
import { allSubject, forgetMemory, writeMemory } from './memory.ts';
import { asResolved, isAutomatic, resolvedNotices } from './resolved-notice.ts';
import { rootsOf } from './template-roots.ts';
import { moveTimer, startTimer, timers } from './timers.ts';
import { decisionOf, resolve, withoutFiring, withoutPending } from './transitions.ts';

/**
 * How long a rule must be gone before its firings end. While a configuration is rolled out, replicas with the old file and with the new one
 * take turns: what one of them does not know yet is not gone.
 */
const graceMs = 10_000;

/** Keeps the end of every rule in force, in place of those of the rules before. */
export function keepOnResolve({ tx, ruleset, index }: Evaluation): void {
  const kept = Array.from(index.byName.values(), (rule) => [rule.name, keptEnd(ruleset, rule)] as const);
  const rules = Object.fromEntries(kept.filter(([, { steps }]) => steps.length > 0));
  tx.set(notes.onResolve, { hash: ruleset.hash, rules });
}

/** Whether the ends on record are those of the ruleset in force. A version of the daemon that does not know them leaves them as they are. */
export function isOnResolveKept({ tx, ruleset }: Evaluation): boolean {
  return tx.get(notes.onResolve)?.hash === ruleset.hash;
}

function keptEnd(ruleset: Ruleset, rule: Rule): KeptEnd {
  const { groupBy, minGapMs } = rule.guards;
  return {
    steps: keptSteps(ruleset, rule),
    groupBy,
    ...(rule.match ? { match: rule.match.source } : {}),
    ...(minGapMs === undefined ? {} : { minGapMs }),
  };
}

function keptSteps(ruleset: Ruleset, rule: Rule): readonly KeptStep[] {
  return [...rule.onResolve, ...resolvedNotices(ruleset, rule)].map(
    ({ index, action, params, afterMs, onlyIf, approval }) => ({
      index,
      action,
      params,
      afterMs,
      ...(onlyIf ? { onlyIf: onlyIf.source } : {}),
      ...(approval ? { approval: true } : {}),
    }),
  );
}

/** Whether a firing, or one whose place it took, has done something that its end undoes. */
export function isOwing({ acted, owes }: Firing): boolean {
  return acted || owes === true;
}

/**
 * Hands what a rule remembers to the new name that it has now: to the only new rule with the same condition and the same `on_resolve`.
 * @param known name → conditionHash of the rules before
 */
export function followRenames({ tx, ruleset, index }: Evaluation, known: Readonly<Record<string, string>>): void {
  const kept = tx.get(notes.onResolve)?.rules ?? {};
  const names = new Set(ruleset.rules.map(({ name }) => name));
  const signOf = (conditionHash: string | undefined, steps: readonly KeptStep[]) =>
    `${conditionHash}|${JSON.stringify(steps)}`;
  const old = Object.keys(known).filter((name) => !names.has(name) && kept[name] !== undefined);
  if (old.length === 0) return;
  const fresh = Array.from(index.byName.values()).filter(({ name }) => known[name] === undefined);
  for (const name of old) {
    const sign = signOf(known[name], kept[name]!.steps);
    const heirs = fresh.filter((rule) => signOf(rule.conditionHash, keptSteps(ruleset, rule)) === sign);
    const [heir] = heirs;
    const isOnly = !old.some((other) => other !== name && signOf(known[other], kept[other]!.steps) === sign);
    if (heir && heirs.length === 1 && isOnly) rename(tx, name, heir.name);
  }
}

function rename(tx: Evaluation['tx'], from: string, to: string): void {
  for (const [, timer] of Array.from(timers(tx))) if (timer.rule === from) moveTimer(tx, timer, to);
  for (const [, memory] of Array.from(tx.entries(kinds.ruleMemory))) {
    if (memory.rule !== from) continue;
    forgetMemory(tx, from, memory.subject);
    writeMemory(tx, { ...memory, rule: to });
  }
}

/** The rule of a firing is off or gone. Returns whether something is owed, so that the firing is kept until that is done. */
export function leave(evaluation: Evaluation, memory: RuleMemory, firing: Firing): boolean {
  const { tx, ruleset, nowMs } = evaluation;
  if (firing.left) return true;
  if (!(firing.owes || (firing.acted && firing.mode === 'enforce'))) return false;
  const off = ruleset.rules.find(({ name }) => name === memory.rule);
  const kept = off ? keptEnd(ruleset, off) : tx.get(notes.onResolve)?.rules[memory.rule];
  if (!kept || kept.steps.length === 0) return false;
  const left: LeftEnd = { ...kept, atMs: nowMs };
  const next = { ...withoutPending(memory), firing: { ...firing, left } };
  writeMemory(tx, next);
  startTimer(tx, goneRule(next), { kind: 'end', subject: memory.subject, runsMs: graceMs });
  return true;
}

/** The rule is still off or gone: what it owes is done. */
export function settle(evaluation: Evaluation, memory: RuleMemory & { readonly firing: Firing }): void {
  const off = evaluation.ruleset.rules.find(({ name }) => name === memory.rule);
  resolve(evaluation, off ?? goneRule(memory), memory, 'rule_gone');
}

/** A rule that is in no file, as far as its end needs it. */
function goneRule({ rule: name, subject, conditionHash, firing }: RuleMemory & { readonly firing: Firing }): Rule {
  const { kind } = firing.cause.evidence;
  const roots = rootsOf({ kind, perChannel: subject !== allSubject });
  const { steps = [], match, groupBy = [{ kind: 'channel' }], minGapMs } = firing.left ?? {};
  return {
    name,
    description: undefined,
    mode: 'off',
    // Whatever it was: the end is now, and a notification of it closes that of the beginning.
    trigger: { kind: 'state', pattern: { source: {}, match: () => true } },
    // The worker compares it, from its source.
    match: match && { source: match, match: () => true },
    while: undefined,
    forMs: 0,
    keepFiringForMs: 0,
    oncePer: undefined,
    actions: [],
    onResolve: steps.map((step) => stepOf(step, roots)),
    guards: {
      cooldownMs: 0,
      maxPerHour: undefined,
      maxEventAgeMs: undefined,
      maxLivePercent: undefined,
      groupBy,
      onDataGap: 'ignore',
      minGapMs,
    },
    hash: '',
    conditionHash,
  };
}

function stepOf(
  { index, action, params, afterMs, onlyIf, approval }: KeptStep,
  roots: ReturnType<typeof rootsOf>,
): Step {
  const compiled = compileParams(action, params, roots);
  const step: Step = {
    index,
    action,
    params,
    afterMs,
    onlyIf: onlyIf && { source: onlyIf, match: () => true },
    destructive: false,
    approval: undefined,
    render: (context) => {
      if (approval) return { ok: false, problem: 'it needs approval, and its rule is gone' };
      if (!compiled.ok) return { ok: false, problem: compiled.problems.map(({ message }) => message).join('; ') };
      const rendered = compiled.render(context);
      if (!rendered.ok || actionSchemas[action].safeParse(rendered.params).success) return rendered;
      return { ok: false, problem: 'its stored parameters are malformed' };
    },
  };
  return isAutomatic(step) ? asResolved(step) : step;
}

/** A rule was changed while it was waiting: that is dropped, and what it has acted for is remembered. */
export function dropWaiting(evaluation: Evaluation, memory: RuleMemory): void {
  const { index, ruleset, tx } = evaluation;
  const rule = index.byName.get(memory.rule) ?? ruleset.rules.find(({ name }) => name === memory.rule);
  const waiting = memory.pending?.cause ?? memory.firing?.cause;
  if (rule && waiting)
    evaluation.emit(
      decisionOf(evaluation, rule, memory.subject, waiting, { outcome: 'not_fired', reason: 'rule_changed' }),
    );
  writeMemory(tx, withoutFiring(withoutPending(memory)));
}
