// `key rotate`: a new stream key for a channel, or for every channel with a tag; `key age`: how old the keys are.
import type { Command } from 'commander';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { choiceOption } from './options.ts';
import { apiClient, type CliIo, CommandFailed, example, printData, table } from './support.ts';

interface Flags extends ActionFlags {
  readonly when: string;
  readonly secret?: string;
  readonly parameter?: string;
  readonly file?: string;
  readonly webhookUrlFile?: string;
  readonly hmacKeyFile?: string;
}

export function register(program: Command, io: CliIo): void {
  const key = program
    .command('key')
    .description('stream keys: rotate them, and see how old they are')
    .addHelpText(
      'after',
      example('ivs-autopilot key rotate studio-a --secret ivs/studio-a/stream-key', 'ivs-autopilot key age'),
    );
  const rotate = key
    .command('rotate')
    .description('delete the stream key, create a new one, deliver it, and verify')
    .argument('[channel]', 'ARN, last part of the ARN, or name')
    .addOption(
      choiceOption('--when <when>', 'offline waits for the end of a live stream; now_and_stop ends it', [
        'offline',
        'now',
        'now_and_stop',
      ]).default('offline'),
    )
    .option('--secret <name>', 'deliver into this AWS Secrets Manager secret')
    .option('--parameter <name>', 'deliver into this SSM SecureString parameter')
    .option('--file <path>', 'deliver into this file of the daemon’s machine, mode 0600')
    .option('--webhook-url-file <path>', 'deliver to the HTTPS address in this file, with --hmac-key-file')
    .option('--hmac-key-file <path>', 'file with the key that signs the webhook');
  actionOptions(rotate, { bulk: true })
    .addHelpText(
      'after',
      example(
        'ivs-autopilot key rotate studio-a --secret ivs/studio-a/stream-key',
        `ivs-autopilot key rotate --tag tier=gold --secret 'ivs/{{ channel.id }}/stream-key' --dry-run`,
      ),
    )
    .action(async (channel: string | undefined, flags: Flags) => {
      const action = { rotate_stream_key: { when: flags.when, deliver: deliveryOf(flags) } };
      await askAction(io, { channel, action, flags });
    });
  key
    .command('age')
    .description('how old the stream keys are, as far as they were rotated here')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot key age'))
    .action(async ({ json }: { json?: boolean }) => {
      const answer = (await apiClient(io).get('/v1/keys')) as {
        keys: readonly { channelArn: string; rotatedAt: string; ageDays: number; deliveredTo: string }[];
      };
      const rows = answer.keys.map((each) => [each.channelArn, String(each.ageDays), each.rotatedAt, each.deliveredTo]);
      printData(io, json, answer, () => table([['CHANNEL', 'DAYS', 'ROTATED', 'DELIVERED TO'], ...rows], io));
    });
}

function deliveryOf({ secret, parameter, file, webhookUrlFile, hmacKeyFile }: Flags): object {
  const given = [secret, parameter, file, webhookUrlFile].filter((value) => value !== undefined);
  if (given.length !== 1)
    throw new CommandFailed('Say where the new key goes: one of --secret, --parameter, --file, --webhook-url-file.', 2);
  if (secret !== undefined) return { secrets_manager: secret };
  if (parameter !== undefined) return { ssm_parameter: parameter };
  if (file !== undefined) return { file };
  if (hmacKeyFile === undefined) throw new CommandFailed('--webhook-url-file needs --hmac-key-file.', 2);
  return { webhook: { url_file: webhookUrlFile, hmac_key_file: hmacKeyFile } };
}
