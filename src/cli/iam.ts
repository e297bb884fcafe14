// `iam`: the least-privilege policy for the loaded rules, or for setting up.
import type { Command } from 'commander';
import { accountIdOf } from '#config/accounts.ts';
import type { Config } from '#config/load.ts';
import type { AccountSettings } from '#config/settings.ts';
import { actionNames } from '#domain/action.ts';
import type { ActionUse } from '#ops/permissions.ts';
import { type CliIo, CommandFailed, example, printJson } from './support.ts';
import { defaultConfigFile } from './validate.ts';

interface Flags {
  readonly account: string;
  readonly region?: string;
  readonly queueArn?: string;
  readonly allActions?: boolean;
  readonly setup?: boolean;
  readonly name: string;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('iam')
    .description('print the IAM policy that the daemon needs for the loaded rules, and no more')
    .argument('[file]', 'configuration (default: AUTOPILOT_CONFIG, else config/autopilot.yaml)')
    .option('--account <id or name>', 'AWS account id, or the name of an entry of `accounts`', '*')
    .option('--region <region>', 'AWS region (default: that of the entry, AWS_REGION, else *)')
    .option('--queue-arn <arn>', 'ARN of the event queue (default: made from the configured URL)')
    .option('--all-actions', 'also what operators may ask for through the API, whether a rule uses it or not')
    .option('--setup', 'the policy for `bootstrap` instead')
    .option('--name <name>', 'name of the set-up, with --setup', 'ivs-autopilot')
    .option('--json', 'as JSON, which it is anyway')
    .addHelpText(
      'after',
      example('ivs-autopilot iam --account 111122223333 --region us-west-2', 'ivs-autopilot iam --setup'),
    )
    .action(async (file: string | undefined, flags: Flags) => {
      const { daemonPolicy, setupPolicy } = await import('#ops/permissions.ts');
      const isId = /^(\*|\d{12})$/.test(flags.account);
      const region = flags.region ?? io.env['AWS_REGION'] ?? '*';
      if (flags.setup && isId) {
        printJson(io, setupPolicy({ region, account: flags.account }, flags.name));
        return;
      }
      const { loadConfig } = await import('#config/load.ts');
      const { actionUses, accountScope, queueArnOf } = await import('#ops/config-uses.ts');
      const config = await loadConfig(file ?? defaultConfigFile(io.env), { queueUrl: io.env['AUTOPILOT_QUEUE_URL'] });
      const entry = entryOf(config, flags.account);
      if (!isId && entry === undefined)
        throw new CommandFailed(
          `--account ${flags.account}: expected 12 digits, or an entry of accounts in ${config.file} (${namesIn(config)}).`,
          2,
        );
      const { events, accounts = [] } = config.settings;
      const of = entry
        ? accountScope(entry, accounts)
        : { region, account: flags.account, queueArn: events.queue_url && queueArnOf(events.queue_url) };
      const scope = { ...of, region: flags.region ?? of.region, queueArn: flags.queueArn ?? of.queueArn };
      if (flags.setup) {
        printJson(io, setupPolicy(scope, flags.name));
        return;
      }
      const uses: ActionUse[] = actionUses(config.ruleset);
      if (flags.allActions) uses.push(...actionNames.map((action) => ({ action })));
      printJson(io, daemonPolicy(uses, scope));
    });
}

/** The entry that is meant: by name, by the number of its account, or the only one. */
function entryOf({ settings, file }: Config, wanted: string): AccountSettings | undefined {
  const accounts = (settings.accounts ?? []).map((account) =>
    settings.accounts?.length === 1 && settings.events.queue_url !== undefined
      ? { queue_url: settings.events.queue_url, ...account }
      : account,
  );
  if (wanted === '*' && accounts.length > 1)
    throw new CommandFailed(
      `${file} names several accounts, and each role has a policy of its own: add --account ${accounts.map(({ name }) => name).join(' or ')}.`,
      2,
    );
  if (wanted === '*') return accounts[0];
  const byNumber = accounts.filter((account) => accountIdOf(account) === wanted);
  return accounts.find(({ name }) => name === wanted) ?? (byNumber.length === 1 ? byNumber[0] : undefined);
}

const namesIn = ({ settings }: Config) => (settings.accounts ?? []).map(({ name }) => name).join(', ') || 'none there';
