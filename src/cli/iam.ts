// `iam`: the least-privilege policy for the loaded rules, or for bootstrap.
import type { Command } from 'commander';
import { type Account, accountIdOf, accountsOf } from '#config/accounts.ts';
import type { Config } from '#config/load.ts';
import { actionNames } from '#domain/action.ts';
import type { ActionUse } from '#ops/permissions.ts';
import { type CliIo, CommandFailed, example, printJson } from './support.ts';
import { defaultConfigFile } from './validate.ts';

interface Flags {
  readonly account: string;
  readonly region?: string;
  readonly queueArn?: string;
  readonly allActions?: boolean;
  readonly enforcedOnly?: boolean;
  readonly each?: boolean;
  readonly setup?: boolean;
  readonly name: string;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('iam')
    .description('print the smallest IAM policy that the daemon needs for the loaded rules')
    .argument('[file]', 'configuration (default: AUTOPILOT_CONFIG, else config/autopilot.yaml)')
    .option('--account <id or name>', 'AWS account id, or the name of an entry of `accounts`', '*')
    .option(
      '--each',
      'print the policies of all entries of `accounts`, and of the daemon’s own identity, as one document',
    )
    .option('--region <region>', 'AWS Region (default: that of the entry, AWS_REGION, that of the queue, else *)')
    .option('--queue-arn <arn>', 'ARN of the event queue (default: made from the configured URL)')
    .option('--enforced-only', 'leave out what only rules in dry run need')
    .option('--all-actions', 'also include every action that operators can request, even if no rule uses it')
    .option('--setup', 'print the policy for `bootstrap` instead')
    .option('--name <name>', 'name of the setup, with --setup', 'ivs-autopilot')
    .option('--json', 'no effect: the output is always JSON')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot iam --account 111122223333 --region us-west-2',
        'ivs-autopilot iam --each',
        'ivs-autopilot iam --setup',
      ),
    )
    .action(async (file: string | undefined, flags: Flags) => {
      const { daemonPolicy, identityPolicy, setupPolicy } = await import('#ops/permissions.ts');
      const isId = /^(\*|\d{12})$/.test(flags.account);
      const region = flags.region ?? io.env['AWS_REGION'];
      if (flags.queueArn !== undefined) requireQueueArn(flags.queueArn);
      if (flags.setup && isId && !flags.each) {
        const place = { region: region ?? '*', account: flags.account };
        warnOfUnknown(io, place);
        printJson(io, setupPolicy(place, flags.name));
        return;
      }
      const { loadConfig } = await import('#config/load.ts');
      const { actionUses, accountScope, identityScope, publishing, queueArnOf } = await import('#ops/config-uses.ts');
      const config = await loadConfig(file ?? defaultConfigFile(io.env), { queueUrl: io.env['AUTOPILOT_QUEUE_URL'] });
      const uses: ActionUse[] = actionUses(config.ruleset, flags.enforcedOnly ? ['enforce'] : undefined);
      if (!flags.setup && !flags.enforcedOnly) noteDryRun(io, config);
      if (flags.allActions) uses.push(...actionNames.map((action) => ({ action })));
      const { publishTo, assumeRoles } = publishing(config.ruleset);
      const accounts = entriesOf(config);
      if (flags.each) {
        if (accounts.length === 0) throw new CommandFailed(`--each: ${config.file} names no accounts.`, 2);
        if (flags.account !== '*' || flags.region !== undefined || flags.queueArn !== undefined)
          throw new CommandFailed('--each is for all entries: leave --account, --region and --queue-arn out.', 2);
        const policyOf = (entry: Account) => {
          const scope = accountScope(entry, accounts);
          const roles = [...new Set([...(scope.assumeRoles ?? []), ...assumeRoles])];
          warnOfUnknown(io, { ...scope, ...(flags.setup ? {} : { hasQueue: entry.queue_url !== undefined }) }, entry);
          return flags.setup
            ? setupPolicy(scope, flags.name)
            : daemonPolicy(uses, { ...scope, publishTo, assumeRoles: roles });
        };
        const policies = Object.fromEntries(accounts.map((entry) => [entry.name, policyOf(entry)]));
        // An entry without a role uses the daemon's own identity, so its policy is the policy of that identity.
        const isOwn = accounts.some(({ assume_role_arn: role }) => role === undefined);
        const identity = flags.setup || isOwn ? {} : { identity: identityPolicy(identityScope(accounts)) };
        printJson(io, { ...identity, accounts: policies });
        return;
      }
      const entry = entryOf(config, flags.account);
      const { events } = config.settings;
      const queueArn = flags.queueArn ?? (entry || !events.queue_url ? undefined : queueArnOf(events.queue_url));
      const [, , , ofQueue, ownerOfQueue] = queueArn?.split(':') ?? [];
      const of = entry
        ? accountScope(entry, accounts, { queueArn })
        : { region: region ?? ofQueue ?? '*', account: ownerOfQueue ?? '*', queueArn };
      const scope = {
        ...of,
        publishTo,
        assumeRoles: [...new Set([...('assumeRoles' in of ? (of.assumeRoles ?? []) : []), ...assumeRoles])],
        account: isId && flags.account !== '*' ? flags.account : of.account,
        region: flags.region ?? of.region,
      };
      const hasQueue = scope.queueArn !== undefined || entry?.queue_url !== undefined;
      warnOfUnknown(io, { ...scope, ...(flags.setup ? {} : { hasQueue }) }, entry);
      if (flags.setup) {
        printJson(io, setupPolicy(scope, flags.name));
        return;
      }
      printJson(io, daemonPolicy(uses, scope));
    });
}

/** Says on standard error what the policy leaves open because it is not known, and how to name it. */
function warnOfUnknown(
  io: CliIo,
  scope: { readonly region: string; readonly account: string; readonly hasQueue?: boolean },
  entry?: Account,
): void {
  const of = entry ? `${entry.name}: ` : '';
  const account = entry ? '`account_id` of the entry' : '--account <id>';
  if (scope.account === '*')
    io.printError(`${of}warning: the account is not known, so the policy names every account (*): set ${account}.`);
  if (scope.region === '*')
    io.printError(
      `${of}warning: the Region is not known, so the policy names every Region (*): set --region <region> or AWS_REGION.`,
    );
  if (scope.hasQueue === false)
    io.printError(
      `${of}warning: no event queue is known, so the policy has no statement for SQS: set ${entry ? '`queue_url` of the entry' : '--queue-arn <arn>, AUTOPILOT_QUEUE_URL or `events.queue_url`'}.`,
    );
}

/** Names the rules that only watch, although the policy allows what they would do. */
function noteDryRun(io: CliIo, { ruleset }: Config): void {
  const names = ruleset.rules.filter(({ mode }) => mode === 'dry_run').map(({ name }) => name);
  if (names.length === 0) return;
  const more = names.length > 10 ? `, and ${names.length - 10} more` : '';
  io.printError(
    `The policy includes the actions of rules in dry run (${names.slice(0, 10).join(', ')}${more}); --enforced-only leaves them out.`,
  );
}

function requireQueueArn(arn: string): void {
  const name = /^arn:aws(?:-cn|-us-gov)?:sqs:[a-z0-9-]+:\d{12}:([A-Za-z0-9_.-]{1,80})$/.exec(arn)?.[1];
  if (name === undefined || name.endsWith('.fifo')) {
    throw new CommandFailed(
      `--queue-arn ${arn}: expected the ARN of a standard queue, such as arn:aws:sqs:us-west-2:111122223333:ivs-events.`,
      2,
    );
  }
}

/** The entries of the file; empty if it has no accounts. */
function entriesOf(config: Config): Account[] {
  return config.settings.accounts ? accountsOf(config, {}) : [];
}

/**
 * The selected entry: by name, by its account number, or the only one; undefined if the file has no accounts.
 * @throws CommandFailed if no entry matches, or more than one
 */
function entryOf(config: Config, wanted: string): Account | undefined {
  const { file } = config;
  const accounts = entriesOf(config);
  const names = (entries: readonly Account[]) => entries.map(({ name }) => name).join(' or ');
  if (wanted === '*' || /^\d{12}$/.test(wanted)) {
    // An entry without an account number may have any.
    const candidates = accounts.filter((account) => wanted === '*' || (accountIdOf(account) ?? wanted) === wanted);
    const sure = candidates.filter((account) => accountIdOf(account) === wanted);
    const meant = sure.length > 0 ? sure : candidates;
    if (meant.length > 1 && wanted === '*')
      throw new CommandFailed(
        `${file} names several accounts, and each role has a policy of its own: add --account ${names(meant)}, or --each for all of them.`,
        2,
      );
    if (meant.length > 1)
      throw new CommandFailed(
        `--account ${wanted} may be several entries of accounts in ${file}: name one, --account ${names(meant)}.`,
        2,
      );
    if (meant.length === 0 && accounts.length > 0)
      throw new CommandFailed(
        `--account ${wanted}: no entry of accounts in ${file} has that account (${names(accounts)}).`,
        2,
      );
    return meant[0];
  }
  const entry = accounts.find(({ name }) => name === wanted);
  if (entry) return entry;
  throw new CommandFailed(
    `--account ${wanted}: expected 12 digits, or an entry of accounts in ${file} (${names(accounts) || 'none there'}).`,
    2,
  );
}
