// Who are we at AWS?
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { messageOf } from '#domain/errors.ts';
import { type Check, green, red } from './check.ts';

export interface AccountFound {
  account: string | undefined;
}

/** Notes the account's number in `found` for the checks after it. */
export function accountCheck({ region, found }: { region: string; found: AccountFound }): Check {
  return {
    name: 'AWS account',
    async run(abortSignal) {
      const client = new STSClient({ region, maxAttempts: 2 });
      try {
        const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal });
        found.account = Account;
        return green(`${Account} in ${region}, as ${Arn}`);
      } catch (error) {
        return red(
          `AWS does not know the credentials: ${messageOf(error)}`,
          'Set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the container a role.',
        );
      } finally {
        client.destroy();
      }
    },
  };
}
