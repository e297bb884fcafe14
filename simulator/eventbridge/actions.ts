// The EventBridge operations needed to set up a rule for IVS, on the default bus only.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/

import { ServiceError } from '../errors.ts';
import type { Simulator } from '../parts.ts';
import { type JsonActions, jsonAction } from '../wire/json-action.ts';
import { any, flag, integer, list, oneOf, structure, text } from '../wire/shape.ts';
import { isoSeconds } from '../wire/time.ts';
import type { Rule, Target } from './bus.ts';
import { compilePattern, PatternError } from './pattern.ts';

const MOST_RULES = 300;
const MOST_TARGETS = 5;
const LONGEST_PATTERN = 2048;
const LARGEST_ENTRIES = 256 * 1024;

const ruleName = text({ min: 1, max: 64, pattern: /^[.\-_A-Za-z0-9]+$/ });
const busName = text({ min: 1, max: 1600 });
const tagList = list(structure({ Key: text({ min: 1, max: 128 }), Value: text({ max: 256 }) }, {}));
const onRule = structure({ Name: ruleName }, { EventBusName: busName, Force: flag });
const pageOfRule = { EventBusName: busName, NextToken: text({ min: 1, max: 2048 }), Limit: integer(1, 100) };

const missing = (message: string): ServiceError => new ServiceError('ResourceNotFoundException', message, 400);

function checkBus(name = 'default'): void {
  if (name !== 'default' && !/^arn:aws:events:[^:]*:[^:]*:event-bus\/default$/.test(name)) {
    throw missing(`Event bus ${name} does not exist.`);
  }
}

function findRule({ bus }: Simulator, name: string, busGiven?: string): Rule {
  checkBus(busGiven);
  const rule = bus.rules.get(name);
  if (rule === undefined) throw missing(`Rule ${name} does not exist on EventBus default.`);
  return rule;
}

function findByArn({ bus }: Simulator, arn: string): Rule {
  const rule = bus.rules.get(arn.slice(arn.indexOf(':rule/') + ':rule/'.length));
  if (rule === undefined || rule.arn !== arn) throw missing(`Rule ${arn} does not exist.`);
  return rule;
}

const pairs = (tags: readonly { Key: string; Value: string }[] = []): [string, string][] =>
  tags.map(({ Key, Value }) => [Key, Value]);

/** Pages by offset: the token is where the next one begins. */
function pageOf<T>(items: readonly T[], { NextToken, Limit = 100 }: { NextToken?: string; Limit?: number }) {
  const from = NextToken === undefined ? 0 : Number(Buffer.from(NextToken, 'base64url').toString());
  if (!Number.isInteger(from)) throw new ServiceError('ValidationException', 'Invalid NextToken');
  const more = from + Limit < items.length;
  return {
    page: items.slice(from, from + Limit),
    NextToken: more ? Buffer.from(String(from + Limit)).toString('base64url') : undefined,
  };
}

const ruleView = (rule: Rule) => ({
  Name: rule.name,
  Arn: rule.arn,
  EventPattern: rule.eventPattern,
  ScheduleExpression: rule.scheduleExpression,
  State: rule.state,
  Description: rule.description,
  RoleArn: rule.roleArn,
  EventBusName: 'default',
});

/** The refusal of a pattern, or undefined if it is valid. */
function patternProblem(pattern: string): ServiceError | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return new ServiceError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${error.message}`);
  }
}

const putRule = jsonAction(
  structure(
    { Name: ruleName },
    {
      EventPattern: text({ max: 4096 }),
      ScheduleExpression: text({ max: 256 }),
      State: oneOf('ENABLED', 'DISABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS'),
      Description: text({ max: 512 }),
      RoleArn: text({ min: 1, max: 1600 }),
      EventBusName: busName,
      Tags: tagList,
    },
  ),
  (input, { bus, settings }) => {
    checkBus(input.EventBusName);
    const { EventPattern: pattern, ScheduleExpression: schedule } = input;
    if (pattern === undefined && schedule === undefined) {
      throw new ServiceError(
        'ValidationException',
        'Parameter(s) EventPattern or ScheduleExpression must be specified.',
      );
    }
    if (pattern !== undefined) {
      if (pattern.length > LONGEST_PATTERN) {
        throw new ServiceError('LimitExceededException', `Event pattern is longer than ${LONGEST_PATTERN} characters.`);
      }
      const problem = patternProblem(pattern);
      if (problem !== undefined) throw problem;
    }
    if (!bus.rules.has(input.Name) && bus.rules.size >= MOST_RULES) {
      throw new ServiceError('LimitExceededException', `The requested resource exceeds the maximum number allowed.`);
    }
    const arn = `arn:aws:events:${settings.region}:${settings.accountId}:rule/${input.Name}`;
    const state = input.State === 'DISABLED' ? 'DISABLED' : 'ENABLED';
    bus.put(
      {
        name: input.Name,
        arn,
        eventPattern: pattern,
        scheduleExpression: schedule,
        description: input.Description,
        roleArn: input.RoleArn,
        state,
      },
      new Map(pairs(input.Tags)),
    );
    return { RuleArn: arn };
  },
);

const describeRule = jsonAction(onRule, (input, simulator) => ({
  ...ruleView(findRule(simulator, input.Name, input.EventBusName)),
  CreatedBy: simulator.settings.accountId,
}));

const deleteRule = jsonAction(onRule, (input, { bus }) => {
  checkBus(input.EventBusName);
  if ((bus.rules.get(input.Name)?.targets.size ?? 0) > 0) {
    throw new ServiceError('ValidationException', `Rule can't be deleted since it has targets.`);
  }
  bus.rules.delete(input.Name);
  return undefined;
});

const setState = (state: Rule['state']) =>
  jsonAction(onRule, (input, simulator) => {
    findRule(simulator, input.Name, input.EventBusName).state = state;
    return undefined;
  });

const listRules = jsonAction(structure({}, { NamePrefix: ruleName, ...pageOfRule }), (input, { bus }) => {
  checkBus(input.EventBusName);
  const rules = [...bus.rules.values()].filter(({ name }) => name.startsWith(input.NamePrefix ?? ''));
  const { page, NextToken } = pageOf(rules, input);
  return { Rules: page.map(ruleView), NextToken };
});

const targetShape = structure(
  { Id: text({ min: 1, max: 64, pattern: /^[.\-_A-Za-z0-9]+$/ }), Arn: text({ min: 1, max: 1600 }) },
  {},
);

const putTargets = jsonAction(
  structure({ Rule: ruleName, Targets: list(any, { min: 1, max: 100 }) }, { EventBusName: busName }),
  (input, simulator) => {
    const rule = findRule(simulator, input.Rule, input.EventBusName);
    const targets = input.Targets.map((target, at) => {
      targetShape(target, `targets.${at + 1}.member`);
      return target as Target;
    });
    if (new Set([...rule.targets.keys(), ...targets.map(({ Id }) => Id)]).size > MOST_TARGETS) {
      throw new ServiceError('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');
    }
    const FailedEntries = targets.flatMap((target) => {
      const reason = targetProblem(target);
      if (reason !== undefined)
        return [{ TargetId: target.Id, ErrorCode: 'ValidationException', ErrorMessage: reason }];
      rule.targets.set(target.Id, target);
      return [];
    });
    return { FailedEntryCount: FailedEntries.length, FailedEntries };
  },
);

function targetProblem(target: Target): string | undefined {
  if (!/^arn:aws:sqs:[a-z0-9-]+:\d{12}:[\w.-]+$/.test(target.Arn))
    return `Provided Arn is not that of an SQS queue: ${target.Arn}`;
  return target['InputTransformer'] === undefined
    ? undefined
    : 'InputTransformer is not simulated: use Input or InputPath';
}

const removeTargets = jsonAction(
  structure(
    { Rule: ruleName, Ids: list(text({ min: 1, max: 64 }), { min: 1, max: 100 }) },
    { EventBusName: busName, Force: flag },
  ),
  (input, simulator) => {
    const rule = findRule(simulator, input.Rule, input.EventBusName);
    for (const id of input.Ids) rule.targets.delete(id);
    return { FailedEntryCount: 0, FailedEntries: [] };
  },
);

const listTargetsByRule = jsonAction(structure({ Rule: ruleName }, pageOfRule), (input, simulator) => {
  const rule = findRule(simulator, input.Rule, input.EventBusName);
  const { page, NextToken } = pageOf([...rule.targets.values()], input);
  return { Targets: page, NextToken };
});

const entryShape = structure(
  {},
  {
    Source: text(),
    DetailType: text(),
    Detail: text(),
    Resources: list(text()),
    EventBusName: text(),
    Time: any,
    TraceHeader: text(),
  },
);

const putEvents = jsonAction(structure({ Entries: list(entryShape, { min: 1, max: 10 }) }, {}), (input, simulator) => {
  const size = input.Entries.reduce((sum, { Source = '', DetailType = '', Detail = '', Resources = [], Time }) => {
    const parts = [Source, DetailType, Detail, ...Resources];
    return sum + parts.reduce((bytes, part) => bytes + Buffer.byteLength(part), Time === undefined ? 0 : 14);
  }, 0);
  if (size >= LARGEST_ENTRIES)
    throw new ServiceError('ValidationException', 'Total size of the entries in the request is over the limit.');
  const Entries = input.Entries.map((entry) => {
    const problem = entryProblem(entry);
    if (problem !== undefined) return problem;
    const { context, settings, clock, bus } = simulator;
    const EventId = context.ids.uuid();
    const at = typeof entry.Time === 'number' ? entry.Time * 1000 : clock.now();
    const event = {
      version: '0',
      id: EventId,
      'detail-type': entry.DetailType,
      source: entry.Source,
      account: settings.accountId,
      time: isoSeconds(at),
      region: settings.region,
      resources: entry.Resources ?? [],
      detail: JSON.parse(entry.Detail ?? '{}') as unknown,
    };
    // An unknown bus is silently dropped, as at AWS.
    if (entry.EventBusName === undefined || /(^|\/)default$/.test(entry.EventBusName)) bus.route(event);
    return { EventId };
  });
  return { FailedEntryCount: Entries.filter((entry) => 'ErrorCode' in entry).length, Entries };
});

function entryProblem({ Source, DetailType, Detail }: { Source?: string; DetailType?: string; Detail?: string }) {
  const invalidArgument = (name: string) => ({
    ErrorCode: 'InvalidArgument',
    ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
  });
  if (!Source) return invalidArgument('Source');
  if (!DetailType) return invalidArgument('DetailType');
  if (!Detail) return invalidArgument('Detail');
  if (Source.startsWith('aws.')) {
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: `Not authorized for the source: ${Source}.` };
  }
  try {
    const detail: unknown = JSON.parse(Detail);
    if (typeof detail === 'object' && detail !== null && !Array.isArray(detail)) return undefined;
  } catch {
    // The same answer as for JSON that is not an object.
  }
  return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
}

const resourceArn = text({ min: 1, max: 1600 });

/** By the name after `AWSEvents.` in x-amz-target. */
export const EVENTBRIDGE_ACTIONS: JsonActions = {
  PutRule: putRule,
  DescribeRule: describeRule,
  DeleteRule: deleteRule,
  EnableRule: setState('ENABLED'),
  DisableRule: setState('DISABLED'),
  ListRules: listRules,
  PutTargets: putTargets,
  RemoveTargets: removeTargets,
  ListTargetsByRule: listTargetsByRule,
  PutEvents: putEvents,
  TestEventPattern: jsonAction(structure({ EventPattern: text(), Event: text() }, {}), (input) => {
    const problem = patternProblem(input.EventPattern);
    if (problem !== undefined) throw problem;
    return { Result: compilePattern(input.EventPattern)(JSON.parse(input.Event)) };
  }),
  TagResource: jsonAction(structure({ ResourceARN: resourceArn, Tags: tagList }, {}), (input, simulator) => {
    const { tags } = findByArn(simulator, input.ResourceARN);
    for (const [key, value] of pairs(input.Tags)) tags.set(key, value);
    return {};
  }),
  UntagResource: jsonAction(structure({ ResourceARN: resourceArn, TagKeys: list(text()) }, {}), (input, simulator) => {
    const { tags } = findByArn(simulator, input.ResourceARN);
    for (const key of input.TagKeys) tags.delete(key);
    return {};
  }),
  ListTagsForResource: jsonAction(structure({ ResourceARN: resourceArn }, {}), (input, simulator) => ({
    Tags: [...findByArn(simulator, input.ResourceARN).tags].map(([Key, Value]) => ({ Key, Value })),
  })),
};
