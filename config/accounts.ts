// The accounts of a configuration, completed from the environment.
import { AppError } from '#domain/errors.ts';
import { problemOfQueue, queueOf } from '#domain/queue-url.ts';
import { problemOfRegion } from '#domain/regions.ts';
import type { AccountSettings, Settings } from './settings.ts';

/** An entry in its resolved form. */
export interface Account extends AccountSettings {
  /** For an entry whose queue others use too; undefined: it has a queue of its own, or none. */
  readonly sharedQueue?: SharedQueue | undefined;
}

export interface SharedQueue {
  /** This entry reads the queue for all of them: exactly one does. */
  readonly isReader: boolean;
  /** The queue belongs to this entry's account and Region. If it belongs to none of them, it is read with the daemon's own identity. */
  readonly isOwner: boolean;
}

/** In a role, the placeholder for the account's number. */
export const accountPlaceholder = '{account}';

/** The role of an entry with the account's number filled in; unchanged while that is not known. */
export function roleOf({
  account_id: id,
  assume_role_arn: role,
}: Pick<AccountSettings, 'account_id' | 'assume_role_arn'>): string | undefined {
  return id === undefined ? role : role?.replaceAll(accountPlaceholder, id);
}

/** The account's 12 digits, if the configuration contains them: `account_id`, or those of the role. */
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
): Account[] {
  if (settings.accounts) {
    const fallback = settings.events.queue_url;
    const only = settings.accounts.length === 1;
    if (only && settings.accounts[0]!.queue_url === undefined && fallback !== undefined)
      return [{ ...settings.accounts[0]!, queue_url: fallback }];
    return withSharedQueues(settings.accounts);
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

/** The same for every form of a queue's URL. */
export function queueKeyOf(url: string): string {
  return queueOf(url)?.arn ?? url;
}

/** Which entries share a queue. */
export function entriesByQueue<A extends Pick<AccountSettings, 'queue_url'>>(
  accounts: readonly A[],
): ReadonlyMap<string, readonly A[]> {
  const withQueue = accounts.filter(({ queue_url: url }) => url !== undefined);
  return Map.groupBy(withQueue, ({ queue_url: url }) => queueKeyOf(url!));
}

/** The owner of a shared queue reads it, otherwise the first of those that share it. */
function withSharedQueues(accounts: readonly AccountSettings[]): Account[] {
  const shared = new Map<AccountSettings, SharedQueue>();
  for (const sharing of entriesByQueue(accounts).values()) {
    if (sharing.length < 2) continue;
    const queue = queueOf(sharing[0]!.queue_url!);
    const owner = sharing.find((entry) => accountIdOf(entry) === queue?.account && entry.region === queue?.region);
    const reader = owner ?? sharing[0];
    for (const entry of sharing) shared.set(entry, { isReader: entry === reader, isOwner: entry === owner });
  }
  return accounts.map((entry) => (shared.has(entry) ? { ...entry, sharedQueue: shared.get(entry) } : entry));
}

/**
 * What is wrong with a queue for an entry of `accounts`; a URL that is not AWS's may be that of a stand-in, about which nothing is known.
 */
export function problemsOfQueueUrl(
  url: string,
  account: Pick<AccountSettings, 'region' | 'account_id' | 'assume_role_arn'> | undefined,
): string[] {
  const queue = queueOf(url);
  if (!queue) return [];
  const problems = [problemOfQueue(queue) ?? []].flat();
  if (account && problemOfRegion(account.region)?.severity !== 'error' && queue.region !== account.region) {
    problems.push(
      `the queue is in ${queue.region}, but the entry is for ${account.region}: the events of a Region only reach queues in that Region`,
    );
  }
  const accountId = account && accountIdOf(account);
  if (accountId !== undefined && queue.account !== accountId) {
    problems.push(`the queue belongs to the account ${queue.account}, but the entry is for ${accountId}`);
  }
  return problems;
}
