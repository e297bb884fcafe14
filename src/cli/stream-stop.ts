// `stream stop`: ends a channel's live stream; with --revoke-key the encoder cannot come back.
import type { Command } from 'commander';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { type CliIo, example } from './support.ts';

interface Flags extends ActionFlags {
  readonly revokeKey?: boolean;
  readonly streamId?: string;
}

export function register(program: Command, io: CliIo): void {
  const stream = program
    .command('stream')
    .description('live streams: stop one')
    .addHelpText('after', example('ivs-autopilot stream stop studio-a --reason "rights ended"'));
  const stop = stream
    .command('stop')
    .description('end the live stream of a channel')
    .argument('<channel>', 'ARN, last part of the ARN, or name')
    .option('--revoke-key', 'delete the stream key first, so that the encoder cannot come back')
    .option('--stream-id <id>', 'do nothing when another stream than this one is live');
  actionOptions(stop, { bulk: false })
    .addHelpText('after', example('ivs-autopilot stream stop studio-a --revoke-key --reason "key leaked"'))
    .action(async (channel: string, flags: Flags) => {
      const action = { stop_stream: flags.revokeKey ? { revoke_key: true } : {} };
      await askAction(io, { channel, action, flags, streamId: flags.streamId });
    });
}
