// What a configuration will need from AWS: its actions, and the queue it reads.

import { type Account, accountIdOf } from '#config/accounts.ts';
import { AppError } from '#domain/errors.ts';
import { problemOfQueue, queueOf } from '#domain/queue-url.ts';
import type { Rule, Ruleset } from '#domain/rule.ts';
import type { ActionUse, PolicyScope } from './permissions.ts';

/**
 * Every action of every rule that is not off. A rule in dry run counts, because it may be set to enforce at any time.
 * @param modes only rules in one of these modes
 */
export function actionUses(
  ruleset: Pick<Ruleset, 'rules'>,
  modes: readonly Rule['mode'][] = ['dry_run', 'enforce'],
): ActionUse[] {
  return ruleset.rules
    .filter(({ mode }) => modes.includes(mode))
    .flatMap(({ actions, onResolve }) => [...actions, ...onResolve])
    .map(({ action, params }) => ({ action, params }));
}

/** What the `sns_configs` of receivers publish to with the daemon's own role, and the roles that they assume. */
export function publishing({ receivers }: Pick<Ruleset, 'receivers'>): {
  readonly publishTo: string[];
  readonly assumeRoles: string[];
} {
  const uses = receivers.flatMap(({ integrations }) =>
    integrations.flatMap((each) => (each.kind === 'sns' ? each : [])),
  );
  // A policy cannot name a phone number: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
  const to = uses.flatMap(({ roleArn, topicArn, targetArn }) =>
    roleArn === undefined ? (topicArn ?? targetArn ?? '*') : [],
  );
  return {
    publishTo: [...new Set(to)],
    assumeRoles: [...new Set(uses.flatMap(({ roleArn }) => roleArn ?? []))],
  };
}

/**
 * The ARN of the queue of a URL, for a policy.
 * @throws AppError SETUP_QUEUE_UNKNOWN if the URL contains none, or its queue cannot be the event queue
 */
export function queueArnOf(url: string): string {
  const queue = queueOf(url);
  if (!queue) {
    throw new AppError(
      'SETUP_QUEUE_UNKNOWN',
      `${url} is not an AWS queue URL, so its ARN is unknown: correct it, or name the queue with --queue-arn`,
    );
  }
  const problem = problemOfQueue(queue);
  if (problem !== undefined) throw new AppError('SETUP_QUEUE_UNKNOWN', `${url}: ${problem}`);
  return queue.arn;
}

/**
 * The scope of the policy of one entry of `accounts`; the entry without a role assumes the roles of the others.
 * @throws AppError SETUP_QUEUE_UNKNOWN unless the queue is known or `queueArn` names it
 */
export function accountScope(
  entry: Account,
  all: readonly Account[],
  { queueArn: given }: { readonly queueArn?: string | undefined } = {},
): PolicyScope {
  // A shared queue is read by its owner, or by the daemon's own identity.
  const isRead = entry.queue_url !== undefined && entry.sharedQueue?.isOwner !== false;
  const queueArn = given ?? (isRead ? queueArnOf(entry.queue_url!) : undefined);
  const accountId = accountIdOf(entry);
  const place = { region: entry.region, account: accountId ?? queueArn?.split(':')[4] ?? '*', queueArn };
  return entry.assume_role_arn === undefined ? { ...place, ...identityScope(all) } : { ...place, assumeRoles: [] };
}

/** What the daemon's own identity does for all entries of `accounts`. @throws AppError SETUP_QUEUE_UNKNOWN */
export function identityScope(all: readonly Account[]): Required<Pick<PolicyScope, 'assumeRoles' | 'sharedQueueArns'>> {
  const shared = all.filter(({ sharedQueue: queue }) => queue?.isReader && !queue.isOwner);
  return {
    assumeRoles: all.flatMap(({ assume_role_arn: role }) => role ?? []),
    sharedQueueArns: shared.map(({ queue_url: url }) => queueArnOf(url!)),
  };
}
