// The event path as text for people who manage their infrastructure with CloudFormation or Terraform, from the same description.
import { stringify } from 'yaml';
import { type EventPath, type PolicyStatement, ruleMayWrite } from './event-path.ts';

export type TemplateLanguage = 'cloudformation' | 'terraform';

/** The central account of an organisation: all its accounts may send to this bus, and the rule is there. */
export interface CentralBus {
  /** Name of the bus. */
  readonly name: string;
  /** Id of the organisation. */
  readonly organization: string;
}

/**
 * The setup as a template: YAML for CloudFormation, HCL for Terraform's aws provider, version 5 or newer.
 * @param bus the rule is on its own bus, to which other accounts forward; undefined: on the account's default bus
 */
export function printEventPath(path: EventPath, language: TemplateLanguage, bus?: CentralBus): string {
  return language === 'cloudformation' ? cloudFormation(path, bus) : terraform(path, bus);
}

/** The template for a member account: a rule that forwards to the bus of this ARN, and the role that it uses. */
export function printForwarding(path: EventPath, language: TemplateLanguage, busArn: string): string {
  return language === 'cloudformation' ? cloudFormationForwarding(path, busArn) : terraformForwarding(path, busArn);
}

/** Lets every account of an organisation send events to a bus. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html */
function organizationMaySend(busArn: unknown, organization: string): PolicyStatement {
  return {
    Sid: 'IvsAutopilotOrganization',
    Effect: 'Allow',
    Principal: '*',
    Action: 'events:PutEvents',
    Resource: busArn,
    Condition: { StringEquals: { 'aws:PrincipalOrgID': organization } },
  };
}

/**
 * Rules of this account may assume the role. An organisation's bus requires one:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
 */
function rulesMayAssume(accountId: unknown) {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'aws:SourceAccount': accountId } },
      },
    ],
  };
}

function maySendTo(busArn: string) {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'events:PutEvents', Resource: busArn }] };
}

/** The role has no fixed name, so that one template works in every Region of an account. */
function cloudFormationForwarding(path: EventPath, busArn: string): string {
  const Tags = Object.entries(path.tags).map(([Key, Value]) => ({ Key, Value }));
  return asTemplate({
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `IVS events for ivs-autopilot (${path.name}): forwarded to ${busArn}`,
    Resources: {
      ForwardRole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: rulesMayAssume({ Ref: 'AWS::AccountId' }),
          Policies: [{ PolicyName: 'forward', PolicyDocument: maySendTo(busArn) }],
          Tags,
        },
      },
      ForwardRule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          Name: path.rule.name,
          Description: path.rule.description,
          State: 'ENABLED',
          EventPattern: path.rule.pattern,
          Targets: [
            {
              Id: 'bus',
              Arn: busArn,
              RoleArn: arnOf('ForwardRole'),
              RetryPolicy: {
                MaximumEventAgeInSeconds: path.target.maximumEventAgeSeconds,
                MaximumRetryAttempts: path.target.maximumRetryAttempts,
              },
            },
          ],
          Tags,
        },
      },
    },
  });
}

function terraformForwarding(path: EventPath, busArn: string): string {
  const reference = (text: string) => new Expression(text);
  const json = (value: unknown) => new Expression(`jsonencode(${hcl(value, 1)})`);
  return [
    'data "aws_caller_identity" "this" {}\n',
    block('resource "aws_iam_role" "forward"', {
      assume_role_policy: json(rulesMayAssume(reference('data.aws_caller_identity.this.account_id'))),
      tags: path.tags,
    }),
    block('resource "aws_iam_role_policy" "forward"', {
      role: reference('aws_iam_role.forward.id'),
      policy: json(maySendTo(busArn)),
    }),
    block('resource "aws_cloudwatch_event_rule" "forward"', {
      name: path.rule.name,
      description: path.rule.description,
      state: 'ENABLED',
      event_pattern: json(path.rule.pattern),
      tags: path.tags,
    }),
    [
      'resource "aws_cloudwatch_event_target" "bus" {',
      '  rule      = aws_cloudwatch_event_rule.forward.name',
      '  target_id = "bus"',
      `  arn       = ${JSON.stringify(busArn)}`,
      '  role_arn  = aws_iam_role.forward.arn',
      '',
      '  retry_policy {',
      `    maximum_event_age_in_seconds = ${path.target.maximumEventAgeSeconds}`,
      `    maximum_retry_attempts       = ${path.target.maximumRetryAttempts}`,
      '  }',
      '}',
      '',
    ].join('\n'),
  ].join('\n');
}

/** CloudFormation's YAML does not support aliases, which would appear if the same object were in two places. */
function asTemplate(document: object): string {
  return stringify(document, { aliasDuplicateObjects: false });
}

function arnOf(resource: string): unknown {
  return { 'Fn::GetAtt': [resource, 'Arn'] };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html */
function cloudFormation(path: EventPath, bus: CentralBus | undefined): string {
  const Tags = Object.entries(path.tags).map(([Key, Value]) => ({ Key, Value }));
  const { Sid: StatementId, ...mayInOrganization } = organizationMaySend(arnOf('EventBus'), bus?.organization ?? '');
  const queue = (wanted: EventPath['queue'], more: Record<string, unknown> = {}) => ({
    Type: 'AWS::SQS::Queue',
    Properties: { QueueName: wanted.name, ...typed(wanted.attributes), ...more, Tags },
  });
  const policy = (resource: string) => ({
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: resource }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [ruleMayWrite(path.statementId, arnOf(resource), arnOf('EventRule'))],
      },
    },
  });
  return asTemplate({
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `IVS events for ivs-autopilot (${path.name}): rule, queue and dead-letter queue`,
    Resources: {
      ...(bus === undefined
        ? {}
        : {
            EventBus: { Type: 'AWS::Events::EventBus', Properties: { Name: bus.name, Tags } },
            EventBusPolicy: {
              Type: 'AWS::Events::EventBusPolicy',
              Properties: {
                EventBusName: { Ref: 'EventBus' },
                StatementId,
                Statement: mayInOrganization,
              },
            },
          }),
      DeadLetterQueue: queue(path.deadLetterQueue),
      EventQueue: queue(path.queue, {
        RedrivePolicy: { deadLetterTargetArn: arnOf('DeadLetterQueue'), maxReceiveCount: path.maxReceiveCount },
      }),
      EventRule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          Name: path.rule.name,
          Description: path.rule.description,
          ...(bus === undefined ? {} : { EventBusName: { Ref: 'EventBus' } }),
          State: 'ENABLED',
          EventPattern: path.rule.pattern,
          Targets: [
            {
              Id: path.target.id,
              Arn: arnOf('EventQueue'),
              DeadLetterConfig: { Arn: arnOf('DeadLetterQueue') },
              RetryPolicy: {
                MaximumEventAgeInSeconds: path.target.maximumEventAgeSeconds,
                MaximumRetryAttempts: path.target.maximumRetryAttempts,
              },
            },
          ],
          Tags,
        },
      },
      EventQueuePolicy: policy('EventQueue'),
      DeadLetterQueuePolicy: policy('DeadLetterQueue'),
    },
    Outputs: {
      QueueUrl: { Description: 'AUTOPILOT_QUEUE_URL of the daemon', Value: { Ref: 'EventQueue' } },
      QueueArn: { Value: arnOf('EventQueue') },
      RuleArn: { Value: arnOf('EventRule') },
      ...(bus === undefined
        ? {}
        : { BusArn: { Description: '--to-bus of the other accounts', Value: arnOf('EventBus') } }),
    },
  });
}

/** CloudFormation expects numbers and booleans where SQS's API expects text. */
function typed(attributes: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key, value === 'true' ? true : Number(value)]),
  );
}

/** Names of SQS attributes in the aws provider. https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/sqs_queue */
const terraformNames: Readonly<Record<string, string>> = {
  MessageRetentionPeriod: 'message_retention_seconds',
  ReceiveMessageWaitTimeSeconds: 'receive_wait_time_seconds',
  VisibilityTimeout: 'visibility_timeout_seconds',
  SqsManagedSseEnabled: 'sqs_managed_sse_enabled',
};

/** Text that is printed without quotes: a reference to another resource, or a call. */
class Expression {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function terraform(path: EventPath, bus: CentralBus | undefined): string {
  const reference = (text: string) => new Expression(text);
  const queue = (label: string, wanted: EventPath['queue'], more: Record<string, unknown> = {}) =>
    block(`resource "aws_sqs_queue" "${label}"`, {
      name: wanted.name,
      ...Object.fromEntries(
        Object.entries(typed(wanted.attributes)).map(([key, value]) => [terraformNames[key] ?? key, value]),
      ),
      ...more,
      tags: path.tags,
    });
  const policy = (label: string) =>
    block(`resource "aws_sqs_queue_policy" "${label}"`, {
      queue_url: reference(`aws_sqs_queue.${label}.url`),
      policy: new Expression(
        `jsonencode(${hcl(
          {
            Version: '2012-10-17',
            Statement: [
              ruleMayWrite(
                path.statementId,
                reference(`aws_sqs_queue.${label}.arn`),
                reference('aws_cloudwatch_event_rule.events.arn'),
              ),
            ],
          },
          1,
        )})`,
      ),
    });
  const onBus = bus === undefined ? {} : { event_bus_name: reference('aws_cloudwatch_event_bus.events.name') };
  return [
    ...(bus === undefined
      ? []
      : [
          block('resource "aws_cloudwatch_event_bus" "events"', { name: bus.name, tags: path.tags }),
          block('resource "aws_cloudwatch_event_bus_policy" "events"', {
            ...onBus,
            policy: new Expression(
              `jsonencode(${hcl({ Version: '2012-10-17', Statement: [organizationMaySend(reference('aws_cloudwatch_event_bus.events.arn'), bus.organization)] }, 1)})`,
            ),
          }),
        ]),
    queue('dead_letters', path.deadLetterQueue),
    queue('events', path.queue, {
      redrive_policy: new Expression(
        `jsonencode(${hcl({ deadLetterTargetArn: reference('aws_sqs_queue.dead_letters.arn'), maxReceiveCount: path.maxReceiveCount }, 1)})`,
      ),
    }),
    block('resource "aws_cloudwatch_event_rule" "events"', {
      ...onBus,
      name: path.rule.name,
      description: path.rule.description,
      state: 'ENABLED',
      event_pattern: new Expression(`jsonencode(${hcl(path.rule.pattern, 1)})`),
      tags: path.tags,
    }),
    [
      'resource "aws_cloudwatch_event_target" "queue" {',
      ...(bus === undefined ? [] : ['  event_bus_name = aws_cloudwatch_event_bus.events.name']),
      '  rule      = aws_cloudwatch_event_rule.events.name',
      `  target_id = ${hcl(path.target.id)}`,
      '  arn       = aws_sqs_queue.events.arn',
      '',
      '  dead_letter_config {',
      '    arn = aws_sqs_queue.dead_letters.arn',
      '  }',
      '',
      '  retry_policy {',
      `    maximum_event_age_in_seconds = ${path.target.maximumEventAgeSeconds}`,
      `    maximum_retry_attempts       = ${path.target.maximumRetryAttempts}`,
      '  }',
      '',
      '  # The permission must exist before the first event is sent.',
      '  depends_on = [aws_sqs_queue_policy.events, aws_sqs_queue_policy.dead_letters]',
      '}',
      '',
    ].join('\n'),
    policy('events'),
    policy('dead_letters'),
    block('output "queue_url"', { value: reference('aws_sqs_queue.events.url') }),
    ...(bus === undefined
      ? []
      : [block('output "bus_arn"', { value: reference('aws_cloudwatch_event_bus.events.arn') })]),
  ].join('\n');
}

function block(head: string, body: Record<string, unknown>): string {
  const lines = Object.entries(body).map(([key, value]) => `  ${key} = ${hcl(value, 1)}`);
  return [`${head} {`, ...lines, '}', ''].join('\n');
}

/** A value in HCL. https://developer.hashicorp.com/terraform/language/expressions/types */
function hcl(value: unknown, depth = 0): string {
  if (value instanceof Expression) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => hcl(item, depth)).join(', ')}]`;
  if (value && typeof value === 'object') {
    const pad = '  '.repeat(depth + 1);
    const lines = Object.entries(value).map(([key, part]) => `${pad}${hclKey(key)} = ${hcl(part, depth + 1)}`);
    return `{\n${lines.join('\n')}\n${'  '.repeat(depth)}}`;
  }
  // A dollar or percent sign before a brace would begin a template.
  return JSON.stringify(value).replaceAll('${', '$${').replaceAll('%{', '%%{');
}

function hclKey(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : JSON.stringify(key);
}
