// The part of AWS Secrets Manager that the delivery of a stream key needs. Values exist only in this process.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/

import { ServiceError } from '../errors.ts';
import type { Secret, Simulator, Version } from '../parts.ts';
import { type JsonActions, jsonAction } from '../wire/json-action.ts';
import { list, structure, text } from '../wire/shape.ts';

const secretName = text({ min: 1, max: 512, pattern: /^[\w/+=.@-]+$/ });
const secretId = text({ min: 1, max: 2048 });
const secretString = text({ min: 1, max: 65_536 });
const token = text({ min: 32, max: 64 });
const tagList = list(structure({ Key: text({ min: 1, max: 128 }), Value: text({ max: 256 }) }, {}), { max: 50 });

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

const error = (name: string, message: string): ServiceError => new ServiceError(name, message, 400);

/** By name, ARN, or the ARN without its last six characters. */
function find({ secrets }: Simulator, id: string): Secret {
  const byName = secrets.get(id);
  if (byName !== undefined) return byName;
  for (const secret of secrets.values()) if (secret.arn === id || secret.arn.slice(0, -7) === id) return secret;
  throw error('ResourceNotFoundException', `Secrets Manager can't find the specified secret.`);
}

const stagesOf = (secret: Secret, id: string): string[] =>
  [...secret.stages].filter(([, version]) => version === id).map(([stage]) => stage);

/** Adds a version and makes it current; the same token with the same value changes nothing. */
function addVersion(secret: Secret, id: string, value: string, now: number): Version {
  const known = secret.versions.find((version) => version.id === id);
  if (known !== undefined) {
    if (known.value === value) return known;
    throw error('ResourceExistsException', `A version with the token ${id} exists with another value.`);
  }
  const version: Version = { id, value, createdAt: now };
  secret.versions.push(version);
  const before = secret.stages.get(CURRENT);
  if (before !== undefined) secret.stages.set(PREVIOUS, before);
  secret.stages.set(CURRENT, id);
  secret.changedAt = now;
  return version;
}

const seconds = (epochMs: number): number => Math.round(epochMs) / 1000;

/** By the name after `secretsmanager.` in x-amz-target. */
export const SECRETS_MANAGER_ACTIONS: JsonActions = {
  CreateSecret: jsonAction(
    structure(
      { Name: secretName },
      { SecretString: secretString, ClientRequestToken: token, Description: text(), Tags: tagList },
    ),
    (input, { secrets, settings, clock, context }) => {
      if (secrets.has(input.Name)) {
        throw error('ResourceExistsException', `The operation failed because the secret ${input.Name} already exists.`);
      }
      const now = clock.now();
      const { region, accountId } = settings;
      const secret: Secret = {
        arn: `arn:aws:secretsmanager:${region}:${accountId}:secret:${input.Name}-${context.ids.recording().slice(0, 6)}`,
        name: input.Name,
        description: input.Description,
        createdAt: now,
        changedAt: now,
        versions: [],
        stages: new Map(),
        tags: input.Tags ?? [],
      };
      secrets.set(secret.name, secret);
      if (input.SecretString === undefined) return { ARN: secret.arn, Name: secret.name };
      const version = addVersion(secret, input.ClientRequestToken ?? context.ids.uuid(), input.SecretString, now);
      return { ARN: secret.arn, Name: secret.name, VersionId: version.id };
    },
  ),
  PutSecretValue: jsonAction(
    structure({ SecretId: secretId, SecretString: secretString }, { ClientRequestToken: token }),
    (input, simulator) => {
      const secret = find(simulator, input.SecretId);
      const id = input.ClientRequestToken ?? simulator.context.ids.uuid();
      addVersion(secret, id, input.SecretString, simulator.clock.now());
      return { ARN: secret.arn, Name: secret.name, VersionId: id, VersionStages: stagesOf(secret, id) };
    },
  ),
  GetSecretValue: jsonAction(
    structure({ SecretId: secretId }, { VersionId: token, VersionStage: text({ min: 1, max: 256 }) }),
    (input, simulator) => {
      const secret = find(simulator, input.SecretId);
      const wanted = input.VersionId ?? secret.stages.get(input.VersionStage ?? CURRENT);
      const version = secret.versions.find(({ id }) => id === wanted);
      if (version === undefined) {
        throw error('ResourceNotFoundException', `Secrets Manager can't find the specified secret value.`);
      }
      return {
        ARN: secret.arn,
        Name: secret.name,
        VersionId: version.id,
        SecretString: version.value,
        VersionStages: stagesOf(secret, version.id),
        CreatedDate: seconds(version.createdAt),
      };
    },
  ),
  DescribeSecret: jsonAction(structure({ SecretId: secretId }, {}), (input, simulator) => {
    const secret = find(simulator, input.SecretId);
    const labelled = secret.versions
      .map(({ id }) => [id, stagesOf(secret, id)] as const)
      .filter(([, stages]) => stages.length > 0);
    return {
      ARN: secret.arn,
      Name: secret.name,
      Description: secret.description,
      CreatedDate: seconds(secret.createdAt),
      LastChangedDate: seconds(secret.changedAt),
      Tags: secret.tags,
      VersionIdsToStages: Object.fromEntries(labelled),
    };
  }),
};
