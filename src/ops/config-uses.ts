// What a configuration will ask of AWS: its actions, and the queue it reads.
import type { Ruleset } from '#domain/rule.ts';
import type { ActionUse } from './permissions.ts';

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
