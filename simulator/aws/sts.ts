// The part of STS that access to another account needs: the caller's identity, and credentials for a role. They open nothing, but STS
// recognises them.
// https://docs.aws.amazon.com/STS/latest/APIReference/

import { ServiceError } from '../errors.ts';
import type { Simulator } from '../parts.ts';

export const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** `accessKeyId` is that of the credentials which signed the request. */
type StsAction = (
  input: URLSearchParams,
  simulator: Simulator,
  accessKeyId: string | undefined,
) => Readonly<Record<string, unknown>>;

const SHORTEST_S = 900;
const LONGEST_S = 43_200;

function required(input: URLSearchParams, name: string): string {
  const value = input.get(name);
  if (value === null || value === '') throw new ServiceError('ValidationError', `${name} is required`, 400);
  return value;
}

function assumeRole(input: URLSearchParams, { random, clock, assumedRoles }: Simulator) {
  const roleArn = required(input, 'RoleArn');
  const session = required(input, 'RoleSessionName');
  const [, , , , account = '', role = ''] = roleArn.split(':');
  if (!/^arn:aws:iam::\d{12}:role\/.+$/.test(roleArn))
    throw new ServiceError('ValidationError', `${roleArn} is invalid`, 400);
  if (!/^[\w+=,.@-]{2,64}$/.test(session))
    throw new ServiceError('ValidationError', `RoleSessionName ${session} is invalid`, 400);
  const durationS = Number(input.get('DurationSeconds') ?? 3600);
  if (!(durationS >= SHORTEST_S && durationS <= LONGEST_S)) {
    throw new ServiceError('ValidationError', `DurationSeconds must be from ${SHORTEST_S} to ${LONGEST_S}`, 400);
  }
  const id = `AROA${random.alphanumeric(16).toUpperCase()}`;
  const AccessKeyId = `ASIA${random.alphanumeric(16).toUpperCase()}`;
  const AssumedRoleUser = {
    AssumedRoleId: `${id}:${session}`,
    Arn: `arn:aws:sts::${account}:assumed-role/${role.split('/').at(-1)}/${session}`,
  };
  assumedRoles.set(AccessKeyId, { ...AssumedRoleUser, account });
  return {
    Credentials: {
      AccessKeyId,
      SecretAccessKey: random.alphanumeric(40),
      SessionToken: random.alphanumeric(200),
      Expiration: new Date(clock.now() + durationS * 1000).toISOString(),
    },
    AssumedRoleUser,
  };
}

/** By the value of `Action`. */
export const STS_ACTIONS: Readonly<Record<string, StsAction>> = {
  AssumeRole: assumeRole,
  GetCallerIdentity: (_, { settings, assumedRoles }, accessKeyId = '') => {
    const role = assumedRoles.get(accessKeyId);
    return role === undefined
      ? {
          UserId: 'AIDASIMULATORUSER0001',
          Account: settings.accountId,
          Arn: `arn:aws:iam::${settings.accountId}:user/simulator`,
        }
      : { UserId: role.AssumedRoleId, Account: role.account, Arn: role.Arn };
  },
};
