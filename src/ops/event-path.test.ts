import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { defaultNames, describeEventPath, ruleMayWrite, withStatement } from './event-path.ts';
import {
  type ActualEventPath,
  canonical,
  changesAnything,
  parsePolicy,
  planEventPath,
  planRemoval,
} from './event-path-plan.ts';
import { printEventPath, printForwarding } from './event-path-print.ts';

const wanted = describeEventPath(defaultNames('show'));
const nothing: ActualEventPath = { deadLetterQueue: undefined, queue: undefined, rule: undefined };
const arns = {
  queue: 'arn:aws:sqs:us-west-2:111122223333:show-events',
  deadLetters: 'arn:aws:sqs:us-west-2:111122223333:show-dead-letters',
  rule: 'arn:aws:events:us-west-2:111122223333:rule/show-events',
};

/** AWS after a complete setup, with a redrive policy as SQS writes it. */
function complete(): {
  deadLetterQueue: NonNullable<ActualEventPath['queue']>;
  queue: NonNullable<ActualEventPath['queue']>;
  rule: NonNullable<ActualEventPath['rule']>;
} {
  const policy = (arn: string) =>
    JSON.stringify(withStatement(undefined, ruleMayWrite(wanted.statementId, arn, arns.rule)));
  return {
    deadLetterQueue: {
      url: 'https://sqs/show-dead-letters',
      arn: arns.deadLetters,
      attributes: { ...wanted.deadLetterQueue.attributes, Policy: policy(arns.deadLetters) },
      tags: wanted.tags,
    },
    queue: {
      url: 'https://sqs/show-events',
      arn: arns.queue,
      attributes: {
        ...wanted.queue.attributes,
        RedrivePolicy: `{"maxReceiveCount":"5", "deadLetterTargetArn":"${arns.deadLetters}"}`,
        Policy: policy(arns.queue),
      },
      tags: wanted.tags,
    },
    rule: {
      arn: arns.rule,
      pattern: { 'detail-type': [...(wanted.rule.pattern['detail-type'] as string[])], source: ['aws.ivs'] },
      description: wanted.rule.description,
      enabled: true,
      tags: wanted.tags,
      targets: [
        {
          id: wanted.target.id,
          arn: arns.queue,
          deadLetterArn: arns.deadLetters,
          maximumEventAgeSeconds: wanted.target.maximumEventAgeSeconds,
          maximumRetryAttempts: wanted.target.maximumRetryAttempts,
          extras: [],
        },
      ],
    },
  };
}

describe('the plan of the event path', () => {
  it('creates everything in an empty account', () => {
    const plan = planEventPath(wanted, nothing, { adopt: false });

    expect(plan.map(({ part, kind }) => `${kind} ${part}`)).toEqual([
      'create dead-letter queue',
      'create queue',
      'create rule',
      'create queue policy',
      'create dead-letter policy',
      'create target',
    ]);
  });

  it('changes nothing if everything exists, however AWS formats it', () => {
    const plan = planEventPath(wanted, complete(), { adopt: false });

    expect(plan.filter(({ kind }) => kind !== 'unchanged')).toEqual([]);
    expect(changesAnything(plan)).toBe(false);
  });

  it('names each field that was changed by hand, with both values', () => {
    const actual = complete();
    const changed = {
      ...actual,
      queue: { ...actual.queue, attributes: { ...actual.queue.attributes, VisibilityTimeout: '5' } },
      rule: { ...actual.rule, enabled: false, targets: [{ ...actual.rule.targets[0]!, extras: ['InputPath'] }] },
    };

    const plan = planEventPath(wanted, changed, { adopt: false }).filter(({ kind }) => kind !== 'unchanged');

    expect(plan).toEqual([
      {
        part: 'queue',
        name: 'show-events',
        kind: 'update',
        fields: [{ field: 'VisibilityTimeout', from: '5', to: '60' }],
      },
      {
        part: 'rule',
        name: 'show-events',
        kind: 'update',
        fields: [{ field: 'State', from: 'DISABLED', to: 'ENABLED' }],
      },
      { part: 'target', name: 'queue', kind: 'update', fields: [{ field: 'InputPath', from: 'set', to: undefined }] },
    ]);
  });

  it('does not touch a queue of the same name that others created, unless it is to be adopted', () => {
    const actual = complete();
    const others = { ...actual, queue: { ...actual.queue, tags: { team: 'video' } } };

    expect(planEventPath(wanted, others, { adopt: false }).find(({ part }) => part === 'queue')?.kind).toBe('foreign');
    expect(planEventPath(wanted, others, { adopt: true }).find(({ part }) => part === 'queue')).toMatchObject({
      kind: 'update',
      fields: [{ field: 'tag ivs-autopilot', from: undefined, to: 'show' }],
    });
  });

  it('keeps statements of others in the queue policy', () => {
    const theirs = { Sid: 'Backup', Effect: 'Allow', Action: 'sqs:ReceiveMessage', Resource: arns.queue } as const;
    const before = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: theirs }));

    const after = withStatement(before, ruleMayWrite(wanted.statementId, arns.queue, arns.rule));

    expect(after.Statement.map(({ Sid }) => Sid)).toEqual(['Backup', wanted.statementId]);
  });

  it('removes only what has its tag, and keeps a rule that has targets of others', () => {
    const actual = complete();
    const mixed: ActualEventPath = {
      queue: { ...actual.queue, tags: {} },
      deadLetterQueue: actual.deadLetterQueue,
      rule: { ...actual.rule, targets: [...actual.rule.targets, { ...actual.rule.targets[0]!, id: 'lambda' }] },
    };

    expect(planRemoval(wanted, mixed).map(({ part, kind }) => `${kind} ${part}`)).toEqual([
      'delete target',
      'keep rule',
      'foreign queue',
      'delete dead-letter queue',
    ]);
    expect(planRemoval(wanted, nothing)).toEqual([]);
  });
});

describe('the printed templates', () => {
  it('describe in CloudFormation what the calls would do', () => {
    const template = parse(printEventPath(wanted, 'cloudformation')) as {
      Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
    };

    const { EventQueue, EventRule, EventQueuePolicy } = template.Resources;
    expect(EventQueue?.Properties).toMatchObject({
      QueueName: 'show-events',
      VisibilityTimeout: 60,
      SqsManagedSseEnabled: true,
      RedrivePolicy: { maxReceiveCount: 5 },
      Tags: [{ Key: 'ivs-autopilot', Value: 'show' }],
    });
    expect(EventRule?.Properties).toMatchObject({ EventPattern: wanted.rule.pattern, State: 'ENABLED' });
    expect(EventQueuePolicy?.Type).toBe('AWS::SQS::QueuePolicy');
  });

  it('describe the same in Terraform, with balanced braces and no stray template', () => {
    const text = printEventPath(describeEventPath({ ...defaultNames('show'), rule: 'r' }), 'terraform');

    expect(text.split('{').length).toBe(text.split('}').length);
    expect(text).toContain('"IVS Recording State Change"');
    expect(text).toContain('"ivs-autopilot" = "show"');
    expect(text).toContain('visibility_timeout_seconds = 60');
    for (const [reference] of text.matchAll(/aws_[a-z_]+\.[a-z_]+(?=\.)/g)) {
      const [type, label] = reference.split('.');
      expect(text).toContain(`resource "${type}" "${label}"`);
    }
  });

  it('contain no YAML alias, which CloudFormation does not support', () => {
    for (const text of [printEventPath(wanted, 'cloudformation'), printForwarding(wanted, 'cloudformation', 'arn:x')])
      expect(text).not.toMatch(/[:-] [&*]/);
  });

  const bus = { name: 'show-events', organization: 'o-a1b2c3d4e5' };
  const busArn = 'arn:aws:events:us-west-2:999988887777:event-bus/show-events';

  it('contain the bus of an organisation in the central account, and its rule on that bus', () => {
    const { Resources, Outputs } = parse(printEventPath(wanted, 'cloudformation', bus));

    expect(Resources.EventBus.Properties.Name).toBe('show-events');
    expect(Resources.EventBusPolicy.Properties.Statement).toEqual({
      Effect: 'Allow',
      Principal: '*',
      Action: 'events:PutEvents',
      Resource: { 'Fn::GetAtt': ['EventBus', 'Arn'] },
      Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } },
    });
    expect(Resources.EventRule.Properties.EventBusName).toEqual({ Ref: 'EventBus' });
    expect(Outputs.BusArn.Value).toEqual({ 'Fn::GetAtt': ['EventBus', 'Arn'] });
    const usual = parse(printEventPath(wanted, 'cloudformation')).Resources;
    expect(Object.keys(Resources)).toEqual(['EventBus', 'EventBusPolicy', ...Object.keys(usual)]);
  });

  it('contain a rule for each other account that forwards to the bus, with a role that may do nothing else', () => {
    const { Resources } = parse(printForwarding(wanted, 'cloudformation', busArn));
    const { ForwardRole, ForwardRule } = Resources;

    expect(Object.keys(Resources)).toEqual(['ForwardRole', 'ForwardRule']);
    expect(ForwardRole.Properties.Policies[0].PolicyDocument.Statement).toEqual([
      { Effect: 'Allow', Action: 'events:PutEvents', Resource: busArn },
    ]);
    expect(ForwardRole.Properties.AssumeRolePolicyDocument.Statement[0].Condition).toEqual({
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    });
    expect(ForwardRule.Properties.EventPattern).toEqual(wanted.rule.pattern);
    expect(ForwardRule.Properties.Targets).toMatchObject([
      { Arn: busArn, RoleArn: { 'Fn::GetAtt': ['ForwardRole', 'Arn'] } },
    ]);
  });

  it.each([
    [
      'the central account',
      printEventPath(wanted, 'terraform', bus),
      'event_bus_name = aws_cloudwatch_event_bus.events.name',
    ],
    ['each other account', printForwarding(wanted, 'terraform', busArn), 'role_arn  = aws_iam_role.forward.arn'],
  ])('describe the same in Terraform for %s', (_, text, line) => {
    expect(text).toContain(line);
    expect(text.split('{').length).toBe(text.split('}').length);
    for (const [reference] of text.matchAll(/aws_[a-z_]+\.[a-z_]+(?=\.)/g)) {
      const [type, label] = reference.split('.');
      expect(text).toMatch(new RegExp(`(?:resource|data) "${type}" "${label}"`));
    }
  });

  it('compare documents regardless of the order of their keys', () => {
    expect(canonical({ b: 1, a: [{ d: 1, c: 2 }] })).toBe('{"a":[{"c":2,"d":1}],"b":1}');
  });
});
