// What the offline checks need of parts that `src/ops` does not know: which addresses webhooks may have, and tokens.
import { readTokens } from '#api/tokens.ts';
import type { Account } from '#config/accounts.ts';
import type { Config } from '#config/load.ts';
import { messageOf } from '#domain/errors.ts';
import type { Check } from '#ops/doctor/check.ts';
import { offlineChecks } from '#ops/doctor/offline.ts';
import { forbiddenHost, settingFor } from '#outbound/address-guard.ts';
import { processEgress } from '#runtime/egress.ts';
import { Scrubber } from '#runtime/scrubber.ts';
import type { CliIo } from './support.ts';

/** The checks of `doctor` that make no connection. */
export function checksOf(config: Config, accounts: readonly Account[], env: CliIo['env']): Check[] {
  const { allow_private_webhooks: allowPrivate, allow_link_local_webhooks: allowLinkLocal } = config.settings.http;
  return offlineChecks({
    config,
    accounts,
    env,
    countTokens: () => readTokens(env, new Scrubber()).length,
    refusalOf(hostname) {
      const range = forbiddenHost(hostname, { allowPrivate, allowLinkLocal });
      if (range === undefined) return undefined;
      const setting = settingFor(range);
      return `${hostname} is a ${range} address${setting ? `; webhooks go there only when ${setting} is true` : ''}`;
    },
  });
}

/** Why no client can be created, if so; it becomes a red line under `Proxies`. */
export function whyNothingCanBeCalled(env: CliIo['env']): string | undefined {
  try {
    processEgress(env);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
