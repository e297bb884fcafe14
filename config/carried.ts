// Which of the configured accounts this process carries: `run --accounts`, or AUTOPILOT_ACCOUNTS.
import { AppError } from '#domain/errors.ts';
import { isNamedBy } from '#domain/name-pattern.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { entriesByQueue } from './accounts.ts';
import type { AccountSettings } from './settings.ts';

/** The selection, and where it was made: `run --accounts` or `AUTOPILOT_ACCOUNTS`, for messages. */
export interface AccountSelection {
  readonly text: string;
  readonly from: string;
}

type AccountWithQueue = Pick<AccountSettings, 'name' | 'queue_url'>;

/** The option, otherwise the variable; undefined: all accounts. */
export function selectionOf(
  option: string | undefined,
  { AUTOPILOT_ACCOUNTS: variable }: Readonly<Record<string, string | undefined>>,
  from = 'run --accounts',
): AccountSelection | undefined {
  if (option !== undefined) return { text: option, from };
  return variable ? { text: variable, from: 'AUTOPILOT_ACCOUNTS' } : undefined;
}

/**
 * The accounts that are selected, in the order of the configuration.
 * @param selection names and patterns separated by commas, where `*` stands for any characters; undefined: all
 * @throws AppError ACCOUNTS_INVALID: a name that is unknown, a pattern that selects nothing, a part of those that share an event queue
 */
export function carriedAccounts<A extends AccountWithQueue>(
  accounts: readonly A[],
  selection: AccountSelection | undefined,
): readonly [A, ...A[]] {
  const names = accounts.map(({ name }) => name);
  const wanted = selection === undefined ? undefined : wantedNames(names, selection);
  const carried = accounts.filter(({ name }) => wanted?.has(name) ?? true) as [A, ...A[]];
  if (selection) refuseSplitQueues(accounts, new Set(carried), selection);
  return carried;
}

/** The reader of a queue deletes its messages: those for an account that another process carries would be lost. */
function refuseSplitQueues<A extends AccountWithQueue>(
  accounts: readonly A[],
  carried: ReadonlySet<A>,
  { from }: AccountSelection,
): void {
  for (const sharing of entriesByQueue(accounts).values()) {
    const [here, elsewhere] = [true, false].map((isHere) => sharing.filter((entry) => carried.has(entry) === isHere));
    if (here!.length === 0 || elsewhere!.length === 0) continue;
    const listOf = (entries: readonly A[]) => listed(entries.map(({ name }) => name));
    throw new AppError(
      'ACCOUNTS_INVALID',
      `${from}: ${listOf(here!)} and ${listOf(elsewhere!)} have one event queue, and whoever reads it must carry them all: select both, or give them queues of their own`,
    );
  }
}

function wantedNames(names: readonly string[], { text, from }: AccountSelection): ReadonlySet<string> {
  const refuse = (problem: string): never => {
    throw new AppError('ACCOUNTS_INVALID', `${from}: ${problem}; accounts of the configuration: ${listed(names)}`);
  };
  const parts = text.split(',').map((part) => part.trim());
  const wanted = new Set<string>();
  for (const part of parts) {
    if (part === '')
      refuse(
        parts.length === 1
          ? 'selects nothing: name accounts, or leave it out for all of them'
          : 'has a comma with no name before or after it',
      );
    if (!/^[a-z0-9*-]+$/.test(part))
      refuse(
        `${JSON.stringify(part)} is no name: names have lower-case letters, digits and hyphens, and * stands for any${didYouMean(part, names)}`,
      );
    const found = names.filter((name) => isNamedBy(name, part));
    if (found.length === 0)
      refuse(
        part.includes('*') ? `${part} selects no account` : `there is no account ${part}${didYouMean(part, names)}`,
      );
    for (const name of found) wanted.add(name);
  }
  return wanted;
}

const mostListed = 30;

function listed(names: readonly string[]): string {
  const more = names.length - mostListed;
  return `${names.slice(0, mostListed).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}
