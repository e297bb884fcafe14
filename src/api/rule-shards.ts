// What the routes about rules need of each shard (account and region), and which shard a channel belongs to.
import { parseChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { Rule, Ruleset } from '#domain/rule.ts';
import type { SharedState } from '#domain/shared-state.ts';

export interface RuleShard {
  readonly name: string;
  readonly region: string;
  /** Unknown where the account is that of the environment's credentials. */
  readonly accountId?: string | undefined;
  readonly state: SharedState;
  /** The rules in force. */
  readonly ruleset: () => Ruleset;
  /** When this process began to decide, if it has. */
  readonly startedAtMs?: () => number | undefined;
}

export type RuleShards = readonly [RuleShard, ...RuleShard[]];

/** The shard of a channel: the one that knows it, else the one of its region and account, else the first. */
export function shardOf(shards: RuleShards, channelArn: string): RuleShard {
  const parts = parseChannelArn(channelArn);
  const knows = ({ state: { view } }: RuleShard) =>
    view.get(`channel/${channelArn}`) !== undefined || view.get(`stream/${channelArn}`) !== undefined;
  const fits = ({ region, accountId }: RuleShard) =>
    region === parts?.region && (accountId === undefined || accountId === parts.account);
  return shards.find(knows) ?? shards.find(fits) ?? shards[0];
}

/** The rule of this name. @throws AppError NOT_FOUND with the nearest name */
export function ruleNamed({ rules }: Ruleset, name: string): Rule {
  const found = rules.find((rule) => rule.name === name);
  if (!found) throw new AppError('NOT_FOUND', noRule(rules, name));
  return found;
}

/** What to say of a rule that there is not. */
export function noRule(rules: readonly Rule[], name: string): string {
  const names = rules.map((rule) => rule.name);
  return `there is no rule ${name}${didYouMean(name, names)}; GET /v1/rules lists them`;
}
