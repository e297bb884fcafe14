// The part of SSM Parameter Store that the delivery of a stream key needs.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/

import { ServiceError } from '../errors.ts';
import { type JsonActions, jsonAction } from '../wire/json-action.ts';
import { any, flag, oneOf, structure, text } from '../wire/shape.ts';

const parameterName = text({ min: 1, max: 2048, pattern: /^\/?[\w.-]+(\/[\w.-]+)*$/ });
const LARGEST_STANDARD = 4096;

const error = (name: string, message: string): ServiceError => new ServiceError(name, message, 400);

/** By the name after `AmazonSSM.` in x-amz-target. */
export const PARAMETER_STORE_ACTIONS: JsonActions = {
  PutParameter: jsonAction(
    structure(
      { Name: parameterName, Value: text({ min: 1 }) },
      {
        Type: oneOf('String', 'StringList', 'SecureString'),
        Overwrite: flag,
        Description: text({ max: 1024 }),
        KeyId: text({ min: 1, max: 256 }),
        Tier: oneOf('Standard', 'Advanced', 'Intelligent-Tiering'),
        DataType: text(),
        Tags: any,
      },
    ),
    (input, { parameters, clock }) => {
      const before = parameters.get(input.Name);
      if (before !== undefined && input.Overwrite !== true) {
        throw error(
          'ParameterAlreadyExists',
          'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
        );
      }
      const type = input.Type ?? before?.type;
      if (type === undefined)
        throw error('ValidationException', 'The parameter type must be specified for a new parameter.');
      const tier = input.Tier === 'Advanced' ? 'Advanced' : 'Standard';
      if (tier === 'Standard' && Buffer.byteLength(input.Value) > LARGEST_STANDARD) {
        throw error(
          'ValidationException',
          `Standard tier parameters support a maximum parameter value of ${LARGEST_STANDARD} characters.`,
        );
      }
      const version = (before?.version ?? 0) + 1;
      parameters.set(input.Name, { name: input.Name, type, value: input.Value, version, changedAt: clock.now() });
      return { Version: version, Tier: tier };
    },
  ),
  GetParameter: jsonAction(
    structure({ Name: text({ min: 1 }) }, { WithDecryption: flag }),
    (input, { parameters, settings }) => {
      const parameter = parameters.get(input.Name);
      if (parameter === undefined) throw error('ParameterNotFound', `Parameter ${input.Name} not found.`);
      const { name, type, value, version, changedAt } = parameter;
      const sealed = type === 'SecureString' && input.WithDecryption !== true;
      return {
        Parameter: {
          Name: name,
          Type: type,
          // Without decryption the service returns the cipher text; this replaces it and hides the value.
          Value: sealed ? `AQICAH${Buffer.from(`${name}:${version}`).toString('base64')}` : value,
          Version: version,
          LastModifiedDate: Math.round(changedAt) / 1000,
          ARN: `arn:aws:ssm:${settings.region}:${settings.accountId}:parameter${name.startsWith('/') ? '' : '/'}${name}`,
          DataType: 'text',
        },
      };
    },
  ),
};
