// `key rotate`: a new stream key for a channel, or for every channel with a tag; `key age`: how old the keys are.
import type { Command } from 'commander';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { named } from './channels.ts';
import { type DeliveryFlags, deliveryOf, deliveryOptions } from './delivery-flags.ts';
import { choiceOption } from './options.ts';
import { apiClient, type CliIo, example, printData, table } from './support.ts';

interface Flags extends ActionFlags, DeliveryFlags {
  readonly when: string;
}

export function register(program: Command, io: CliIo): void {
  const key = program
    .command('key')
    .description('stream keys: rotate them and show their age')
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
    );
  actionOptions(deliveryOptions(rotate), { bulk: true })
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
    .description('show the age of the stream keys: since their rotation, or at least since they were first seen')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot key age'))
    .action(async ({ json }: { json?: boolean }) => {
      const answer = (await apiClient(io).get('/v1/keys')) as {
        keys: readonly {
          channelArn: string;
          channelName: string;
          since: string;
          exact: boolean;
          ageDays: number;
          deliveredTo?: string;
        }[];
      };
      const rows = answer.keys.map(({ since, exact, ageDays, deliveredTo = '', ...channel }) => [
        named(channel),
        `${exact ? '' : '≥ '}${ageDays}`,
        since,
        deliveredTo,
      ]);
      printData(io, json, answer, () => table([['CHANNEL', 'DAYS', 'SINCE', 'DELIVERED TO'], ...rows], io));
    });
}
