// `stream stop`: ends a channel's live stream; with --revoke-key the encoder cannot come back.
import type { Command } from 'commander';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { resolveChannel } from './channels.ts';
import { apiClient, type CliIo, CommandFailed, example } from './support.ts';

interface Flags extends ActionFlags {
  readonly revokeKey?: boolean;
  readonly streamId?: string;
  readonly yes?: boolean;
}

/** Adds `stop` to the commands of `stream`. */
export function registerStop(stream: Command, io: CliIo): void {
  const stop = stream
    .command('stop')
    .description('stop the live stream of a channel')
    .argument('<channel>', 'ARN, last part of the ARN, or name')
    .option('--revoke-key', 'delete the stream key first, so that the encoder cannot come back')
    .option('--stream-id <id>', 'do nothing if a different stream is live')
    .option('--yes', 'do not ask at the terminal');
  actionOptions(stop, { bulk: false })
    .addHelpText('after', example('ivs-autopilot stream stop studio-a --revoke-key --reason "key leaked"'))
    .action(async (channel: string, flags: Flags) => {
      if (io.ask && !flags.yes && !flags.dryRun) await confirm(io, channel, flags);
      const action = { stop_stream: flags.revokeKey ? { revoke_key: true } : {} };
      await askAction(io, { channel, action, flags, streamId: flags.streamId });
    });
}

interface StreamAnswer {
  readonly channel?: { readonly name?: string };
  readonly record?: { readonly state?: string; readonly viewerCount?: number; readonly streamId?: string };
}

/** Shows the stream and how many people watch it, and asks. @throws CommandFailed unless the answer is yes */
async function confirm(io: CliIo, channel: string, { revokeKey }: Flags): Promise<void> {
  const api = apiClient(io);
  const arn = await resolveChannel(api, channel);
  const { channel: known, record } = (await api.get(`/v1/streams/${encodeURIComponent(arn)}`)) as StreamAnswer;
  const name = known?.name ? `${known.name} (${arn})` : arn;
  const viewers = record?.viewerCount === undefined ? 'viewers unknown' : `${record.viewerCount} viewers`;
  const state = record?.state === 'live' ? `live, ${viewers}` : 'not known to be live';
  const key = revokeKey ? ', and delete its stream key' : '';
  const answer = await io.ask!(`Stop the stream of ${name}: ${state}${key}? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailed('Nothing was stopped.', 1);
}
