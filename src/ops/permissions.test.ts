import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { actionNames } from '#domain/action.ts';
import { accountScope, identityScope, publishing } from './config-uses.ts';
import { baselineOperations, daemonPolicy, identityPolicy, operationsFor, setupPolicy } from './permissions.ts';

const scope = {
  region: 'us-west-2',
  account: '111122223333',
  queueArn: 'arn:aws:sqs:us-west-2:111122223333:ivs-autopilot-events',
};
const allowed = (uses: Parameters<typeof daemonPolicy>[0]) =>
  daemonPolicy(uses, scope).Statement.flatMap(({ Action }) => Action);

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** The files of `workers` that a file there uses, including itself. */
function withImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name] of read(`workers/${file}`).matchAll(/^import (?!type ).*from '\.\/([\w-]+\.ts)';$/gm))
    withImports(name!, seen);
  return seen;
}

/** The operation that each method of the port behind `ivs` calls. */
const operationOf = new Map(
  Array.from(
    read('src/ivs/action-calls.ts').matchAll(/^    (?:async )?(\w+)(?:: (?:async )?)?\([\s\S]*?\bclient\.(\w+)\(/gm),
    ([, method, called]) => [method!, called![0]!.toUpperCase() + called!.slice(1)],
  ),
);

describe('the policy grants exactly what the code calls', () => {
  it.each(actionNames.filter((action) => action !== 'put_metadata'))('%s', (action) => {
    const files = [...withImports(`${action.replaceAll('_', '-')}.ts`)];
    const methods = files.flatMap((file) =>
      Array.from(read(`workers/${file}`).matchAll(/\bivs\.(\w+)\(/g), ([, m]) => m!),
    );
    const called = methods.map((method) => operationOf.get(method) ?? `no operation of ${method}`);

    expect(operationsFor([{ action }])).toEqual([...new Set([...baselineOperations, ...called])].sort());
  });

  it('put_metadata hands its items to the drainer, which calls PutMetadata', () => {
    expect(read('src/metadata/drainer.ts')).toContain('putMetadataWhenGranted(');
    expect(operationsFor([{ action: 'put_metadata' }])).toEqual([...baselineOperations, 'PutMetadata'].sort());
  });

  it('the baseline is polls and the inventory, and nothing else reads IVS by itself', () => {
    const called = ['src/ivs/reader.ts', 'workers/preconditions.ts'].flatMap((file) =>
      Array.from(read(file).matchAll(/\b(?:client|ivs)\.(list\w+|get\w+|batchGet\w+)\(/g), ([, name]) => name!),
    );

    expect([...new Set(called.map((name) => name[0]!.toUpperCase() + name.slice(1)))].sort()).toEqual(
      [...baselineOperations].sort(),
    );
  });

  it('for the other services: commands and methods of their clients, in the daemon, the doctor and bootstrap', () => {
    const services = { 'client-sqs': 'sqs', 'client-ssm': 'ssm', 'client-eventbridge': 'events' } as const;
    const prefixes: Readonly<Record<string, string>> = { ...services, 'client-secrets-manager': 'secretsmanager' };
    // Permissions are named after the single operation. https://docs.aws.amazon.com/service-authorization/latest/reference/
    const permissionOf = (call: string) => call.replace(/Batch$/, '');
    const calls = (file: string): string[] => {
      const text = read(file);
      return Array.from(
        text.matchAll(/^import (?:type )?\{([^}]*)\} from '@aws-sdk\/([\w-]+)';$/gm),
        ([, names, sdk]) => {
          const prefix = prefixes[sdk!];
          if (prefix === undefined) return [];
          const commands = Array.from(names!.matchAll(/\b(\w+)Command\b/g), ([, name]) => name!);
          const methods = Array.from(text.matchAll(/(?<![#\w])(?:secretsManager|ssm)\.(\w+)\(/g), ([, name]) => name!);
          return [...commands, ...methods.map((name) => name[0]!.toUpperCase() + name.slice(1))].map(
            (name) => `${prefix}:${permissionOf(name)}`,
          );
        },
      ).flat();
    };
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => `src/${file}`);
    const setup = ['src/ops/event-path-aws.ts'];
    // It compares what bootstrap created, and the policy of bootstrap allows reading that.
    const compares = new Set(['src/ops/doctor/event-path.ts']);
    const daemon = sources.filter((file) => !setup.includes(file) && !compares.has(file));
    const granted = (policy: ReturnType<typeof daemonPolicy>) =>
      policy.Statement.flatMap(({ Action }) => Action).filter((action) => !action.startsWith('ivs:'));
    const all = actionNames.map((action) => ({ action }));

    // IVS requires these from whoever creates a recording configuration.
    const forIvs = ['iam:AttachRolePolicy', 'iam:CreateServiceLinkedRole', 'iam:PutRolePolicy', 's3:GetBucketLocation'];

    expect(granted(daemonPolicy(all, scope)).sort()).toEqual(
      [...new Set([...forIvs, ...daemon.flatMap(calls)])].sort(),
    );
    expect(granted(setupPolicy(scope, 'show')).sort()).toEqual([...new Set(setup.flatMap(calls))].sort());
  });
});

describe('the least-privilege policy', () => {
  it('allows a daemon whose rules only notify to read streams and its queue, and to change nothing', () => {
    const actions = allowed([{ action: 'notify', params: { receiver: 'noc', text: 'x' } }]);

    expect(actions.filter((action) => action.startsWith('ivs:')).sort()).toEqual([
      'ivs:BatchGetChannel',
      'ivs:BatchGetStreamKey',
      'ivs:GetChannel',
      'ivs:GetStream',
      'ivs:GetStreamSession',
      'ivs:ListChannels',
      'ivs:ListStreamKeys',
      'ivs:ListStreamSessions',
      'ivs:ListStreams',
    ]);
    expect(actions).toContain('sqs:DeleteMessage');
    expect(actions).not.toContain('sqs:SendMessage');
  });

  it('allows receivers to publish to their own topics, and no others', () => {
    const parsed = parseConfig(
      `version: 1
receivers:
  - name: noc
    sns_configs:
      - {topic_arn: "arn:aws:sns:us-west-2:111122223333:noc"}
      - {phone_number: "+15550100"}
      - {topic_arn: "arn:aws:sns:eu-west-1:444455556666:noc", sigv4: {role_arn: "arn:aws:iam::444455556666:role/notes"}}
`,
      'f.yaml',
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const { Statement } = daemonPolicy([], { ...scope, ...publishing(parsed.config.ruleset) });

    expect(Statement.find(({ Sid }) => Sid === 'Notifications')).toMatchObject({
      Action: ['sns:Publish'],
      Resource: ['arn:aws:sns:us-west-2:111122223333:noc', '*'],
    });
    expect(Statement.find(({ Sid }) => Sid === 'OtherAccounts')).toMatchObject({
      Resource: ['arn:aws:iam::444455556666:role/notes'],
    });
    expect(daemonPolicy([], scope).Statement.some(({ Sid }) => Sid === 'Notifications')).toBe(false);
  });

  it('adds StopStream for a key rotation only if the rotation stops the stream', () => {
    const deliver = { file: '/keys/a' };

    expect(operationsFor([{ action: 'rotate_stream_key', params: { deliver } }])).not.toContain('StopStream');
    expect(operationsFor([{ action: 'rotate_stream_key', params: { when: 'now_and_stop', deliver } }])).toContain(
      'StopStream',
    );
    expect(operationsFor([{ action: 'rotate_stream_key' }])).toContain('StopStream');
  });

  it('authorises key operations on stream keys and channels, and names the secret that receives the key', () => {
    const policy = daemonPolicy(
      [{ action: 'rotate_stream_key', params: { deliver: { secrets_manager: 'ivs/{{ channel.name }}/key' } } }],
      scope,
    );

    const creates = policy.Statement.find(({ Action }) => Action.includes('ivs:CreateStreamKey'));
    expect(creates?.Resource).toEqual([
      'arn:aws:ivs:us-west-2:111122223333:stream-key/*',
      'arn:aws:ivs:us-west-2:111122223333:channel/*',
    ]);
    const delivers = policy.Statement.find(({ Sid }) => Sid === 'DeliverToSecretsManager');
    expect(delivers?.Resource).toEqual(['arn:aws:secretsmanager:us-west-2:111122223333:secret:ivs/*/key-??????']);
  });

  it('covers every action, and never includes a whole service', () => {
    const policy = daemonPolicy(
      actionNames.map((action) => ({ action })),
      scope,
    );

    expect(new Set(policy.Statement.map(({ Sid }) => Sid)).size).toBe(policy.Statement.length);
    for (const { Action, Sid } of policy.Statement) {
      expect(Sid).toMatch(/^[A-Za-z0-9]+$/);
      for (const action of Action) expect(action).toMatch(/^(ivs|sqs|secretsmanager|ssm|events|s3|iam):[A-Za-z]+$/);
    }
  });

  it('separates setup from running', () => {
    const setup = setupPolicy(scope, 'show').Statement.flatMap(({ Action }) => Action);

    expect(setup).toContain('events:PutRule');
    expect(setup.some((action) => action.startsWith('ivs:'))).toBe(false);
  });
});

it('gives each entry of accounts its own policy, and lets the one without a role assume the roles of the others', () => {
  const role = 'arn:aws:iam::444455556666:role/autopilot';
  const west = {
    name: 'west',
    region: 'us-west-2',
    queue_url: 'https://sqs.us-west-2.amazonaws.com/111122223333/events',
  };
  const europe = { name: 'europe', region: 'eu-west-1', assume_role_arn: role };
  const statementsOf = (entry: typeof west | typeof europe) =>
    daemonPolicy([], accountScope(entry, [west, europe])).Statement;

  expect(statementsOf(west)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ Resource: 'arn:aws:sqs:us-west-2:111122223333:events' }),
      { Sid: 'OtherAccounts', Effect: 'Allow', Action: ['sts:AssumeRole'], Resource: [role] },
    ]),
  );
  expect(JSON.stringify(statementsOf(europe))).not.toMatch(/sts:|sqs:/);
  expect(JSON.stringify(statementsOf(europe))).toContain('arn:aws:ivs:eu-west-1:444455556666:channel/*');
});

it('lets the daemon’s own identity read a queue that several accounts share, unless one of them owns it', () => {
  const role = (account: string) => `arn:aws:iam::${account}:role/autopilot`;
  const url = 'https://sqs.us-west-2.amazonaws.com/999988887777/events';
  const member = (name: string, id: string, isReader: boolean) => ({
    name,
    region: 'us-west-2',
    account_id: id,
    assume_role_arn: role(id),
    queue_url: url,
    sharedQueue: { isReader, isOwner: false },
  });
  const members = [member('a', '111122223333', true), member('b', '444455556666', false)];

  for (const entry of members)
    expect(JSON.stringify(daemonPolicy([], accountScope(entry, members)))).not.toContain('sqs:');
  expect(identityPolicy(identityScope(members)).Statement).toEqual([
    expect.objectContaining({ Sid: 'SharedEventQueue', Resource: ['arn:aws:sqs:us-west-2:999988887777:events'] }),
    {
      Sid: 'OtherAccounts',
      Effect: 'Allow',
      Action: ['sts:AssumeRole'],
      Resource: members.map((one) => one.assume_role_arn),
    },
  ]);
});
