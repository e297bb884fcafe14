// `channel provision`: creates a channel; `channel lease` and `channel return`: leases a channel of a pool, and ends the lease.
import type { Command } from 'commander';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { type DeliveryFlags, deliveryIn, deliveryOf, deliveryOptions } from './delivery-flags.ts';
import { choiceOption, tagsOption } from './options.ts';
import { type CliIo, example } from './support.ts';

interface ProvisionFlags extends Omit<ActionFlags, 'tag'>, DeliveryFlags {
  readonly type?: string;
  readonly latency?: string;
  readonly private?: boolean;
  readonly with?: readonly string[];
  readonly recording?: string;
  readonly adConfiguration?: string;
  readonly playbackRestriction?: string;
  readonly pool?: string;
  readonly account?: string;
}

interface LeaseFlags extends ActionFlags, DeliveryFlags {
  readonly for?: string;
  readonly account?: string;
}

/** Adds the commands to the group `channel`. */
export function registerProvisioning(channel: Command, io: CliIo): void {
  const provision = channel
    .command('provision')
    .description(
      'create a channel and deliver its stream key; an existing channel of this name must have the same settings',
    )
    .argument('<name>', 'letters, digits, hyphens and underscores')
    .addOption(
      choiceOption('--type <type>', 'type of the channel', ['BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD']),
    )
    .addOption(choiceOption('--latency <mode>', 'latency mode of the channel', ['NORMAL', 'LOW']))
    .option('--private', 'playback needs a token')
    .addOption(tagsOption('--with <key=value...>', 'tags of the channel'))
    .option('--recording <which>', 'name, ARN or bucket of a recording configuration')
    .option('--ad-configuration <which>', 'name or ARN of an ad configuration')
    .option('--playback-restriction <which>', 'name or ARN of a playback restriction policy')
    .option('--pool <name>', 'add it to the pool that `channel lease` takes channels from')
    .option('--account <name>', 'account of the channel, if there are several');
  actionOptions(deliveryOptions(provision), { bulk: false })
    .addHelpText(
      'after',
      example(
        'ivs-autopilot channel provision cup-final --type STANDARD --secret ivs/cup-final/stream-key',
        'ivs-autopilot channel provision spare-1 --pool spares --dry-run',
      ),
    )
    .action(async (name: string, flags: ProvisionFlags) => {
      const { type, latency, recording, adConfiguration, playbackRestriction, pool, account } = flags;
      const deliver = deliveryIn(flags);
      const params = {
        name,
        type,
        latency_mode: latency,
        authorized: flags.private,
        tags: flags.with && tagsOf(flags.with),
        recording,
        ad_configuration: adConfiguration,
        playback_restriction: playbackRestriction,
        pool,
        deliver,
      };
      await askAction(io, { channel: undefined, action: { provision_channel: params }, flags, ofAccount: { account } });
    });
  const lease = channel
    .command('lease')
    .description('lease a free channel of a pool, and deliver its stream key')
    .argument('<pool>', 'name of the pool, the value of the tag ivs-autopilot:pool')
    .option('--for <duration>', 'end the lease after this long')
    .option('--account <name>', 'account of the pool, if there are several');
  actionOptions(deliveryOptions(lease), { bulk: false })
    .addHelpText('after', example('ivs-autopilot channel lease spares --for 4h --secret ivs/guest/stream-key'))
    .action(async (pool: string, flags: LeaseFlags) => {
      const params = { pool, deliver: deliveryOf(flags), ...(flags.for === undefined ? {} : { for: flags.for }) };
      const ofAccount = { account: flags.account };
      await askAction(io, { channel: undefined, action: { lease_channel: params }, flags, ofAccount });
    });
  const giveBack = channel
    .command('return')
    .description('end the lease of a channel: replace its stream key and stop its stream')
    .argument('<channel>', 'ARN, last part of the ARN, or name');
  actionOptions(giveBack, { bulk: false })
    .addHelpText('after', example('ivs-autopilot channel return spare-1'))
    .action(async (name: string, flags: ActionFlags) =>
      askAction(io, { channel: name, action: { return_channel: {} }, flags }),
    );
}

function tagsOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
