// What is wrong with the accounts and the event queues of a configuration, as far as can be seen without AWS.
import { problemOfRegion } from '#domain/regions.ts';
import { accountIdOf, accountPlaceholder, entriesByQueue, problemsOfQueueUrl, queueKeyOf, roleOf } from './accounts.ts';
import type { Finding, PathPart } from './problem.ts';
import type { ConfigDocument } from './schema.ts';
import type { AccountSettings } from './settings.ts';

type Accounts = NonNullable<ConfigDocument['accounts']>;

/** What cannot work; what only our tables do not know is in `doubtsOfAccounts`. */
export function problemsOfAccounts({ accounts = [], events }: ConfigDocument): Finding[] {
  const [only] = accounts;
  const sharing = entriesThatShare(accounts);
  const shared = events.queue_url;
  const ofShared =
    shared === undefined
      ? []
      : problemsOfQueueUrl(shared, accounts.length === 1 && only?.queue_url === undefined ? only : undefined);
  return [
    ...accounts.flatMap((account, index) => problemsOfAccount(account, ['accounts', index], sharing.has(account))),
    ...sharedByAccounts(accounts, sharing),
    ...ofShared.map((message) => error(['events', 'queue_url'], message)),
  ];
}

/** Regions that are newer than our table, and a queue that nobody reads. */
export function doubtsOfAccounts({ accounts = [], events }: ConfigDocument): Finding[] {
  const findings = accounts.flatMap(({ region }, index): Finding[] => {
    const problem = problemOfRegion(region);
    return problem?.severity === 'warning' ? [{ ...problem, path: ['accounts', index, 'region'] }] : [];
  });
  if (events.queue_url !== undefined && (accounts.length > 1 || accounts[0]?.queue_url !== undefined)) {
    const message = 'nothing reads this queue: each entry of `accounts` has its own queue_url';
    findings.push({ path: ['events', 'queue_url'], message, severity: 'warning' });
  }
  return findings;
}

/** Entries whose queue others use too, and all of which have an account_id: the queue may belong to any account and Region. */
function entriesThatShare(accounts: Accounts): ReadonlySet<AccountSettings> {
  const groups = Array.from(entriesByQueue(accounts).values());
  return new Set(
    groups.filter((sharing) => sharing.length > 1 && sharing.every((entry) => accountIdOf(entry) !== undefined)).flat(),
  );
}

function problemsOfAccount(account: AccountSettings, path: readonly PathPart[], sharesQueue: boolean): Finding[] {
  const { region, queue_url: queueUrl } = account;
  const ofRegion = problemOfRegion(region);
  const ofQueue = queueUrl === undefined ? [] : problemsOfQueueUrl(queueUrl, sharesQueue ? undefined : account);
  return [
    ...problemsOfRole(account, path),
    ...(ofRegion?.severity === 'error' ? [error([...path, 'region'], ofRegion.message)] : []),
    ...ofQueue.map((message) => error([...path, 'queue_url'], message)),
  ];
}

function problemsOfRole(account: AccountSettings, path: readonly PathPart[]): Finding[] {
  const { assume_role_arn: role = '', account_id: id } = account;
  if (role.includes(accountPlaceholder) && id === undefined)
    return [
      error(
        [...path, 'account_id'],
        `assume_role_arn has ${accountPlaceholder}: give the account's 12 digits, in quotes`,
      ),
    ];
  const [other] = /\{[^}]*\}?|\}/.exec(role.replaceAll(accountPlaceholder, '')) ?? [];
  return other === undefined
    ? []
    : [error([...path, 'assume_role_arn'], `${other} stands for nothing: only ${accountPlaceholder} is filled in`)];
}

function error(path: readonly PathPart[], message: string): Finding {
  return { path, message, severity: 'error' };
}

/**
 * Two shards must not share one account's quota in one Region, nor take each other's events from a queue that does not distinguish them.
 */
function sharedByAccounts(accounts: Accounts, sharing: ReadonlySet<AccountSettings>): Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  accounts.forEach((account, index) => {
    const { name, region, external_id: externalId, queue_url: queue } = account;
    const role = roleOf(account);
    const problem = (field: string, message: string) =>
      findings.push({ path: ['accounts', index, field], message, severity: 'error' });
    const accountId = accountIdOf(account);
    if (role !== undefined && !role.includes('{') && accountIdOf({ assume_role_arn: role }) !== accountId)
      problem('account_id', `the role in assume_role_arn belongs to another account: ${role}`);
    if (role === undefined && externalId !== undefined)
      problem('external_id', 'external_id is only used with a role: set assume_role_arn');
    const claim = (key: string, field: string, what: string, remedy: string) => {
      const owner = owners.get(key);
      const message = `${owner} already has ${what}: ${remedy}`;
      if (owner === undefined) owners.set(key, name);
      else problem(field, message);
    };
    const where = `${region} in ${accountId ?? 'the account of the environment'}`;
    claim(`in ${region} ${accountId}`, 'region', where, 'give each (account, Region) one entry');
    if (queue !== undefined && !sharing.has(account)) {
      const remedy =
        'give each entry a queue of its own, or, where one queue has the events of all, each entry its account_id';
      claim(`queue ${queueKeyOf(queue)}`, 'queue_url', 'this queue', remedy);
    }
  });
  return findings;
}
