import { expect, test } from 'vitest';
import { type EventPathOptions, eventPathChecks } from './event-path.ts';

/** A queue without a policy, on a bus without rules. */
const clients = {
  sqs: {
    send: async () => ({ Attributes: { QueueArn: 'arn:aws:sqs:us-west-2:111122223333:q', RedrivePolicy: '{}' } }),
  },
  eventBridge: { send: async () => ({ Rules: [] }) },
} as unknown as EventPathOptions['clients'];

const statuses = async (local: readonly string[]) => {
  const isLocal = (service: string) => local.includes(service);
  const options = { clients, queueUrl: 'https://sqs/q', region: 'us-west-2', setting: 'AUTOPILOT_QUEUE_URL', isLocal };
  const found: string[] = [];
  for (const { name, run } of eventPathChecks(options)) {
    if (name === 'Reading the queue') continue;
    for (const { status, text } of [await run(AbortSignal.timeout(60_000))].flat()) found.push(`${status} ${text}`);
  }
  return found.filter((line) => /^(?:red|warning)/.test(line));
};

test('a queue that EventBridge cannot fill is red, and a remark only for a service whose endpoint is local', async () => {
  const [policy, rule] = [
    'red its policy does not let EventBridge write to it',
    'red no rule sends IVS events to the queue',
  ];
  expect(await statuses([])).toEqual([policy, rule]);
  expect(await statuses(['SQS'])).toEqual([expect.stringMatching(/^warning a local endpoint/), rule]);
  expect(await statuses(['EVENTBRIDGE'])).toEqual([policy, expect.stringMatching(/^warning a local endpoint/)]);
});
