// What a configuration will ask of AWS: its actions, and the queue it reads.

import { accountIdOf } from '#config/accounts.ts';
import type { AccountSettings } from '#config/settings.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { ActionUse, PolicyScope } from './permissions.ts';

/** Every action of every rule that is not off. A rule in dry run counts: it may be set to enforce at any time. */
export function actionUses(ruleset: Pick<Ruleset, 'rules'>): ActionUse[] {
  return ruleset.rules
    .filter(({ mode }) => mode !== 'off')
    .flatMap(({ actions, onResolve }) => [...actions, ...onResolve])
    .map(({ action, params }) => ({ action, params }));
}

/** The ARN of a queue by its URL, or undefined when the URL is not one of AWS's. */
export function queueArnOf(url: string): string | undefined {
  const match = /^https:\/\/sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/(\d{12})\/([A-Za-z0-9_-]+)$/.exec(url);
  return match ? `arn:aws:sqs:${match[1]}:${match[2]}:${match[3]}` : undefined;
}

/** Where the policy of one entry of `accounts` holds; the entry without a role is who assumes the roles of the others. */
export function accountScope(entry: AccountSettings, all: readonly AccountSettings[]): PolicyScope {
  const queueArn = entry.queue_url === undefined ? undefined : queueArnOf(entry.queue_url);
  const accountId = accountIdOf(entry);
  const assumeRoles = entry.assume_role_arn === undefined ? all.flatMap(({ assume_role_arn: role }) => role ?? []) : [];
  return { region: entry.region, account: accountId ?? queueArn?.split(':')[4] ?? '*', queueArn, assumeRoles };
}
