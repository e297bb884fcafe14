// The account's default event bus: rules with their targets, and the routing of an event to the matching queues.
// Quotas from https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html

import type { SqsDelivery } from '../events/sqs-delivery.ts';
import { compilePattern, type EventTest } from './pattern.ts';

/** A target as PutTargets accepted it; only SQS queues are reached. */
export interface Target {
  readonly Id: string;
  readonly Arn: string;
  readonly Input?: string;
  readonly InputPath?: string;
  readonly DeadLetterConfig?: { readonly Arn?: string };
  readonly [other: string]: unknown;
}

export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly eventPattern?: string | undefined;
  readonly scheduleExpression?: string | undefined;
  readonly description?: string | undefined;
  readonly roleArn?: string | undefined;
  state: 'ENABLED' | 'DISABLED';
  readonly test: EventTest | undefined;
  readonly targets: Map<string, Target>;
  readonly tags: Map<string, string>;
}

export class EventBus {
  readonly rules = new Map<string, Rule>();
  readonly #delivery: SqsDelivery;

  constructor(delivery: SqsDelivery) {
    this.#delivery = delivery;
  }

  /** Replaces or makes a rule; a replaced one keeps its targets and tags. Throws a PatternError. */
  put(rule: Omit<Rule, 'test' | 'targets' | 'tags'>, tags: ReadonlyMap<string, string>): void {
    const before = this.rules.get(rule.name);
    const test = rule.eventPattern === undefined ? undefined : compilePattern(rule.eventPattern);
    this.rules.set(rule.name, {
      ...rule,
      test,
      targets: before?.targets ?? new Map(),
      tags: before?.tags ?? new Map(tags),
    });
  }

  /** Sends the event to every target of every enabled rule that matches it. */
  route(event: object): void {
    let body: string | undefined;
    for (const rule of this.rules.values()) {
      if (rule.state !== 'ENABLED' || rule.test?.(event) !== true) continue;
      body ??= JSON.stringify(event);
      for (const target of rule.targets.values()) {
        const input = target.Input ?? (target.InputPath === undefined ? body : selected(event, target.InputPath));
        if (input !== undefined) this.#delivery.send(target.Arn, input, target.DeadLetterConfig?.Arn);
      }
    }
  }
}

/** A path such as `$.detail.event_name`; undefined if the event has nothing there. */
function selected(event: object, path: string): string | undefined {
  let value: unknown = event;
  for (const name of path.split('.').slice(1)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return JSON.stringify(value);
}
