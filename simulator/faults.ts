// Faults on demand: which calls are slow, fail, lose their connection, or get a wrong or incomplete answer. Rules are tried in the order
// they were added and may combine (slow and then lost). http/pipeline.ts applies them.

import { overlay } from './overlay.ts';
import type { Random } from './random.ts';

/** One rule. Without `operation` or `channelArn` it applies to every call. */
export interface FaultRule {
  readonly operation?: string | undefined;
  readonly channelArn?: string | undefined;
  /** Chance for each matching call; default 1. */
  readonly probability?: number | undefined;
  /** Only the n-th matching call from now, counted from 1. */
  readonly nth?: number | undefined;
  /** Removed after it was used this often. */
  readonly times?: number | undefined;
  /** Added before the call meets its quota: a number, or uniformly between two. */
  readonly latencyMs?: number | readonly [number, number] | undefined;
  /** Added between the effect and the answer. */
  readonly answerLatencyMs?: number | readonly [number, number] | undefined;
  /** Return this error shape instead of acting. */
  readonly error?: string | undefined;
  /** Status for an `error` that is not one of the service's own. */
  readonly status?: number | undefined;
  readonly message?: string | undefined;
  /** Send this instead of the call's own answer. The call counts and acts as usual. */
  readonly answer?: FalseAnswer | undefined;
  /**
   * Cut the connection before the call counts or acts, after it acted (the lost answer), or in the middle of the answer's
   * body. An answer without a body has no middle and is lost.
   */
  readonly reset?: 'before-effect' | 'after-effect' | 'half-way' | undefined;
  /** Stop sending, with the connection left open: nothing at all, the headers only, or half of the body. */
  readonly hang?: 'no-answer' | 'after-headers' | 'half-way' | undefined;
  /** Send the body in pieces of `bytes` (default 1), one each `everyMs`. */
  readonly drip?: { readonly bytes?: number | undefined; readonly everyMs: number } | undefined;
}

/** A wrong answer. Without any member it is an empty body with status 200. */
export interface FalseAnswer {
  /** Default: 200. */
  readonly status?: number | undefined;
  /** Headers to add or replace, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The body as text, JSON or not. */
  readonly text?: string | undefined;
  /** The body as a JSON value of any type. */
  readonly json?: unknown;
  /** Members to overlay on the real answer, which otherwise stays, if the call succeeded. */
  readonly members?: Readonly<Record<string, unknown>> | undefined;
  /** Lists never end: each page is the first one, with the same `nextToken` every time or with a new one. */
  readonly pages?: 'same-token' | 'new-tokens' | undefined;
}

export interface FaultState extends FaultRule {
  readonly id: number;
  readonly seen: number;
  readonly struck: number;
}

/** The combined effect of the rules on one call. */
export interface FaultPlan {
  readonly latencyMs: number;
  readonly answerLatencyMs: number;
  readonly error?: { readonly name: string; readonly status?: number; readonly message: string };
  readonly answer?: FalseAnswer;
  readonly reset?: NonNullable<FaultRule['reset']>;
  readonly hang?: NonNullable<FaultRule['hang']>;
  readonly drip?: NonNullable<FaultRule['drip']>;
}

const NONE: FaultPlan = { latencyMs: 0, answerLatencyMs: 0 };

interface Rule {
  readonly id: number;
  readonly rule: FaultRule;
  seen: number;
  struck: number;
}

/** The rules in force, and their random numbers. */
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

  /** Draws the random numbers for one call. */
  plan(operation: string, channelArn: string | undefined): FaultPlan {
    if (this.#rules.length === 0) return NONE;
    let plan = NONE;
    for (const entry of this.#rules) {
      if (!this.#strikes(entry, operation, channelArn)) continue;
      const { rule } = entry;
      const { answer, reset, hang, drip } = rule;
      plan = {
        ...overlay<FaultPlan>(plan, { answer, reset, hang, drip, error: errorOf(rule) }),
        latencyMs: plan.latencyMs + this.#duration(rule.latencyMs),
        answerLatencyMs: plan.answerLatencyMs + this.#duration(rule.answerLatencyMs),
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

const errorOf = (rule: FaultRule): FaultPlan['error'] => {
  if (rule.error === undefined) return undefined;
  const message = rule.message ?? `${rule.error} on demand`;
  return { name: rule.error, message, ...(rule.status === undefined ? {} : { status: rule.status }) };
};
