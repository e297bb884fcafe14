// Which accounts a command is about: the entries of the configuration, or the account of the environment, each with its credentials.

import type { Account } from '#config/accounts.ts';
import type { Config } from '#config/load.ts';
import type { DoctorAccount } from '#ops/doctor/doctor-account.ts';
import { type CliIo, CommandFailed } from './support.ts';

export interface AccountFlags {
  /** --account: the name of an entry. */
  readonly account?: string;
  /** --region: for the environment's account. */
  readonly region?: string;
}

/**
 * The chosen entries; empty if the environment's account has no Region.
 * @throws CommandFailed if --account names no entry, or --region is given although the entries have their own
 * @throws AppError CONFIG_INVALID if the environment's Region or queue is invalid
 */
export async function chosenEntries(
  config: Config,
  flags: AccountFlags,
  env: CliIo['env'],
): Promise<readonly Account[]> {
  const { accountsOf } = await import('#config/accounts.ts');
  const configured = config.settings.accounts;
  if (configured && flags.region !== undefined)
    throw new CommandFailed(`The accounts of ${config.file} have their own Regions: use --account instead.`, 2);
  const region = flags.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  const all = configured || region !== undefined ? accountsOf(config, { AWS_REGION: region }) : [];
  return chosen(all, flags.account, config.file);
}

/** The entries with the credentials of their roles. */
export async function withCredentials(entries: readonly Account[]): Promise<DoctorAccount[]> {
  const { awsAccessOf } = await import('#shard/aws-access.ts');
  return entries.map((account) => {
    const { credentials } = awsAccessOf(account, {});
    return typeof credentials === 'function' ? { ...account, credentials } : account;
  });
}

/** The chosen entries with their credentials. @throws as `chosenEntries` */
export async function chosenAccounts(config: Config, flags: AccountFlags, io: CliIo): Promise<DoctorAccount[]> {
  return withCredentials(await chosenEntries(config, flags, io.env));
}

function chosen(accounts: readonly Account[], name: string | undefined, file: string) {
  if (name === undefined) return accounts;
  const entry = accounts.find((account) => account.name === name);
  if (entry) return [entry];
  const names = accounts.map((account) => account.name).join(', ') || 'none';
  throw new CommandFailed(`--account ${name}: no such entry under accounts in ${file} (there: ${names}).`, 2);
}
