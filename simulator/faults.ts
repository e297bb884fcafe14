// Faults on demand: which calls are slow, fail, or lose their connection. Rules are tried in the order they were added and
// may combine (slow and then lost). What a rule means on the wire is done by http/ivs.ts.

import type { Random } from './random.ts';

/** One rule. Without `operation` or `channelArn` it applies to every call. */
export interface FaultRule {
  readonly operation?: string | undefined;
  readonly channelArn?: string | undefined;
  /** Chance for each matching call; default 1. */
  readonly probability?: number | undefined;
  /** Only the n-th matching call from now, counted from 1. */
  readonly nth?: number | undefined;
  /** Gone after it has struck so often. */
  readonly times?: number | undefined;
  /** Added before the call meets its quota: a number, or uniformly between two. */
  readonly latencyMs?: number | readonly [number, number] | undefined;
  /** Added between the effect and the answer. */
  readonly answerLatencyMs?: number | readonly [number, number] | undefined;
  /** Answer with this error shape instead of acting. */
  readonly error?: string | undefined;
  /** Status for an `error` that is not one of the service's own. */
  readonly status?: number | undefined;
  readonly message?: string | undefined;
  /** Cut the connection before the call counts or acts, or after it acted (the lost answer). */
  readonly reset?: 'before-effect' | 'after-effect' | undefined;
}

export interface FaultState extends FaultRule {
  readonly id: number;
  readonly seen: number;
  readonly struck: number;
}

/** What the rules together say about one call. */
export interface FaultPlan {
  readonly latencyMs: number;
  readonly answerLatencyMs: number;
  readonly error?: { readonly name: string; readonly status?: number; readonly message: string };
  readonly reset?: 'before-effect' | 'after-effect';
}

const NONE: FaultPlan = { latencyMs: 0, answerLatencyMs: 0 };

interface Rule {
  readonly id: number;
  readonly rule: FaultRule;
  seen: number;
  struck: number;
}

/** The rules in force, and their dice. */
export class Faults {
  readonly #random: Random;
  #rules: Rule[] = [];
  #lastId = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  add(rule: FaultRule): number {
    this.#rules.push({ id: ++this.#lastId, rule, seen: 0, struck: 0 });
    return this.#lastId;
  }

  remove(id: number): boolean {
    const before = this.#rules.length;
    this.#rules = this.#rules.filter((entry) => entry.id !== id);
    return this.#rules.length < before;
  }

  clear(): void {
    this.#rules = [];
  }

  list(): FaultState[] {
    return this.#rules.map(({ id, rule, seen, struck }) => ({ id, ...rule, seen, struck }));
  }

  /** Throws the dice for one call. */
  plan(operation: string, channelArn: string | undefined): FaultPlan {
    if (this.#rules.length === 0) return NONE;
    let plan = NONE;
    for (const entry of this.#rules) {
      if (!this.#strikes(entry, operation, channelArn)) continue;
      const { rule } = entry;
      plan = {
        latencyMs: plan.latencyMs + this.#duration(rule.latencyMs),
        answerLatencyMs: plan.answerLatencyMs + this.#duration(rule.answerLatencyMs),
        ...errorOf(rule, plan),
        ...(rule.reset === undefined ? resetOf(plan) : { reset: rule.reset }),
      };
    }
    this.#rules = this.#rules.filter(({ rule, struck }) => rule.times === undefined || struck < rule.times);
    return plan;
  }

  #strikes(entry: Rule, operation: string, channelArn: string | undefined): boolean {
    const { rule } = entry;
    if (rule.operation !== undefined && rule.operation !== operation) return false;
    if (rule.channelArn !== undefined && rule.channelArn !== channelArn) return false;
    entry.seen++;
    if (rule.nth !== undefined && entry.seen !== rule.nth) return false;
    if (rule.probability !== undefined && !this.#random.chance(rule.probability)) return false;
    entry.struck++;
    return true;
  }

  #duration(range: FaultRule['latencyMs']): number {
    if (range === undefined) return 0;
    return typeof range === 'number' ? range : this.#random.between(range[0], range[1]);
  }
}

const errorOf = (rule: FaultRule, plan: FaultPlan): Pick<FaultPlan, 'error'> => {
  if (rule.error === undefined) return plan.error === undefined ? {} : { error: plan.error };
  const message = rule.message ?? `${rule.error} on demand`;
  return { error: { name: rule.error, message, ...(rule.status === undefined ? {} : { status: rule.status }) } };
};

const resetOf = (plan: FaultPlan): Pick<FaultPlan, 'reset'> => (plan.reset === undefined ? {} : { reset: plan.reset });
