// `recording set`: switches a channel's recording; `recording pending` and `recording cancel`: changes that wait for the end of a stream.
import type { Command } from 'commander';
import { ifLiveOption } from './ad-configuration.ts';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { named } from './channels.ts';
import { cancelCommand } from './intent-cancel.ts';
import { apiClient, type CliIo, CommandFailed, example, printData, table } from './support.ts';

interface Flags extends ActionFlags {
  readonly configuration: string;
  readonly ifLive: string;
}

interface EnsureFlags extends ActionFlags {
  readonly bucket: string;
  readonly reconnectWindow?: string;
  readonly account?: string;
}

interface Intent {
  readonly kind: string;
  readonly channelArn: string;
  readonly channelName: string;
  readonly summary: string;
  readonly since: string;
}

export function register(program: Command, io: CliIo): void {
  const recording = program
    .command('recording')
    .description('recording to S3: turn it on or off, and list pending changes')
    .addHelpText(
      'after',
      example('ivs-autopilot recording set studio-a --configuration prod-s3', 'ivs-autopilot recording pending'),
    );
  const set = recording
    .command('set')
    .description('set the recording configuration of a channel, or none')
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
    .description('list changes that wait for the end of a stream')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot recording pending'))
    .action(async ({ json }: { json?: boolean }) => {
      const answer = (await apiClient(io).get('/v1/intents')) as { intents: readonly Intent[] };
      const rows = answer.intents.map((intent) => [named(intent), intent.summary, intent.since]);
      printData(io, json, answer, () =>
        rows.length === 0 ? ['nothing waits'] : table([['CHANNEL', 'WHAT', 'SINCE'], ...rows], io),
      );
    });
  const ensure = recording
    .command('ensure')
    .description('create a recording configuration unless one of this name exists, and wait until it is ACTIVE')
    .argument('<name>', 'letters, digits, hyphens and underscores')
    .requiredOption('--bucket <name>', 'S3 bucket in the same Region and account')
    .option('--reconnect-window <seconds>', 'a stream that reconnects within this time continues the same recording')
    .option('--account <name>', 'account of the configuration, if there are several');
  actionOptions(ensure, { bulk: false })
    .addHelpText('after', example('ivs-autopilot recording ensure prod-s3 --bucket prod-recordings'))
    .action(async (name: string, flags: EnsureFlags) => {
      const { bucket, reconnectWindow, account } = flags;
      if (reconnectWindow !== undefined && !/^\d{1,3}$/.test(reconnectWindow))
        throw new CommandFailed(`--reconnect-window ${reconnectWindow}: expected whole seconds from 0 to 300.`, 2);
      const window = reconnectWindow === undefined ? {} : { reconnect_window_seconds: Number(reconnectWindow) };
      const action = { ensure_recording_configuration: { name, bucket, ...window } };
      await askAction(io, { channel: undefined, action, flags, ofAccount: { account } });
    });
  cancelCommand(recording, io, 'set_recording');
}
