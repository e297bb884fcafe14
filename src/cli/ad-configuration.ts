// `ad-configuration set`: which ads a channel has, or none.
import type { Command, Option } from 'commander';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { cancelCommand } from './intent-cancel.ts';
import { choiceOption } from './options.ts';
import { type CliIo, example } from './support.ts';

interface Flags extends ActionFlags {
  readonly configuration: string;
  readonly ifLive: string;
}

/** What to do with a live channel; shared by all settings that take effect with the next stream. */
export function ifLiveOption(): Option {
  return choiceOption('--if-live <what>', 'what to do while the channel is live', [
    'defer',
    'skip',
    'fail',
    'restart',
  ]).default('defer');
}

export function register(program: Command, io: CliIo): void {
  const ads = program
    .command('ad-configuration')
    .description('server-side ads: attach an ad configuration to a channel, or detach it')
    .addHelpText('after', example('ivs-autopilot ad-configuration set studio-a --configuration show-ads'));
  const set = ads
    .command('set')
    .description('attach an ad configuration to a channel, or detach it')
    .argument('[channel]', 'ARN, last part of the ARN, or name')
    .requiredOption('--configuration <which>', 'name or ARN of an ad configuration, or none')
    .addOption(ifLiveOption());
  actionOptions(set, { bulk: true })
    .addHelpText(
      'after',
      example(
        'ivs-autopilot ad-configuration set studio-a --configuration show-ads',
        'ivs-autopilot ad-configuration set --tag show=quiz --configuration none --dry-run',
      ),
    )
    .action(async (channel: string | undefined, flags: Flags) => {
      const action = { set_ad_configuration: { configuration: flags.configuration, if_live: flags.ifLive } };
      await askAction(io, { channel, action, flags });
    });
  cancelCommand(ads, io, 'set_ad_configuration');
}
