// `recording set`: switches a channel's recording; `recording pending` and `recording cancel`: what waits for the end of a stream.
import type { Command } from 'commander';
import { ifLiveOption } from './ad-configuration.ts';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { cancelCommand } from './intent-cancel.ts';
import { apiClient, type CliIo, example, printData, table } from './support.ts';

interface Flags extends ActionFlags {
  readonly configuration: string;
  readonly ifLive: string;
}

interface Intent {
  readonly kind: string;
  readonly channelArn: string;
  readonly summary: string;
  readonly since: string;
}

export function register(program: Command, io: CliIo): void {
  const recording = program
    .command('recording')
    .description('recording to S3: switch it, and see what is pending')
    .addHelpText(
      'after',
      example('ivs-autopilot recording set studio-a --configuration prod-s3', 'ivs-autopilot recording pending'),
    );
  const set = recording
    .command('set')
    .description('let a channel record with a configuration, or not at all')
    .argument('[channel]', 'ARN, last part of the ARN, or name')
    .requiredOption('--configuration <which>', 'name, ARN or bucket of a recording configuration, or none')
    .addOption(ifLiveOption());
  actionOptions(set, { bulk: true })
    .addHelpText(
      'after',
      example(
        'ivs-autopilot recording set studio-a --configuration prod-s3',
        'ivs-autopilot recording set --tag show=quiz --configuration none --if-live skip',
      ),
    )
    .action(async (channel: string | undefined, flags: Flags) => {
      const action = { set_recording: { configuration: flags.configuration, if_live: flags.ifLive } };
      await askAction(io, { channel, action, flags });
    });
  recording
    .command('pending')
    .description('what waits for the end of a stream')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot recording pending'))
    .action(async ({ json }: { json?: boolean }) => {
      const answer = (await apiClient(io).get('/v1/intents')) as { intents: readonly Intent[] };
      const rows = answer.intents.map(({ channelArn, summary, since }) => [channelArn, summary, since]);
      printData(io, json, answer, () =>
        rows.length === 0 ? ['nothing waits'] : table([['CHANNEL', 'WHAT', 'SINCE'], ...rows], io),
      );
    });
  cancelCommand(recording, io, 'set_recording');
}
