// The event path: the queue, its policy, its dead-letter queue, and the rule that fills it.
import { ListRulesCommand, ListTargetsByRuleCommand, type Rule } from '@aws-sdk/client-eventbridge';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { letsThrough } from '#config/detail-types.ts';
import { explainAwsFailure } from '../aws-failure.ts';
import { knownDetailTypes } from '../event-path.ts';
import type { EventPathClients } from '../event-path-aws.ts';
import { parsePolicy } from '../event-path-plan.ts';
import { type Check, green, red, skipped, type Verdict, warning } from './check.ts';
import { readingVerdicts } from './queue-permissions.ts';

export interface EventPathOptions {
  readonly clients: EventPathClients;
  readonly queueUrl: string | undefined;
  readonly region: string;
  /** Where to set the URL of the queue if there is none. */
  readonly setting: string;
  /** Whether the calls to this service go to this machine, such as to the simulator: nothing forwards events there. */
  readonly isLocal?: ((service: 'SQS' | 'EVENTBRIDGE') => boolean) | undefined;
  /** Detail types beyond our table that rules of the file use. */
  readonly newer?: readonly unknown[];
}

const mend = 'Run `ivs-autopilot bootstrap`; `--dry-run` shows the differences first.';

export function eventPathChecks({
  clients,
  queueUrl,
  region,
  setting,
  isLocal = () => false,
  newer = [],
}: EventPathOptions): Check[] {
  if (queueUrl === undefined)
    return [
      {
        name: 'Event queue',
        run: async () =>
          red(
            'no queue is configured: the daemon relies on polls alone',
            `Run \`ivs-autopilot bootstrap\` and set ${setting}.`,
          ),
      },
    ];
  let attributes: Record<string, string> = {};
  return [
    {
      name: 'Event queue',
      async run(signal) {
        try {
          const answer = await clients.sqs.send(
            new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }),
            { abortSignal: signal },
          );
          attributes = answer.Attributes ?? {};
        } catch (error) {
          const { kind, text, todo } = explainAwsFailure(error, { region, action: 'sqs:GetQueueAttributes' });
          const missing = kind === 'other' && /NonExistentQueue|QueueDoesNotExist/.test(text);
          return red(
            `${queueUrl} cannot be read: ${missing ? `there is no such queue in ${region}` : text}`,
            missing ? 'Check its URL and Region, or run `ivs-autopilot bootstrap`.' : todo,
          );
        }
        const verdicts: Verdict[] = [green(`${attributes['ApproximateNumberOfMessages'] ?? 0} messages wait`)];
        const queueRegion = attributes['QueueArn']?.split(':')[3];
        if (queueRegion !== undefined && queueRegion !== region)
          verdicts.push(
            red(
              `it is in ${queueRegion}, but the account's Region is ${region}`,
              'A rule can only reach queues in its own Region: use a queue there, or correct the Region.',
            ),
          );
        verdicts.push(...readingTrouble(attributes));
        verdicts.push(
          parsePolicy(attributes['Policy'])?.Statement.some(lets)
            ? green('EventBridge may write to it')
            : isLocal('SQS')
              ? warning('a local endpoint is set: the queue needs no policy for EventBridge')
              : red('its policy does not let EventBridge write to it', mend),
          attributes['RedrivePolicy']
            ? green('it has a dead-letter queue')
            : red('it has no dead-letter queue: unreadable messages come back until they expire', mend),
        );
        return verdicts;
      },
    },
    {
      name: 'Reading the queue',
      run: (signal) => readingVerdicts({ clients, queueUrl, region, attributes, signal }),
    },
    {
      name: 'Event rule',
      async run(signal) {
        const arn = attributes['QueueArn'];
        if (!arn) return skipped('the queue is not known');
        try {
          const rules = await rulesTo(arn, clients, signal);
          if (rules.length === 0)
            return isLocal('EVENTBRIDGE')
              ? warning('a local endpoint is set: there is nothing to forward, and no rule')
              : red('no rule sends IVS events to the queue', mend);
          const working = rules.filter(({ State }) => State !== 'DISABLED');
          if (working.length === 0)
            return red(`the rule ${rules.map(({ Name }) => Name).join(', ')} is disabled`, mend);
          const wanted = [...knownDetailTypes, ...newer.filter((type) => typeof type === 'string')];
          const missing = wanted.filter((type) => !working.some(({ EventPattern }) => letsThrough(EventPattern, type)));
          return missing.length === 0
            ? green(`${working.map(({ Name }) => Name).join(', ')} sends every kind of IVS event`)
            : red(`the rule does not send: ${missing.join(', ')}`, mend);
        } catch (error) {
          const { kind, text, todo } = explainAwsFailure(error, { region, action: 'events:ListRules' });
          return kind === 'denied'
            ? skipped(`the rule cannot be read: ${text}; only the setup needs that`)
            : red(text, todo);
        }
      },
    },
  ];
}

/** Rules of the default bus whose pattern may match IVS events and whose targets include the queue. */
async function rulesTo(queueArn: string, { eventBridge }: EventPathClients, abortSignal: AbortSignal): Promise<Rule[]> {
  const found: Rule[] = [];
  let NextToken: string | undefined;
  do {
    const page = await eventBridge.send(new ListRulesCommand({ NextToken }), { abortSignal });
    for (const rule of page.Rules ?? []) {
      if (!rule.Name || !rule.EventPattern?.includes('ivs')) continue;
      const { Targets } = await eventBridge.send(new ListTargetsByRuleCommand({ Rule: rule.Name }), { abortSignal });
      if (Targets?.some(({ Arn }) => Arn === queueArn)) found.push(rule);
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return found;
}

/** What prevents events from arriving or being read, whatever the policies say. */
function readingTrouble(attributes: Readonly<Record<string, string>>): Verdict[] {
  const verdicts: Verdict[] = [];
  const key = attributes['KmsMasterKeyId'];
  if (attributes['FifoQueue'] === 'true')
    verdicts.push(
      red(
        'it is a FIFO queue: one unreadable message blocks all others',
        'Create a standard queue, for example with `ivs-autopilot bootstrap`.',
      ),
    );
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
  if (key !== undefined && /(?:^|:)alias\/aws\/sqs$/.test(key))
    verdicts.push(
      red(
        'it is encrypted with the AWS-managed key, so EventBridge cannot write to it',
        'Encrypt it with SQS’s own keys (SqsManagedSseEnabled), or with a customer managed key whose policy lets events.amazonaws.com use it.',
      ),
    );
  else if (key !== undefined && key !== '')
    verdicts.push(green(`it is encrypted with ${key}, whose policy must let events.amazonaws.com use it`));
  return verdicts;
}

function lets({
  Effect,
  Principal,
  Action,
}: {
  Effect: string;
  Principal?: unknown;
  Action: string | readonly string[];
}): boolean {
  const actions = typeof Action === 'string' ? [Action] : Action;
  return (
    Effect === 'Allow' &&
    JSON.stringify(Principal ?? '').includes('events.amazonaws.com') &&
    actions.some((action) => /^sqs:(SendMessage|\*)$/i.test(action))
  );
}
