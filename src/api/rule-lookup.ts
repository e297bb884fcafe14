// What the routes about rules need of each shard, and look-up of rules by name.

import { didYouMean } from '#domain/nearest-name.ts';
import { notFound } from '#domain/not-found.ts';
import type { Rule, Ruleset } from '#domain/rule.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';

export interface RuleShard extends ShardIdentity {
  readonly state: SharedState;
  /** The rules in force. */
  readonly ruleset: Ruleset;
  /** When this process began to decide, if it has. */
  readonly startedAtMs: number | undefined;
}

export type RuleShards = ShardDirectory<RuleShard>;

/** The rule of this name. @throws AppError NOT_FOUND with the nearest name */
export function ruleNamed({ rules }: Ruleset, name: string): Rule {
  const found = rules.find((rule) => rule.name === name);
  if (!found) throw notFound('rule', noRule(rules, name));
  return found;
}

/** The error text for an unknown rule. */
export function noRule(rules: readonly Rule[], name: string): string {
  const names = rules.map((rule) => rule.name);
  return `there is no rule ${name}${didYouMean(name, names)}; GET /v1/rules lists them`;
}
