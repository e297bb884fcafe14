// The event path: rules that really match, targets that are real queues, and delivery at its worst.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  ListTagsForResourceCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  TagResourceCommand,
} from '@aws-sdk/client-eventbridge';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { eventName } from '#simulator/events/event.ts';
import { startSimulator } from '#simulator/server.ts';
import { startLocalSqs } from '#simulator/sqs.ts';
import { failureOf, fakeCredentials } from '#test/support/simulator-sdk.ts';

const sqs = await startLocalSqs();
const simulator = await startSimulator({ seed: 'events', sqs: { endpoint: sqs.endpoint } });
const { control } = simulator;
const common = { region: 'us-west-2', credentials: fakeCredentials, maxAttempts: 1 };
const events = new EventBridgeClient({ ...common, endpoint: simulator.url });
const queues = new SQSClient({ ...common, endpoint: sqs.endpoint });

afterAll(async () => {
  events.destroy();
  queues.destroy();
  await simulator.close();
  await sqs.close();
});

let number = 0;
let queue: { readonly queueUrl: string; readonly queueArn: string };
let rule: string;
let channelArn: string;
beforeEach(async () => {
  queue = await sqs.createQueue(`queue-${++number}`);
  rule = `rule-${number}`;
  channelArn = (await control.createChannel({ name: 'studio-a' })).arn;
});

const IVS_PATTERN = JSON.stringify({
  source: ['aws.ivs'],
  'detail-type': [
    'IVS Stream State Change',
    'IVS Stream Health Change',
    'IVS Limit Breach',
    'IVS Recording State Change',
  ],
});

const subscribe = async (EventPattern: string): Promise<void> => {
  await events.send(new PutRuleCommand({ Name: rule, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: queue.queueArn }];
  expect(await events.send(new PutTargetsCommand({ Rule: rule, Targets }))).toMatchObject({ FailedEntryCount: 0 });
};

/** Bodies in the queue now, after everything due was sent. */
async function received(): Promise<any[]> {
  await control.settleEvents();
  const bodies: any[] = [];
  for (;;) {
    const request = { QueueUrl: queue.queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 };
    const { Messages = [] } = await queues.send(new ReceiveMessageCommand(request));
    if (Messages.length === 0) return bodies;
    bodies.push(...Messages.map(({ Body = '' }) => JSON.parse(Body)));
  }
}

describe('a rule', () => {
  it('sends the events it matches to its queue, word for word', async () => {
    await subscribe(IVS_PATTERN);
    await control.goLive(channelArn);
    await control.starve(channelArn);
    const bodies = await received();
    const known = (await control.events({ channelArn })).map(({ event }) => event);
    expect(bodies).toEqual(known);
    expect(bodies.map(({ detail }) => detail.event_name)).toEqual([
      'Session Created',
      'Stream Start',
      'Starvation Start',
    ]);
  });

  it('really matches: only what its pattern names, and account-level breaches by their empty resources', async () => {
    const breaches = { 'detail-type': ['IVS Limit Breach'], resources: [{ exists: false }] };
    await subscribe(JSON.stringify(breaches));
    await control.goLive(channelArn);
    await control.breach({ limit: 'Ingest Bitrate', limitValue: 1, value: 2, channel: channelArn });
    await control.breach({ limit: 'Concurrent Viewers', limitValue: 15_000, value: 15_010 });
    expect(await received()).toMatchObject([{ resources: [], detail: { limit_name: 'Concurrent Viewers' } }]);
  });

  it('can be described, listed, tagged, replaced and deleted, targets first', async () => {
    await subscribe(IVS_PATTERN);
    const arn = `arn:aws:events:us-west-2:111122223333:rule/${rule}`;
    const described = { Name: rule, Arn: arn, EventPattern: IVS_PATTERN, State: 'ENABLED', EventBusName: 'default' };
    expect(await events.send(new DescribeRuleCommand({ Name: rule }))).toMatchObject(described);
    const { Rules } = await events.send(new ListRulesCommand({ NamePrefix: rule }));
    expect(Rules).toContainEqual(described);
    const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: rule }));
    expect(Targets).toEqual([{ Id: 'queue', Arn: queue.queueArn }]);
    const Tags = [{ Key: 'owner', Value: 'ops' }];
    await events.send(new TagResourceCommand({ ResourceARN: arn, Tags }));
    expect((await events.send(new ListTagsForResourceCommand({ ResourceARN: arn }))).Tags).toEqual(Tags);
    await events.send(new PutRuleCommand({ Name: rule, EventPattern: '{"source":["other"]}', State: 'DISABLED' }));
    const replaced = await events.send(new DescribeRuleCommand({ Name: rule }));
    expect(replaced).toMatchObject({ EventPattern: '{"source":["other"]}', State: 'DISABLED' });
    expect((await events.send(new ListTargetsByRuleCommand({ Rule: rule }))).Targets).toHaveLength(1);
    expect(await failureOf(events.send(new DeleteRuleCommand({ Name: rule })))).toBe('400 ValidationException');
    await events.send(new RemoveTargetsCommand({ Rule: rule, Ids: ['queue'] }));
    await events.send(new DeleteRuleCommand({ Name: rule }));
    expect(await failureOf(events.send(new DescribeRuleCommand({ Name: rule })))).toBe('400 ResourceNotFoundException');
  });

  it('that is disabled sends nothing', async () => {
    await subscribe(IVS_PATTERN);
    await events.send(new PutRuleCommand({ Name: rule, EventPattern: IVS_PATTERN, State: 'DISABLED' }));
    await control.goLive(channelArn);
    expect(await received()).toEqual([]);
  });

  it.each([
    ['a broken pattern', { EventPattern: '{"source":"aws.ivs"}' }, '400 InvalidEventPatternException'],
    ['text that is not JSON', { EventPattern: 'source' }, '400 InvalidEventPatternException'],
    [
      'a pattern of 2,049 characters',
      { EventPattern: JSON.stringify({ a: ['x'.repeat(2041)] }) },
      '400 LimitExceededException',
    ],
    ['neither pattern nor schedule', {}, '400 ValidationException'],
    ['another bus', { EventPattern: IVS_PATTERN, EventBusName: 'mine' }, '400 ResourceNotFoundException'],
    ['a name with a space', { Name: 'a b', EventPattern: IVS_PATTERN }, '400 ValidationException'],
  ])('with %s is refused', async (_, input, failure) => {
    expect(await failureOf(events.send(new PutRuleCommand({ Name: rule, ...input })))).toBe(failure);
  });

  it('takes five targets, all of them queues', async () => {
    await subscribe(IVS_PATTERN);
    const Targets = Array.from({ length: 5 }, (_, n) => ({ Id: `t${n}`, Arn: queue.queueArn }));
    const six = events.send(new PutTargetsCommand({ Rule: rule, Targets }));
    expect(await failureOf(six)).toBe('400 LimitExceededException');
    const lambda = { Id: 'fn', Arn: 'arn:aws:lambda:us-west-2:111122223333:function:x' };
    const answer = await events.send(new PutTargetsCommand({ Rule: rule, Targets: [lambda] }));
    expect(answer).toMatchObject({ FailedEntryCount: 1, FailedEntries: [{ TargetId: 'fn' }] });
    expect(await failureOf(events.send(new PutTargetsCommand({ Rule: 'none', Targets })))).toBe(
      '400 ResourceNotFoundException',
    );
  });

  it('whose queue is gone loses its events, or sends them to the dead-letter queue', async () => {
    await events.send(new PutRuleCommand({ Name: rule, EventPattern: IVS_PATTERN }));
    const gone = 'arn:aws:sqs:us-west-2:000000000000:gone';
    const target = { Id: 'gone', Arn: gone, DeadLetterConfig: { Arn: queue.queueArn } };
    await events.send(new PutTargetsCommand({ Rule: rule, Targets: [target] }));
    await control.goLive(channelArn);
    expect(await control.settleEvents()).toContainEqual({
      queue: gone,
      reason: expect.stringContaining('QueueDoesNotExist'),
    });
    expect(await received()).toHaveLength(2);
    await events.send(new RemoveTargetsCommand({ Rule: rule, Ids: ['gone'] }));
  });
});

describe('PutEvents', () => {
  it("refuses the sources of AWS's own services, entry by entry, and delivers the rest", async () => {
    await subscribe(JSON.stringify({ source: ['ivs-autopilot'] }));
    const entry = {
      Source: 'ivs-autopilot',
      DetailType: 'Rule Fired',
      Detail: '{"rule":"a"}',
      Resources: [channelArn],
    };
    const { FailedEntryCount, Entries } = await events.send(
      new PutEventsCommand({
        Entries: [
          entry,
          { ...entry, Source: 'aws.ivs' },
          { ...entry, Detail: 'no JSON' },
          { ...entry, DetailType: undefined },
          { ...entry, EventBusName: 'unknown-bus' },
        ],
      }),
    );
    expect(FailedEntryCount).toBe(3);
    expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'NotAuthorizedForSourceException',
      'MalformedDetail',
      'InvalidArgument',
      undefined,
    ]);
    expect(await received()).toMatchObject([
      { id: Entries?.[0]?.EventId, source: 'ivs-autopilot', 'detail-type': 'Rule Fired', detail: { rule: 'a' } },
    ]);
    const eleven = Array.from({ length: 11 }, () => entry);
    expect(await failureOf(events.send(new PutEventsCommand({ Entries: eleven })))).toBe('400 ValidationException');
  });
});

describe('delivery', () => {
  it('can lose, duplicate, delay and reorder events, and the record says which', async () => {
    await subscribe(JSON.stringify({ source: ['aws.ivs'], resources: [channelArn] }));
    await control.planEvent({ fate: 'missing', name: 'Session Created' });
    await control.planEvent({ fate: 'doubled', name: 'Stream Start', lateMs: 0 });
    await control.planEvent({ fate: 'late', name: 'Starvation Start', lateMs: 3_600_000 });
    await control.planEvent({ fate: 'reordered', name: 'Session Ended' });
    await control.goLive(channelArn);
    await control.starve(channelArn);
    await control.end(channelArn);
    const arrived: string[] = [];
    const names = async () => {
      arrived.push(...(await received()).map(({ detail }) => detail.event_name));
      return arrived;
    };
    // The second copy follows the first on a timer, so its place among the others is open.
    await expect.poll(names).toHaveLength(4);
    expect(arrived.toSorted()).toEqual(['Session Ended', 'Stream End', 'Stream Start', 'Stream Start']);
    expect(arrived.indexOf('Stream End')).toBeLessThan(arrived.indexOf('Session Ended'));
    const fates = (await control.events({ channelArn })).map(({ fate, event }) => `${eventName(event)}: ${fate}`);
    expect(fates).toEqual([
      'Session Created: missing',
      'Stream Start: doubled',
      'Starvation Start: late',
      'Session Ended: reordered',
      'Stream End: sent',
    ]);
    await control.advance(3_600_000);
    expect((await names()).slice(4)).toEqual(['Starvation Start']);
  });

  it('retries a queue that is away, and loses and reorders nothing', async () => {
    const bodies: string[] = [];
    let failures = 2;
    const flaky = createServer((request, response) => {
      if (failures-- > 0) {
        request.socket.destroy();
        return;
      }
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const { Entries } = JSON.parse(text) as { Entries: { Id: string; MessageBody: string }[] };
        const Successful = Entries.map(({ Id, MessageBody }) => {
          bodies.push(JSON.parse(MessageBody).detail.event_name);
          return { Id, MessageId: Id, MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex') };
        });
        response.setHeader('content-type', 'application/x-amz-json-1.0');
        response.end(JSON.stringify({ Successful, Failed: [] }));
      });
    }).listen(0, '127.0.0.1');
    await once(flaky, 'listening');
    const queueUrl = `http://127.0.0.1:${(flaky.address() as AddressInfo).port}/000000000000/away`;
    await using other = await startSimulator({ sqs: { queueUrl } });
    await other.control.createChannel({ name: 'patient' });
    await other.control.goLive('patient');
    await other.control.end('patient');
    expect(await other.control.settleEvents()).toEqual([]);
    expect(bodies).toEqual(['Session Created', 'Stream Start', 'Session Ended', 'Stream End']);
    flaky.closeAllConnections();
    flaky.close();
  });

  it('follows its probabilities', async () => {
    await control.setEventPolicy({ missing: 1 });
    await control.goLive(channelArn);
    await control.setEventPolicy({ missing: 0 });
    expect((await control.events({ channelArn })).map(({ fate }) => fate)).toEqual(['missing', 'missing']);
  });
});
