// The stand-ins next to IVS that receive a stream key's value: Secrets Manager, Parameter Store, and STS for another account.
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, expect, it } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { failureOf, fakeCredentials } from '#test/support/simulator-sdk.ts';

const simulator = await startSimulator({ seed: 'delivery' });
const options = { region: 'us-west-2', credentials: fakeCredentials, maxAttempts: 1, endpoint: simulator.url };
const secrets = new SecretsManagerClient(options);
const parameters = new SSMClient(options);
const sts = new STSClient(options);

afterAll(async () => {
  for (const client of [secrets, parameters, sts]) client.destroy();
  await simulator.close();
});

it('a secret is created once, gets new values, keeps the previous one, and accepts the same token twice', async () => {
  const SecretId = 'ivs/studio-a/stream-key';
  const put = (SecretString: string, ClientRequestToken?: string) =>
    secrets.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken }));
  expect(await failureOf(put('first'))).toBe('400 ResourceNotFoundException');
  const made = await secrets.send(new CreateSecretCommand({ Name: SecretId, SecretString: 'first' }));
  expect(made.ARN).toMatch(
    /^arn:aws:secretsmanager:us-west-2:111122223333:secret:ivs\/studio-a\/stream-key-[A-Za-z0-9]{6}$/,
  );
  const again = secrets.send(new CreateSecretCommand({ Name: SecretId, SecretString: 'other' }));
  expect(await failureOf(again)).toBe('400 ResourceExistsException');
  const token = 'a-token-of-at-least-thirty-two-characters';
  expect(await put('second', token)).toMatchObject({ VersionId: token, VersionStages: ['AWSCURRENT'] });
  expect(await put('second', token)).toMatchObject({ VersionId: token });
  expect(await failureOf(put('another', token))).toBe('400 ResourceExistsException');
  const read = (VersionStage?: string) =>
    secrets.send(new GetSecretValueCommand({ SecretId: made.ARN!, VersionStage }));
  expect(await read()).toMatchObject({ SecretString: 'second', Name: SecretId, CreatedDate: expect.any(Date) });
  expect(await read('AWSPREVIOUS')).toMatchObject({ SecretString: 'first', VersionId: made.VersionId });
  expect(await failureOf(read('NOSUCHSTAGE'))).toBe('400 ResourceNotFoundException');
  const { VersionIdsToStages } = await secrets.send(new DescribeSecretCommand({ SecretId }));
  expect(VersionIdsToStages).toEqual({ [token]: ['AWSCURRENT'], [made.VersionId!]: ['AWSPREVIOUS'] });
});

it('a parameter is overwritten only on request, counts its versions, and is sealed until decrypted', async () => {
  const Name = '/ivs/studio-a/stream-key';
  const put = (Value: string, more: object = {}) => parameters.send(new PutParameterCommand({ Name, Value, ...more }));
  expect(await failureOf(put('first'))).toBe('400 ValidationException');
  expect(await put('first', { Type: 'SecureString' })).toMatchObject({ Version: 1 });
  expect(await failureOf(put('second'))).toBe('400 ParameterAlreadyExists');
  expect(await put('second', { Overwrite: true })).toMatchObject({ Version: 2 });
  const get = async (WithDecryption: boolean) =>
    (await parameters.send(new GetParameterCommand({ Name, WithDecryption }))).Parameter;
  expect(await get(true)).toMatchObject({ Value: 'second', Version: 2, Type: 'SecureString' });
  expect((await get(false))?.Value).not.toContain('second');
  const missing = parameters.send(new GetParameterCommand({ Name: '/none' }));
  expect(await failureOf(missing)).toBe('400 ParameterNotFound');
});

it('a role in another account returns credentials that expire, and a bad role name does not', async () => {
  const RoleArn = 'arn:aws:iam::444455556666:role/ops/autopilot';
  const role = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'autopilot' }));
  expect(role.Credentials?.AccessKeyId).toMatch(/^ASIA/);
  const lifeMs = Number(role.Credentials?.Expiration) - (await simulator.control.now());
  expect(lifeMs).toBeGreaterThan(3_590_000);
  expect(role.AssumedRoleUser?.Arn).toBe('arn:aws:sts::444455556666:assumed-role/autopilot/autopilot');
  expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: '111122223333' });
  const bad = sts.send(new AssumeRoleCommand({ RoleArn: 'autopilot', RoleSessionName: 'autopilot' }));
  expect(await failureOf(bad)).toBe('400 ValidationError');
});

it('faults apply here too, under the names that the record uses', async () => {
  await simulator.control.addFault({
    operation: 'secretsmanager:PutSecretValue',
    error: 'InternalServiceError',
    status: 500,
    times: 1,
  });
  await simulator.control.addFault({ operation: 'sts:AssumeRole', error: 'AccessDenied', status: 403, times: 1 });
  const put = secrets.send(new PutSecretValueCommand({ SecretId: 'any', SecretString: 'x' }));
  expect(await failureOf(put)).toBe('500 InternalServiceError');
  const role = sts.send(
    new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::444455556666:role/a', RoleSessionName: 'autopilot' }),
  );
  expect(await failureOf(role)).toBe('403 AccessDenied');
  const operations = (await simulator.control.calls())
    .slice(-2)
    .map(({ operation, outcome }) => `${operation} ${outcome}`);
  expect(operations).toEqual(['secretsmanager:PutSecretValue InternalServiceError', 'sts:AssumeRole AccessDenied']);
});
