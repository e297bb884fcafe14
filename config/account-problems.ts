// What is wrong with the accounts and the event queues of a configuration, as far as it can be told without asking AWS.
import { queueOf } from '#domain/queue-url.ts';
import { problemOfRegion } from '#domain/regions.ts';
import { accountIdOf, problemsOfQueueUrl } from './accounts.ts';
import type { Finding, PathPart } from './problem.ts';
import type { ConfigDocument } from './schema.ts';
import type { AccountSettings } from './settings.ts';

type Accounts = NonNullable<ConfigDocument['accounts']>;

/** What cannot work; what only our tables do not know is in `doubtsOfAccounts`. */
export function problemsOfAccounts({ accounts = [], events }: ConfigDocument): Finding[] {
  const [only] = accounts;
  const shared = events.queue_url;
  const ofShared =
    shared === undefined
      ? []
      : problemsOfQueueUrl(shared, accounts.length === 1 && only?.queue_url === undefined ? only : undefined);
  return [
    ...accounts.flatMap((account, index) => problemsOfAccount(account, ['accounts', index])),
    ...sharedByAccounts(accounts),
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

function problemsOfAccount(account: AccountSettings, path: readonly PathPart[]): Finding[] {
  const { region, queue_url: queueUrl } = account;
  const ofRegion = problemOfRegion(region);
  const ofQueue = queueUrl === undefined ? [] : problemsOfQueueUrl(queueUrl, account);
  return [
    ...(ofRegion?.severity === 'error' ? [error([...path, 'region'], ofRegion.message)] : []),
    ...ofQueue.map((message) => error([...path, 'queue_url'], message)),
  ];
}

function error(path: readonly PathPart[], message: string): Finding {
  return { path, message, severity: 'error' };
}

/** Two shards must not have one account's quota in one Region, nor take each other's events from one queue. */
function sharedByAccounts(accounts: Accounts): Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  accounts.forEach((account, index) => {
    const { name, region, assume_role_arn: role, external_id: externalId, queue_url: queue } = account;
    const problem = (field: string, message: string) =>
      findings.push({ path: ['accounts', index, field], message, severity: 'error' });
    const accountId = accountIdOf(account);
    if (role !== undefined && accountIdOf({ assume_role_arn: role }) !== accountId)
      problem('account_id', `the role of assume_role_arn is of another account: ${role}`);
    if (role === undefined && externalId !== undefined)
      problem('external_id', 'it is sent when a role is assumed: name the role as assume_role_arn');
    const claim = (key: string, field: string, what: string) => {
      const owner = owners.get(key);
      const message = `${what} is that of ${owner} already: give each (account, Region) one entry and a queue of its own`;
      if (owner === undefined) owners.set(key, name);
      else problem(field, message);
    };
    claim(`in ${region} ${accountId}`, 'region', `${region} in ${accountId ?? 'the account of the environment'}`);
    if (queue !== undefined) claim(`queue ${queueOf(queue)?.arn ?? queue}`, 'queue_url', 'this queue');
  });
  return findings;
}
