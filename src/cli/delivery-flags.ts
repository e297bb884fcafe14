// Options of commands that say where a key is delivered.
import type { Command } from 'commander';
import { CommandFailed } from './support.ts';

export interface DeliveryFlags {
  readonly secret?: string;
  readonly parameter?: string;
  readonly file?: string;
  readonly webhookUrlFile?: string;
  readonly hmacKeyFile?: string;
}

/** Adds the options. */
export function deliveryOptions(command: Command): Command {
  return command
    .option('--secret <name>', 'deliver into this AWS Secrets Manager secret')
    .option('--parameter <name>', 'deliver into this SSM SecureString parameter')
    .option('--file <path>', 'deliver into this file on the daemon’s machine, mode 0600')
    .option('--webhook-url-file <path>', 'deliver to the HTTPS address in this file, with --hmac-key-file')
    .option('--hmac-key-file <path>', 'file with the key that signs the webhook');
}

/** The destination from the options, as `deliver`; undefined if there is none. @throws CommandFailed for more than one */
export function deliveryIn(flags: DeliveryFlags): object | undefined {
  const { secret, parameter, file, webhookUrlFile, hmacKeyFile } = flags;
  const given = [secret, parameter, file, webhookUrlFile].filter((value) => value !== undefined);
  if (given.length === 0) return undefined;
  if (given.length > 1)
    throw new CommandFailed(
      'Choose one destination for the key: --secret, --parameter, --file or --webhook-url-file.',
      2,
    );
  if (secret !== undefined) return { secrets_manager: secret };
  if (parameter !== undefined) return { ssm_parameter: parameter };
  if (file !== undefined) return { file };
  if (hmacKeyFile === undefined) throw new CommandFailed('--webhook-url-file needs --hmac-key-file.', 2);
  return { webhook: { url_file: webhookUrlFile, hmac_key_file: hmacKeyFile } };
}

/** As `deliveryIn`, for commands that require a destination. */
export function deliveryOf(flags: DeliveryFlags): object {
  const delivery = deliveryIn(flags);
  if (!delivery)
    throw new CommandFailed(
      'Choose a destination for the new key: --secret, --parameter, --file or --webhook-url-file.',
      2,
    );
  return delivery;
}
