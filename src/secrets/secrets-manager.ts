// AWS Secrets Manager: each delivery is a new version that becomes AWSCURRENT; the previous one stays as AWSPREVIOUS.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
import type { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { exceptionName, sinkFailure } from './aws-failure.ts';
import type { SecretSink } from './sink.ts';

/** A secret by name or ARN. A name that does not exist is created by the first delivery. */
export function secretsManagerSink(client: () => Promise<SecretsManager>, secretId: string): SecretSink {
  const description = `Secrets Manager secret ${secretId}`;
  const isArn = secretId.startsWith('arn:');
  return {
    description,
    async check(signal) {
      try {
        const secretsManager = await client();
        await secretsManager.describeSecret({ SecretId: secretId }, { abortSignal: signal });
      } catch (error) {
        // Describing may be forbidden even if putting is allowed; a missing secret will be created.
        const name = exceptionName(error);
        if (name === 'AccessDeniedException' || (name === 'ResourceNotFoundException' && !isArn)) return;
        throw sinkFailure(description, 'DescribeSecret', error, signal);
      }
    },
    async deliver({ value }, signal) {
      try {
        const secretsManager = await client();
        const put = () =>
          secretsManager.putSecretValue({ SecretId: secretId, SecretString: value.reveal() }, { abortSignal: signal });
        const create = () =>
          secretsManager.createSecret({ Name: secretId, SecretString: value.reveal() }, { abortSignal: signal });
        try {
          await put();
        } catch (error) {
          if (exceptionName(error) !== 'ResourceNotFoundException' || isArn) throw error;
          await create().catch(async (failure: unknown) => {
            // An answer was lost, or another delivery was quicker: the secret exists now.
            if (exceptionName(failure) !== 'ResourceExistsException') throw failure;
            await put();
          });
        }
      } catch (error) {
        throw sinkFailure(description, 'PutSecretValue', error, signal);
      }
    },
  };
}
