// Which accounts a configuration means, with what the environment says where it is silent.
import { AppError } from '#domain/errors.ts';
import { problemOfQueue, queueOf } from '#domain/queue-url.ts';
import { problemOfRegion } from '#domain/regions.ts';
import type { AccountSettings, Settings } from './settings.ts';

/** The account's 12 digits as far as the configuration tells: `account_id`, or those of the role. */
export function accountIdOf({
  account_id: id,
  assume_role_arn: role,
}: Pick<AccountSettings, 'account_id' | 'assume_role_arn'>): string | undefined {
  return id ?? /^arn:aws:iam::(\d{12}):/.exec(role ?? '')?.[1];
}

/** The accounts of the configuration, or the one that the environment describes. @throws AppError CONFIG_INVALID */
export function accountsOf(
  { settings, file }: { readonly settings: Settings; readonly file: string },
  env: Readonly<Record<string, string | undefined>>,
): AccountSettings[] {
  if (settings.accounts) {
    const fallback = settings.events.queue_url;
    const only = settings.accounts.length === 1;
    return settings.accounts.map((account) =>
      only && account.queue_url === undefined && fallback !== undefined ? { ...account, queue_url: fallback } : account,
    );
  }
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  if (!region)
    throw new AppError('CONFIG_INVALID', `no AWS Region: set AWS_REGION, or name one under accounts in ${file}`);
  const { queue_url: queueUrl } = settings.events;
  const ofRegion = problemOfRegion(region);
  if (ofRegion?.severity === 'error') throw new AppError('CONFIG_INVALID', `AWS_REGION: ${ofRegion.message}`);
  const [ofQueue] = queueUrl === undefined ? [] : problemsOfQueueUrl(queueUrl, { region });
  if (ofQueue !== undefined) throw new AppError('CONFIG_INVALID', `the event queue ${queueUrl}: ${ofQueue}`);
  return [{ name: 'main', region, ...(queueUrl === undefined ? {} : { queue_url: queueUrl }) }];
}

/** What is wrong with a queue for an entry of `accounts`; a URL that is not AWS's may be a stand-in's, of which nothing is known. */
export function problemsOfQueueUrl(
  url: string,
  account: Pick<AccountSettings, 'region' | 'account_id' | 'assume_role_arn'> | undefined,
): string[] {
  const queue = queueOf(url);
  if (!queue) return [];
  const problems = [problemOfQueue(queue) ?? []].flat();
  if (account && problemOfRegion(account.region)?.severity !== 'error' && queue.region !== account.region) {
    problems.push(
      `the queue is in ${queue.region}, and the entry is for ${account.region}: the events of a Region reach queues of that Region`,
    );
  }
  const accountId = account && accountIdOf(account);
  if (accountId !== undefined && queue.account !== accountId) {
    problems.push(`the queue is of the account ${queue.account}, and the entry is for ${accountId}`);
  }
  return problems;
}
