// Which permissions each action needs, as a table, and the least-privilege policy for a set of actions. A test derives the table from the
// calls in the code, so that nothing is granted without being used.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoninteractivevideoservice.html
import type { ActionName, ActionParams } from '#domain/action.ts';
import type { OperationName } from '#ivs/limits.ts';

/** An action that may be requested; without parameters, every variant of it counts. */
export interface ActionUse {
  readonly action: ActionName;
  readonly params?: unknown;
}

/** The IVS calls that do not depend on the rules: polls, the inventory, and live state right before a call. */
export const baselineOperations: readonly OperationName[] = [
  'ListStreams',
  'ListChannels',
  'BatchGetChannel',
  'GetChannel',
  'GetStream',
  'ListStreamSessions',
  'GetStreamSession',
  'ListStreamKeys',
  'BatchGetStreamKey',
];

const withLive = (...operations: readonly OperationName[]): readonly OperationName[] => ['GetStream', ...operations];

/** For settings of UpdateChannel: see workers/channel-setting.ts. */
const withSetting = (...operations: readonly OperationName[]): readonly OperationName[] =>
  withLive('GetChannel', 'GetStreamSession', 'UpdateChannel', ...operations);

const settingActions: ReadonlySet<ActionName> = new Set([
  'set_recording',
  'set_ad_configuration',
  'set_playback_restriction',
]);

const ivsByAction: Readonly<Record<ActionName, readonly OperationName[]>> = {
  put_metadata: ['PutMetadata'],
  rotate_stream_key: withLive('ListStreamKeys', 'GetStreamKey', 'CreateStreamKey', 'DeleteStreamKey'),
  set_recording: withSetting('ListRecordingConfigurations', 'GetRecordingConfiguration'),
  set_ad_configuration: withSetting('ListAdConfigurations', 'GetAdConfiguration'),
  set_playback_restriction: withSetting('ListPlaybackRestrictionPolicies', 'GetPlaybackRestrictionPolicy'),
  edit_playback_restriction: withLive(
    'ListChannels',
    'ListPlaybackRestrictionPolicies',
    'GetPlaybackRestrictionPolicy',
    'UpdatePlaybackRestrictionPolicy',
  ),
  provision_channel: withLive(
    'ListChannels',
    'GetChannel',
    'CreateChannel',
    'ListStreamKeys',
    'GetStreamKey',
    'CreateStreamKey',
    'ListRecordingConfigurations',
    'GetRecordingConfiguration',
    'ListAdConfigurations',
    'GetAdConfiguration',
    'ListPlaybackRestrictionPolicies',
    'GetPlaybackRestrictionPolicy',
  ),
  lease_channel: withLive('ListStreamKeys', 'GetStreamKey', 'CreateStreamKey'),
  return_channel: withLive('ListStreamKeys', 'CreateStreamKey', 'DeleteStreamKey', 'StopStream'),
  ensure_recording_configuration: withLive(
    'ListRecordingConfigurations',
    'GetRecordingConfiguration',
    'CreateRecordingConfiguration',
  ),
  revoke_viewers: withLive('BatchStartViewerSessionRevocation'),
  stop_stream: withLive('StopStream'),
  insert_ad_break: withLive('GetChannel', 'GetStreamSession', 'InsertAdBreak'),
  notify: [],
  webhook: [],
  emit_event: [],
  tag: ['TagResource', 'UntagResource', 'ListTagsForResource'],
  capture_session: ['GetStreamSession'],
  report: ['GetStreamSession'],
  rotate_playback_key_pair: [
    'ListPlaybackKeyPairs',
    'GetPlaybackKeyPair',
    'ImportPlaybackKeyPair',
    'DeletePlaybackKeyPair',
  ],
  retire_recording_configuration: withLive(
    'ListChannels',
    'GetChannel',
    'UpdateChannel',
    'ListRecordingConfigurations',
    'GetRecordingConfiguration',
    'DeleteRecordingConfiguration',
  ),
  retire_channel: withLive('GetChannel', 'StopStream', 'ListStreamKeys', 'DeleteStreamKey', 'DeleteChannel'),
};

/** The IVS operations that these actions use, including the baseline, sorted by name. */
export function operationsFor(uses: readonly ActionUse[]): OperationName[] {
  return [...new Set([...baselineOperations, ...uses.flatMap(operationsOf)])].sort();
}

function operationsOf({ action, params }: ActionUse): readonly OperationName[] {
  const more: OperationName[] = [];
  const given = (params ?? {}) as Record<string, unknown>;
  const any = params === undefined;
  if (action === 'rotate_stream_key' && (any || given['when'] === 'now_and_stop')) more.push('StopStream');
  if (settingActions.has(action) && (any || given['if_live'] === 'restart')) more.push('StopStream');
  if (action === 'stop_stream' && (any || given['revoke_key'] === true)) more.push('ListStreamKeys', 'DeleteStreamKey');
  return [...ivsByAction[action], ...more];
}

type Resource =
  | 'channel'
  | 'stream-key'
  | 'recording-configuration'
  | 'playback-key'
  | 'ad-configuration'
  | 'playback-restriction-policy';

/** The resource types that an operation is authorised on. */
const resourcesByOperation: Readonly<Partial<Record<OperationName, readonly Resource[]>>> = {
  BatchGetStreamKey: ['stream-key'],
  CreateChannel: ['channel', 'stream-key'],
  CreateRecordingConfiguration: ['recording-configuration'],
  CreateStreamKey: ['stream-key', 'channel'],
  DeleteStreamKey: ['stream-key'],
  GetStreamKey: ['stream-key'],
  ListStreamKeys: ['channel', 'stream-key'],
  DeleteChannel: ['channel', 'stream-key'],
  ListRecordingConfigurations: ['recording-configuration'],
  GetRecordingConfiguration: ['recording-configuration'],
  DeleteRecordingConfiguration: ['recording-configuration'],
  ListAdConfigurations: ['ad-configuration'],
  GetAdConfiguration: ['ad-configuration'],
  ListPlaybackRestrictionPolicies: ['playback-restriction-policy'],
  GetPlaybackRestrictionPolicy: ['playback-restriction-policy'],
  UpdatePlaybackRestrictionPolicy: ['playback-restriction-policy'],
  ListPlaybackKeyPairs: ['playback-key'],
  GetPlaybackKeyPair: ['playback-key'],
  ImportPlaybackKeyPair: ['playback-key'],
  DeletePlaybackKeyPair: ['playback-key'],
};

/** The scope of the policy. Account and region may be `*`. */
export interface PolicyScope {
  /** What receivers publish to: ARNs of topics and endpoints, `*` for a phone number. */
  readonly publishTo?: readonly string[] | undefined;
  readonly region: string;
  readonly account: string;
  /** ARN of the event queue; without it the policy has no statement for it. */
  readonly queueArn?: string | undefined;
  /** Event queues that several accounts share and none of them owns: the daemon's own identity reads them. */
  readonly sharedQueueArns?: readonly string[] | undefined;
  /** Roles of other accounts that the same daemon works in. */
  readonly assumeRoles?: readonly string[] | undefined;
}

export interface IamStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
}

export interface IamPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly IamStatement[];
}

const queueActions = [
  'sqs:ChangeMessageVisibility',
  'sqs:DeleteMessage',
  'sqs:GetQueueAttributes',
  'sqs:GetQueueUrl',
  'sqs:ReceiveMessage',
];

/** The policy that the daemon needs for these actions, and nothing more. */
export function daemonPolicy(uses: readonly ActionUse[], scope: PolicyScope): IamPolicy {
  const { region, account, queueArn } = scope;
  const byResources = Map.groupBy(operationsFor(uses), (operation) =>
    (resourcesByOperation[operation] ?? ['channel']).join(' '),
  );
  const statements: IamStatement[] = [...byResources].map(([resources, operations]) => ({
    Sid: `Ivs${resources.split(' ').map(camel).join('And')}`,
    Effect: 'Allow',
    Action: operations.map((operation) => `ivs:${operation}`),
    Resource: resources.split(' ').map((resource) => `arn:aws:ivs:${region}:${account}:${resource}/*`),
  }));
  if (queueArn !== undefined)
    statements.push({ Sid: 'EventQueue', Effect: 'Allow', Action: queueActions, Resource: queueArn });
  statements.push(...deliveryStatements(uses, scope));
  if (scope.publishTo?.length)
    statements.push({ Sid: 'Notifications', Effect: 'Allow', Action: ['sns:Publish'], Resource: scope.publishTo });
  statements.push(...identityStatements(scope));
  return { Version: '2012-10-17', Statement: statements };
}

/** The policy of the daemon's own identity if every entry of `accounts` has a role. */
export function identityPolicy(scope: Pick<PolicyScope, 'assumeRoles' | 'sharedQueueArns'>): IamPolicy {
  return { Version: '2012-10-17', Statement: identityStatements(scope) };
}

function identityStatements({
  assumeRoles = [],
  sharedQueueArns = [],
}: Pick<PolicyScope, 'assumeRoles' | 'sharedQueueArns'>): IamStatement[] {
  const statements: IamStatement[] = [];
  if (sharedQueueArns.length > 0)
    statements.push({ Sid: 'SharedEventQueue', Effect: 'Allow', Action: queueActions, Resource: sharedQueueArns });
  if (assumeRoles.length > 0)
    statements.push({ Sid: 'OtherAccounts', Effect: 'Allow', Action: ['sts:AssumeRole'], Resource: assumeRoles });
  return statements;
}

function camel(name: string): string {
  return name.replaceAll(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());
}

const delivering: ReadonlySet<ActionName> = new Set([
  'rotate_stream_key',
  'rotate_playback_key_pair',
  'provision_channel',
  'lease_channel',
]);

/** Destinations of keys and events. A name with a template stands for every name that it can become. */
function deliveryStatements(uses: readonly ActionUse[], { region, account }: PolicyScope): IamStatement[] {
  const secrets = new Set<string>();
  const parameters = new Set<string>();
  const buses = new Set<string>();
  const buckets = new Set<string>();
  for (const { action, params } of uses) {
    if (delivering.has(action)) {
      const deliver = (params as Partial<ActionParams<'rotate_stream_key'>> | undefined)?.deliver;
      if (!params || deliver?.secrets_manager) secrets.add(wildcard(deliver?.secrets_manager ?? '*'));
      if (!params || deliver?.ssm_parameter) parameters.add(wildcard(deliver?.ssm_parameter ?? '*'));
    }
    if (action === 'ensure_recording_configuration')
      buckets.add(wildcard((params as ActionParams<'ensure_recording_configuration'> | undefined)?.bucket ?? '*'));
    if (action === 'emit_event') buses.add((params as ActionParams<'emit_event'> | undefined)?.bus ?? 'default');
  }
  const statements: IamStatement[] = [];
  if (secrets.size > 0)
    statements.push({
      Sid: 'DeliverToSecretsManager',
      Effect: 'Allow',
      Action: ['secretsmanager:CreateSecret', 'secretsmanager:DescribeSecret', 'secretsmanager:PutSecretValue'],
      // Secrets Manager adds a hyphen and six random characters to the name.
      // https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
      Resource: [...secrets].map((name) =>
        name.startsWith('arn:')
          ? name
          : `arn:aws:secretsmanager:${region}:${account}:secret:${name}${name.endsWith('*') ? '' : '-??????'}`,
      ),
    });
  if (parameters.size > 0)
    statements.push({
      Sid: 'DeliverToParameterStore',
      Effect: 'Allow',
      // `doctor` checks whether the name exists; without kms:Decrypt the answer contains no value.
      Action: ['ssm:GetParameter', 'ssm:PutParameter'],
      Resource: [...parameters].map((name) => `arn:aws:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`),
    });
  if (buckets.size > 0)
    statements.push(
      {
        Sid: 'RecordingBuckets',
        Effect: 'Allow',
        Action: ['s3:GetBucketLocation'],
        Resource: [...buckets].map((bucket) => `arn:aws:s3:::${bucket}`),
      },
      {
        // The first configuration creates the role with which IVS writes to the bucket.
        // https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
        Sid: 'RecordingRole',
        Effect: 'Allow',
        Action: ['iam:AttachRolePolicy', 'iam:CreateServiceLinkedRole', 'iam:PutRolePolicy'],
        Resource: `arn:aws:iam::${account}:role/aws-service-role/ivs.amazonaws.com/*`,
      },
    );
  if (buses.size > 0)
    statements.push({
      Sid: 'EmitEvents',
      Effect: 'Allow',
      Action: ['events:PutEvents'],
      Resource: [...buses].map((bus) =>
        bus.startsWith('arn:') ? bus : `arn:aws:events:${region}:${account}:event-bus/${bus}`,
      ),
    });
  return statements;
}

function wildcard(name: string): string {
  return name.replaceAll(/\{\{.*?\}\}/g, '*').replaceAll(/\*+/g, '*');
}

/** What `bootstrap` needs; grant it to whoever runs bootstrap, never to the daemon. */
export function setupPolicy({ region, account }: PolicyScope, name: string): IamPolicy {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Rule',
        Effect: 'Allow',
        Action: [
          'events:DeleteRule',
          'events:DescribeRule',
          'events:ListTagsForResource',
          'events:ListTargetsByRule',
          'events:PutRule',
          'events:PutTargets',
          'events:RemoveTargets',
          'events:TagResource',
        ],
        Resource: `arn:aws:events:${region}:${account}:rule/${name}-*`,
      },
      {
        Sid: 'Queues',
        Effect: 'Allow',
        Action: [
          'sqs:CreateQueue',
          'sqs:DeleteQueue',
          'sqs:GetQueueAttributes',
          'sqs:GetQueueUrl',
          'sqs:ListQueueTags',
          'sqs:SetQueueAttributes',
          'sqs:TagQueue',
        ],
        Resource: `arn:aws:sqs:${region}:${account}:${name}-*`,
      },
    ],
  };
}
