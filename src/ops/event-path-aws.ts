// Reads the event path from AWS and changes it to match its description, call by call. event-path-plan.ts determines the differences.
// Nothing else imports the EventBridge client's control plane.
import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  EventBridgeClient,
  ListTagsForResourceCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  TagResourceCommand,
  type Target,
} from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueueTagsCommand,
  SetQueueAttributesCommand,
  SQSClient,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import type { AwsCredentialIdentityProvider } from '@aws-sdk/types';
import { AppError } from '#domain/errors.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import { type AwsTrouble, explainAwsFailure } from './aws-failure.ts';
import { type EventPath, type QueueDescription, ruleMayWrite, withStatement } from './event-path.ts';
import {
  type ActualEventPath,
  type ActualQueue,
  type ActualRule,
  type ActualTarget,
  type Change,
  type PartName,
  parsePolicy,
  planEventPath,
  planRemoval,
} from './event-path-plan.ts';

export interface EventPathClients {
  readonly sqs: SQSClient;
  readonly eventBridge: EventBridgeClient;
}

/** Where, and with which identity; without credentials, as the SDK finds them. */
export interface EventPathAccess {
  readonly region: string;
  readonly credentials?: AwsCredentialIdentityProvider | undefined;
}

/** Clients by the SDK's own environment (AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL_EVENTBRIDGE; and credentials unless given). */
export function eventPathClients({ region, credentials }: EventPathAccess): EventPathClients & Disposable {
  const bounds = { requestTimeoutMs: 10_000 };
  const sqs = createAwsClient(SQSClient, { region, credentials, useQueueUrlAsEndpoint: false }, bounds);
  const eventBridge = createAwsClient(EventBridgeClient, { region, credentials }, bounds);
  return {
    sqs,
    eventBridge,
    [Symbol.dispose]() {
      sqs.destroy();
      eventBridge.destroy();
    },
  };
}

/** What AWS has under the names of the description. */
export async function readEventPath(clients: EventPathClients, wanted: EventPath): Promise<ActualEventPath> {
  const [deadLetterQueue, queue, rule] = await Promise.all([
    readQueue(clients.sqs, wanted.deadLetterQueue.name),
    readQueue(clients.sqs, wanted.queue.name),
    readRule(clients.eventBridge, wanted.rule.name),
  ]);
  return { deadLetterQueue, queue, rule };
}

export interface Applied {
  readonly changes: readonly Change[];
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly ruleArn: string;
}

/**
 * Creates what is missing and corrects what differs; safe to repeat after any failure.
 * @throws AppError SETUP_FOREIGN if a resource with one of the names does not have our tag; nothing is changed then
 */
export async function applyEventPath(
  clients: EventPathClients,
  wanted: EventPath,
  { adopt }: { adopt: boolean },
): Promise<Applied> {
  const before = await readEventPath(clients, wanted);
  const changes = planEventPath(wanted, before, { adopt });
  refuseForeign(changes);
  const kinds = new Map<PartName, Change['kind']>(changes.map(({ part, kind }) => [part, kind]));
  const { sqs, eventBridge } = clients;

  const deadLetter = await bringQueue(
    sqs,
    wanted.deadLetterQueue,
    wanted.tags,
    before.deadLetterQueue,
    kinds.get('dead-letter queue'),
  );
  const redrive = JSON.stringify({ deadLetterTargetArn: deadLetter.arn, maxReceiveCount: wanted.maxReceiveCount });
  const queueDescription = { ...wanted.queue, attributes: { ...wanted.queue.attributes, RedrivePolicy: redrive } };
  const queue = await bringQueue(sqs, queueDescription, wanted.tags, before.queue, kinds.get('queue'));
  const ruleArn = await bringRule(eventBridge, wanted, before.rule, kinds.get('rule'));
  // The permission must exist before the target does, because an event that EventBridge may not deliver is not retried.
  for (const [part, at] of [
    ['queue policy', queue],
    ['dead-letter policy', deadLetter],
  ] as const) {
    if (kinds.get(part) === 'unchanged') continue;
    const Policy = JSON.stringify(
      withStatement(parsePolicy(at.attributes['Policy']), ruleMayWrite(wanted.statementId, at.arn, ruleArn)),
    );
    await allowed('sqs:SetQueueAttributes', at.arn, () =>
      sqs.send(new SetQueueAttributesCommand({ QueueUrl: at.url, Attributes: { Policy } })),
    );
  }
  if (kinds.get('target') !== 'unchanged') {
    const target: Target = {
      Id: wanted.target.id,
      Arn: queue.arn,
      DeadLetterConfig: { Arn: deadLetter.arn },
      RetryPolicy: {
        MaximumEventAgeInSeconds: wanted.target.maximumEventAgeSeconds,
        MaximumRetryAttempts: wanted.target.maximumRetryAttempts,
      },
    };
    const answer = await allowed('events:PutTargets', ruleArn, () =>
      eventBridge.send(new PutTargetsCommand({ Rule: wanted.rule.name, Targets: [target] })),
    );
    refuseFailed('events:PutTargets', answer.FailedEntries);
  }
  return { changes, queueUrl: queue.url, queueArn: queue.arn, ruleArn };
}

/** Removes what has the tag of the setup, leaves everything else, and names it. */
export async function removeEventPath(clients: EventPathClients, wanted: EventPath): Promise<readonly Change[]> {
  const before = await readEventPath(clients, wanted);
  const changes = planRemoval(wanted, before);
  const { sqs, eventBridge } = clients;
  for (const { part, kind } of changes) {
    if (kind !== 'delete') continue;
    if (part === 'target') {
      const answer = await allowed('events:RemoveTargets', before.rule?.arn ?? wanted.rule.name, () =>
        eventBridge.send(new RemoveTargetsCommand({ Rule: wanted.rule.name, Ids: [wanted.target.id] })),
      );
      refuseFailed('events:RemoveTargets', answer.FailedEntries);
    }
    if (part === 'rule')
      await allowed('events:DeleteRule', before.rule?.arn ?? wanted.rule.name, () =>
        eventBridge.send(new DeleteRuleCommand({ Name: wanted.rule.name })),
      );
    const queue = part === 'queue' ? before.queue : part === 'dead-letter queue' ? before.deadLetterQueue : undefined;
    if (queue)
      await allowed('sqs:DeleteQueue', queue.arn, () => sqs.send(new DeleteQueueCommand({ QueueUrl: queue.url })));
  }
  return changes;
}

/** One queue by its name, or undefined if it does not exist. */
async function readQueue(sqs: SQSClient, name: string): Promise<ActualQueue | undefined> {
  const found = await orMissing(() =>
    allowed('sqs:GetQueueUrl', name, () => sqs.send(new GetQueueUrlCommand({ QueueName: name }))),
  );
  if (!found?.QueueUrl) return undefined;
  const url = found.QueueUrl;
  const [attributes, tags] = await Promise.all([
    allowed('sqs:GetQueueAttributes', name, () =>
      sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] })),
    ),
    allowed('sqs:ListQueueTags', name, () => sqs.send(new ListQueueTagsCommand({ QueueUrl: url }))),
  ]);
  const values: Record<string, string> = attributes.Attributes ?? {};
  return { url, arn: values['QueueArn'] ?? '', attributes: values, tags: tags.Tags ?? {} };
}

async function readRule(eventBridge: EventBridgeClient, name: string): Promise<ActualRule | undefined> {
  const rule = await orMissing(() =>
    allowed('events:DescribeRule', name, () => eventBridge.send(new DescribeRuleCommand({ Name: name }))),
  );
  if (!rule?.Arn) return undefined;
  const arn = rule.Arn;
  const [targets, tags] = await Promise.all([
    allowed('events:ListTargetsByRule', arn, () => eventBridge.send(new ListTargetsByRuleCommand({ Rule: name }))),
    allowed('events:ListTagsForResource', arn, () =>
      eventBridge.send(new ListTagsForResourceCommand({ ResourceARN: arn })),
    ),
  ]);
  return {
    arn,
    pattern: rule.EventPattern ? (JSON.parse(rule.EventPattern) as unknown) : undefined,
    description: rule.Description,
    enabled: rule.State !== 'DISABLED',
    tags: Object.fromEntries((tags.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
    targets: (targets.Targets ?? []).map(asActualTarget),
  };
}

function asActualTarget({ Id, Arn, DeadLetterConfig, RetryPolicy, ...rest }: Target): ActualTarget {
  return {
    id: Id ?? '',
    arn: Arn ?? '',
    deadLetterArn: DeadLetterConfig?.Arn,
    maximumEventAgeSeconds: RetryPolicy?.MaximumEventAgeInSeconds,
    maximumRetryAttempts: RetryPolicy?.MaximumRetryAttempts,
    extras: Object.entries(rest)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([key]) => key),
  };
}

async function bringQueue(
  sqs: SQSClient,
  wanted: QueueDescription,
  tags: Readonly<Record<string, string>>,
  actual: ActualQueue | undefined,
  kind: Change['kind'] | undefined,
): Promise<ActualQueue> {
  if (actual && kind === 'unchanged') return actual;
  if (actual) {
    await allowed('sqs:SetQueueAttributes', actual.arn, () =>
      sqs.send(new SetQueueAttributesCommand({ QueueUrl: actual.url, Attributes: { ...wanted.attributes } })),
    );
    await allowed('sqs:TagQueue', actual.arn, () =>
      sqs.send(new TagQueueCommand({ QueueUrl: actual.url, Tags: { ...tags } })),
    );
    return actual;
  }
  await allowed('sqs:CreateQueue', wanted.name, () =>
    sqs.send(
      new CreateQueueCommand({ QueueName: wanted.name, Attributes: { ...wanted.attributes }, tags: { ...tags } }),
    ),
  );
  const made = await readQueue(sqs, wanted.name);
  if (!made)
    throw new AppError('SETUP_FAILED', `queue ${wanted.name} was created but cannot be found: run bootstrap again`);
  return made;
}

async function bringRule(
  eventBridge: EventBridgeClient,
  wanted: EventPath,
  actual: ActualRule | undefined,
  kind: Change['kind'] | undefined,
): Promise<string> {
  if (actual && kind === 'unchanged') return actual.arn;
  const Tags = Object.entries(wanted.tags).map(([Key, Value]) => ({ Key, Value }));
  // PutRule replaces the whole rule, but accepts tags only for a new one.
  const answer = await allowed('events:PutRule', wanted.rule.name, () =>
    eventBridge.send(
      new PutRuleCommand({
        Name: wanted.rule.name,
        Description: wanted.rule.description,
        EventPattern: JSON.stringify(wanted.rule.pattern),
        State: 'ENABLED',
        ...(actual ? {} : { Tags }),
      }),
    ),
  );
  const arn = answer.RuleArn ?? actual?.arn ?? '';
  if (actual)
    await allowed('events:TagResource', arn, () =>
      eventBridge.send(new TagResourceCommand({ ResourceARN: arn, Tags })),
    );
  return arn;
}

function refuseForeign(changes: readonly Change[]): void {
  const foreign = changes.filter(({ kind }) => kind === 'foreign');
  if (foreign.length === 0) return;
  const list = foreign.map(({ part, name }) => `${part} ${name}`).join(', ');
  throw new AppError(
    'SETUP_FOREIGN',
    `${list}: already exists and was not created by bootstrap. Choose another --name, or take it over with --adopt.`,
  );
}

function refuseFailed(
  action: string,
  entries:
    | readonly { TargetId?: string | undefined; ErrorCode?: string | undefined; ErrorMessage?: string | undefined }[]
    | undefined,
): void {
  if (!entries?.length) return;
  const reasons = entries.map(({ TargetId, ErrorCode, ErrorMessage }) => `${TargetId}: ${ErrorCode} ${ErrorMessage}`);
  throw new AppError('SETUP_FAILED', `${action} was refused: ${reasons.join('; ')}`);
}

const missing = new Set(['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue', 'ResourceNotFoundException']);
async function orMissing<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    const cause = error instanceof AppError ? error.cause : error;
    if (cause instanceof Error && missing.has(cause.name)) return undefined;
    throw error;
  }
}

/** Makes a call, and turns a refusal by AWS or the network into a sentence that names it. */
async function allowed<T>(action: string, resource: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const { kind, text, todo } = explainAwsFailure(error, { action });
    if (kind === 'denied')
      throw new AppError('SETUP_DENIED', `not allowed: ${action} on ${resource}`, { cause: error });
    const code = noAccess.has(kind) ? 'SETUP_DENIED' : 'SETUP_FAILED';
    throw new AppError(code, `${action} on ${resource}: ${text}. ${todo}${withoutCalls(kind)}`, { cause: error });
  }
}

const noAccess: ReadonlySet<AwsTrouble> = new Set(['no_credentials', 'expired', 'credentials_refused', 'role_refused']);

const withoutCalls = (kind: AwsTrouble) =>
  kind === 'no_credentials'
    ? ' Without any, `bootstrap --print cloudformation|terraform` prints the same resources.'
    : '';
