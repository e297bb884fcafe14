import { describe, expect, it } from 'vitest';
import { actionNames } from '#domain/action.ts';
import { accountScope } from './config-uses.ts';
import { daemonPolicy, operationsFor, setupPolicy } from './permissions.ts';

const scope = {
  region: 'us-west-2',
  account: '111122223333',
  queueArn: 'arn:aws:sqs:us-west-2:111122223333:ivs-autopilot-events',
};
const allowed = (uses: Parameters<typeof daemonPolicy>[0]) =>
  daemonPolicy(uses, scope).Statement.flatMap(({ Action }) => Action);

describe('the least-privilege policy', () => {
  it('lets a daemon whose rules only notify read streams and its queue, and change nothing', () => {
    const actions = allowed([{ action: 'notify', params: { receiver: 'noc', text: 'x' } }]);

    expect(actions.filter((action) => action.startsWith('ivs:'))).toEqual([
      'ivs:GetChannel',
      'ivs:GetStream',
      'ivs:ListChannels',
      'ivs:ListStreams',
    ]);
    expect(actions).toContain('sqs:DeleteMessage');
    expect(actions).not.toContain('sqs:SendMessage');
  });

  it('adds StopStream for a key rotation only when the rotation stops the stream', () => {
    const deliver = { file: '/keys/a' };

    expect(operationsFor([{ action: 'rotate_stream_key', params: { deliver } }])).not.toContain('StopStream');
    expect(operationsFor([{ action: 'rotate_stream_key', params: { when: 'now_and_stop', deliver } }])).toContain(
      'StopStream',
    );
    expect(operationsFor([{ action: 'rotate_stream_key' }])).toContain('StopStream');
  });

  it('authorises keys on stream keys and channels, and names the secret that receives them', () => {
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
    expect(delivers?.Resource).toEqual(['arn:aws:secretsmanager:us-west-2:111122223333:secret:ivs/*/key-*']);
  });

  it('knows every action there is, and never asks for a whole service', () => {
    const policy = daemonPolicy(
      actionNames.map((action) => ({ action })),
      scope,
    );

    expect(new Set(policy.Statement.map(({ Sid }) => Sid)).size).toBe(policy.Statement.length);
    for (const { Action, Sid } of policy.Statement) {
      expect(Sid).toMatch(/^[A-Za-z0-9]+$/);
      for (const action of Action) expect(action).toMatch(/^(ivs|sqs|secretsmanager|ssm|events):[A-Za-z]+$/);
    }
  });

  it('keeps setting up apart from running', () => {
    const setup = setupPolicy(scope, 'show').Statement.flatMap(({ Action }) => Action);

    expect(setup).toContain('events:PutRule');
    expect(setup.some((action) => action.startsWith('ivs:'))).toBe(false);
  });
});

it('each entry of accounts has a policy of its own, and the one without a role may assume the roles of the others', () => {
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
