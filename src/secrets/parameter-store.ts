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
      // Putting is the only permission it needs, so only the name can be judged before.
      if (!/^\/?[a-zA-Z0-9_.-]+(\/[a-zA-Z0-9_.-]+)*$/.test(parameterName))
        throw new AppError('SECRET_SINK_REFUSED', `${description}: the name holds characters that SSM does not allow`);
      try {
        // What cannot be loaded is better known now than when the old key is gone.
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
