// `viewers revoke`: ends the running sessions of viewers of a private channel.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { messageOf } from '#domain/errors.ts';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { type CliIo, CommandFailed, example } from './support.ts';

interface Flags extends ActionFlags {
  readonly from?: string;
  readonly versionsUpTo?: string;
}

export function register(program: Command, io: CliIo): void {
  const viewers = program
    .command('viewers')
    .description('viewers of private channels: end their sessions')
    .addHelpText('after', example('ivs-autopilot viewers revoke studio-a viewer-17 --reason "account closed"'));
  const revoke = viewers
    .command('revoke')
    .description('end the running sessions of viewers, by the aws:viewer-id of their playback tokens')
    .argument('<channel>', 'ARN, last part of the ARN, or name')
    .argument('[viewers...]', 'viewer ids')
    .option('--from <file>', 'read further ids from a file, one per line; - reads standard input')
    .option(
      '--versions-up-to <number>',
      'only sessions with this aws:viewer-session-version or a lower one (default: 0)',
    );
  actionOptions(revoke, { bulk: false })
    .addHelpText(
      'after',
      example(
        'ivs-autopilot viewers revoke studio-a viewer-17 viewer-18 --versions-up-to 3',
        'ivs-autopilot viewers revoke studio-a --from closed-accounts.txt --dry-run',
      ),
    )
    .action(async (channel: string, given: readonly string[], flags: Flags) => {
      const { versionsUpTo } = flags;
      if (versionsUpTo !== undefined && !/^\d{1,15}$/.test(versionsUpTo))
        throw new CommandFailed(`--versions-up-to ${versionsUpTo}: expected a whole number from 0.`, 2);
      const ids = [...given, ...(flags.from === undefined ? [] : await idsOf(io, flags.from))];
      if (ids.length === 0) throw new CommandFailed('Say which viewers: their ids, or a file with --from.', 2);
      const version = versionsUpTo === undefined ? {} : { versions_up_to: Number(versionsUpTo) };
      await askAction(io, { channel, action: { revoke_viewers: { viewers: ids, ...version } }, flags });
    });
}

async function idsOf(io: CliIo, from: string): Promise<string[]> {
  const read = from === '-' ? io.readInput : () => readFile(from, 'utf8');
  if (!read) throw new CommandFailed('--from -: no standard input is available.', 2);
  const text = await read().catch((error: unknown) => {
    throw new CommandFailed(`--from ${from}: ${messageOf(error)}`, 2);
  });
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
