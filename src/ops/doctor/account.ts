// Which identity do we have in this account? And does an earlier entry already have this account?
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { awsToleranceMs } from '#domain/replica.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import { AwsClock } from '#runtime/aws-clock.ts';
import { systemClock } from '#runtime/clock.ts';
import { invalidAnswer } from '#runtime/wire-answers.ts';
import { explainAwsFailure } from '../aws-failure.ts';
import { type Check, green, red, type Verdict } from './check.ts';
import type { DoctorAccount } from './doctor-account.ts';

/** What STS returned, for later checks: name of the entry → number of the account. */
export type AccountsFound = Map<string, { readonly id: string; readonly region: string }>;

export function accountCheck({ name, region, credentials }: DoctorAccount, found: AccountsFound): Check {
  return {
    name: 'AWS account',
    async run(abortSignal) {
      const awsClock = new AwsClock(() => systemClock.now());
      const client = createAwsClient(STSClient, { region, credentials }, { requestTimeoutMs: 10_000, awsClock });
      try {
        const { Account: id = '', Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal });
        if (!/^\d{12}$/.test(id)) throw invalidAnswer('AWS_ANSWER_INVALID', 'GetCallerIdentity', 'Account');
        const twin = [...found].find(([, other]) => other.id === id && other.region === region)?.[0];
        found.set(name, { id, region });
        const text = `${id} in ${region}, as ${Arn}`;
        if (twin === undefined) return [green(text), ...clockVerdicts(awsClock.aheadMs)];
        return red(
          `${text}: ${twin} already has this account and Region, so both would poll and act on the same channels`,
          `Remove one of the entries ${twin} and ${name}, or give ${name} the role of another account.`,
        );
      } catch (error) {
        const { text, todo } = explainAwsFailure(error, { region, action: 'sts:GetCallerIdentity' });
        return red(text, todo);
      } finally {
        client.destroy();
      }
    },
  };
}

/** A line if the clock of this machine is off. */
function clockVerdicts(aheadMs = 0): Verdict[] {
  if (Math.abs(aheadMs) <= awsToleranceMs) return [];
  return [
    red(
      `the clock of this machine is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} AWS's`,
      'Run a time service (chrony, systemd-timesyncd): AWS refuses calls whose time is off by five minutes.',
    ),
  ];
}
