// SSM Parameter Store: a SecureString parameter whose newest version is the value.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
import type { SSM } from '@aws-sdk/client-ssm';
import { AppError } from '#domain/errors.ts';
import { sinkFailure } from './aws-failure.ts';
import type { SecretSink } from './sink.ts';

export function parameterStoreSink(client: () => Promise<SSM>, parameterName: string): SecretSink {
  const description = `SSM parameter ${parameterName}`;
  return {
    description,
    async check(signal) {
      // It needs only the permission to put, so only the name can be checked beforehand.
      if (!/^\/?[a-zA-Z0-9_.-]+(\/[a-zA-Z0-9_.-]+)*$/.test(parameterName))
        throw new AppError('SECRET_SINK_REFUSED', `${description}: the name holds characters that SSM does not allow`);
      try {
        // A client that cannot be loaded should fail now, not when the old key is already gone.
        await client();
      } catch (error) {
        throw sinkFailure(description, 'loading the client', error, signal);
      }
    },
    async deliver({ value }, signal) {
      try {
        const ssm = await client();
        await ssm.putParameter(
          { Name: parameterName, Value: value.reveal(), Type: 'SecureString', Overwrite: true },
          { abortSignal: signal },
        );
      } catch (error) {
        throw sinkFailure(description, 'PutParameter', error, signal);
      }
    },
  };
}
