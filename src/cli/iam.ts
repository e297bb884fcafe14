// `iam`: the least-privilege policy for the loaded rules, or for setting up.
import type { Command } from 'commander';
import { actionNames } from '#domain/action.ts';
import type { ActionUse } from '#ops/permissions.ts';
import { type CliIo, CommandFailed, example } from './support.ts';
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
    .option('--account <id>', 'AWS account id', '*')
    .option('--region <region>', 'AWS region (default: AWS_REGION, else *)')
    .option('--queue-arn <arn>', 'ARN of the event queue (default: made from events.queue_url)')
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
      if (!/^(\*|\d{12})$/.test(flags.account))
        throw new CommandFailed(`--account ${flags.account}: expected 12 digits.`, 2);
      const scope = { region: flags.region ?? io.env['AWS_REGION'] ?? '*', account: flags.account };
      if (flags.setup) {
        io.print(JSON.stringify(setupPolicy(scope, flags.name), null, 2));
        return;
      }
      const { loadConfig } = await import('#config/load.ts');
      const { actionUses, queueArnOf } = await import('#ops/config-uses.ts');
      const config = await loadConfig(file ?? defaultConfigFile(io.env), { queueUrl: io.env['AUTOPILOT_QUEUE_URL'] });
      const queueUrls = [
        config.settings.events.queue_url,
        ...(config.settings.accounts ?? []).map((each) => each.queue_url),
      ];
      const queueArn =
        flags.queueArn ?? queueUrls.map((url) => url && queueArnOf(url)).find((arn) => arn !== undefined);
      const uses: ActionUse[] = actionUses(config.ruleset);
      if (flags.allActions) uses.push(...actionNames.map((action) => ({ action })));
      io.print(JSON.stringify(daemonPolicy(uses, { ...scope, queueArn }), null, 2));
    });
}
