// `playback-restriction set`: who may play a channel; `playback-restriction edit`: the countries and origins of a policy.
import type { Command } from 'commander';
import { ifLiveOption } from './ad-configuration.ts';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { cancelCommand } from './intent-cancel.ts';
import { type CliIo, CommandFailed, example } from './support.ts';

interface SetFlags extends ActionFlags {
  readonly policy: string;
  readonly ifLive: string;
}

interface EditFlags extends ActionFlags {
  readonly countries?: string;
  readonly origins?: string;
  readonly account?: string;
}

export function register(program: Command, io: CliIo): void {
  const restriction = program
    .command('playback-restriction')
    .description('playback restriction policies: attach them to channels, change their countries and origins')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot playback-restriction set studio-a --policy europe',
        'ivs-autopilot playback-restriction edit europe --countries GB,IE --dry-run',
      ),
    );
  const set = restriction
    .command('set')
    .description('attach a playback restriction policy to a channel, or detach it')
    .argument('[channel]', 'ARN, last part of the ARN, or name')
    .requiredOption('--policy <which>', 'name or ARN of a playback restriction policy, or none')
    .addOption(ifLiveOption());
  actionOptions(set, { bulk: true })
    .addHelpText('after', example('ivs-autopilot playback-restriction set --tag show=cup --policy europe'))
    .action(async (channel: string | undefined, flags: SetFlags) => {
      const action = { set_playback_restriction: { policy: flags.policy, if_live: flags.ifLive } };
      await askAction(io, { channel, action, flags });
    });
  cancelCommand(restriction, io, 'set_playback_restriction');
  const edit = restriction
    .command('edit')
    .description('change the countries and origins of a policy, for all its channels, including live ones')
    .argument('<policy>', 'name or ARN of the policy')
    .option('--countries <codes>', 'two-letter codes separated by commas, such as GB,IE; all for every country')
    .option('--origins <origins>', 'origins separated by commas, such as https://www.example.com; all for every origin')
    .option('--account <name>', 'account of the policy, if there are several');
  actionOptions(edit, { bulk: false })
    .addHelpText(
      'after',
      example(
        'ivs-autopilot playback-restriction edit europe --countries GB,IE --dry-run',
        'ivs-autopilot playback-restriction edit europe --origins all --reason "campaign over"',
      ),
    )
    .action(async (policy: string, flags: EditFlags) => {
      const { countries, origins, account } = flags;
      if (countries === undefined && origins === undefined)
        throw new CommandFailed('Say what to change: --countries, --origins or both.', 2);
      const lists = {
        ...(countries === undefined ? {} : { allowed_countries: listOf(countries) }),
        ...(origins === undefined ? {} : { allowed_origins: listOf(origins) }),
      };
      const action = { edit_playback_restriction: { policy, ...lists } };
      await askAction(io, { channel: undefined, action, flags, ofAccount: { account } });
    });
}

function listOf(text: string): string[] {
  return text === 'all'
    ? []
    : text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
}
