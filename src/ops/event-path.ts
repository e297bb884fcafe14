// The event path, described once: rule → queue, with a dead-letter queue for whatever either of them cannot deliver.
// The plan, the calls to AWS and the printed templates are all made from this description.
import type { Pattern } from '#domain/action.ts';
import { ivsEvents } from '#domain/ivs-events.ts';

/** The tag that marks what bootstrap created; its value is the name of the setup. Only resources with this tag are ever removed. */
export const ownerTag = 'ivs-autopilot';

export interface EventPathNames {
  /** Names the setup, and everything in it unless named below. */
  readonly name: string;
  readonly queue: string;
  readonly deadLetterQueue: string;
  readonly rule: string;
}

export interface QueueDescription {
  readonly name: string;
  /** Attribute values as SQS writes them. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What should exist. Each reader fills in the references between the parts (ARNs). */
export interface EventPath {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly deadLetterQueue: QueueDescription;
  readonly queue: QueueDescription;
  /** Receives of one message before SQS moves it to the dead-letter queue. */
  readonly maxReceiveCount: number;
  readonly rule: { readonly name: string; readonly description: string; readonly pattern: Pattern };
  readonly target: {
    readonly id: string;
    readonly maximumEventAgeSeconds: number;
    readonly maximumRetryAttempts: number;
  };
  /** Id of the statement that lets the rule write to a queue. */
  readonly statementId: string;
}

/** The detail types that our table knows; the rule matches these, and those that rules of the file use. */
export const knownDetailTypes: readonly string[] = Object.keys(ivsEvents);

/** Names that AWS accepts. SQS: 80 letters, digits, hyphens, underscores; EventBridge: 64, and dots as well. */
export const setupNamePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$/;

/** The default names of a setup. */
export function defaultNames(name: string): EventPathNames {
  return { name, queue: `${name}-events`, deadLetterQueue: `${name}-dead-letters`, rule: `${name}-events` };
}

/**
 * The whole description; `newer` are detail types beyond our table. The queue is a standard one: IVS sends in no order, and the daemon
 * orders by event time itself.
 */
export function describeEventPath(names: EventPathNames, newer: readonly unknown[] = []): EventPath {
  return {
    name: names.name,
    tags: { [ownerTag]: names.name },
    deadLetterQueue: {
      name: names.deadLetterQueue,
      attributes: { MessageRetentionPeriod: String(14 * 86_400), SqsManagedSseEnabled: 'true' },
    },
    queue: {
      name: names.queue,
      attributes: {
        MessageRetentionPeriod: String(4 * 86_400),
        ReceiveMessageWaitTimeSeconds: '20',
        VisibilityTimeout: '60',
        SqsManagedSseEnabled: 'true',
      },
    },
    maxReceiveCount: 5,
    rule: {
      name: names.rule,
      description: `IVS events for ivs-autopilot (${names.name})`,
      pattern: { source: ['aws.ivs'], 'detail-type': [...knownDetailTypes, ...newer] },
    },
    target: { id: 'queue', maximumEventAgeSeconds: 86_400, maximumRetryAttempts: 185 },
    statementId: 'IvsAutopilotRule',
  };
}

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

/**
 * Lets one rule, and nobody else, write to a queue; PutTargets does not add this.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
 */
export function ruleMayWrite(statementId: string, queueArn: unknown, ruleArn: unknown): PolicyStatement {
  return {
    Sid: statementId,
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: queueArn,
    Condition: { ArnEquals: { 'aws:SourceArn': ruleArn } },
  };
}

/** The queue's policy with our statement in it; statements of others stay. */
export function withStatement(policy: PolicyDocument | undefined, statement: PolicyStatement): PolicyDocument {
  const others = (policy?.Statement ?? []).filter(({ Sid }) => Sid !== statement.Sid);
  return { Version: '2012-10-17', Statement: [...others, statement] };
}
