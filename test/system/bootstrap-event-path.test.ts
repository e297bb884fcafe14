// The set-up of the event path, with real clients: the simulator's EventBridge and an SQS server. An event of the simulated IVS then
// travels through the rule to a daemon.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeRuleCommand,
  DisableRuleCommand,
  EventBridgeClient,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { SetQueueAttributesCommand, SQSClient, TagQueueCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ivsEvents } from '#domain/ivs-events.ts';
import { type SimulatorHandle, startSimulator } from '#simulator/server.ts';
import { startLocalSqs } from '#simulator/sqs.ts';
import { commandLine } from '#test/support/command-line.ts';
import { daemonProcess } from '#test/support/daemon-process.ts';
import { eventually } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';
import { fakeCredentials } from '#test/support/simulator-sdk.ts';

const region = 'us-west-2';

let sqsServer: Awaited<ReturnType<typeof startLocalSqs>>;
let simulator: SimulatorHandle;
let sqs: SQSClient;
let eventBridge: EventBridgeClient;
const before = { ...process.env };

beforeAll(async () => {
  sqsServer = await startLocalSqs();
  const { endpoint } = sqsServer;
  simulator = await startSimulator({ region, sqs: { endpoint } });
  Object.assign(process.env, {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: fakeCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: fakeCredentials.secretAccessKey,
    AWS_ENDPOINT_URL_SQS: endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: simulator.url,
  });
  sqs = new SQSClient({ region, credentials: fakeCredentials, endpoint, useQueueUrlAsEndpoint: false });
  eventBridge = new EventBridgeClient({ region, credentials: fakeCredentials, endpoint: simulator.url });
});

afterAll(async () => {
  sqs.destroy();
  eventBridge.destroy();
  await simulator.close();
  await sqsServer.close();
  process.env = before;
});

/** Runs the command as a shell would, in this process. */
async function bootstrap(...args: string[]) {
  const { code: exitCode, out, err: errors } = await commandLine(['bootstrap', ...args], { env: process.env });
  return { exitCode, out, errors };
}

interface Report {
  readonly queueUrl: string;
  readonly ruleArn: string;
  readonly changes: readonly { part: string; kind: string; fields: readonly { field: string }[] }[];
}

const kindsOf = (report: Report) => Object.fromEntries(report.changes.map(({ part, kind }) => [part, kind]));

describe('bootstrap', () => {
  test('shows in a dry run what it would create, and creates nothing', async () => {
    const { exitCode, out } = await bootstrap('--name', 'dry', '--dry-run');

    expect(exitCode).toBe(0);
    expect(out).toContain('+ queue dry-events: create');
    expect(out).toContain('Nothing was changed (--dry-run).');
    expect((await bootstrap('--name', 'dry', '--dry-run', '--destroy')).out).toBe('Nothing to remove.');
  });

  test('creates everything once, finds nothing to do the second time, and repairs manual changes', async () => {
    const first = await bootstrap('--name', 'show', '--json');
    expect(first.errors).toBe('');
    const made = JSON.parse(first.out) as Report;
    expect(new Set(Object.values(kindsOf(made)))).toEqual(new Set(['create']));

    const second = JSON.parse((await bootstrap('--name', 'show', '--json')).out) as Report;
    expect(new Set(Object.values(kindsOf(second)))).toEqual(new Set(['unchanged']));

    await sqs.send(
      new SetQueueAttributesCommand({ QueueUrl: made.queueUrl, Attributes: { VisibilityTimeout: '5', Policy: '' } }),
    );
    await eventBridge.send(
      new PutTargetsCommand({
        Rule: 'show-events',
        Targets: [{ Id: 'queue', Arn: 'arn:aws:sqs:us-west-2:000000000000:show-events' }],
      }),
    );

    const dry = await bootstrap('--name', 'show', '--dry-run');
    expect(dry.out).toContain('VisibilityTimeout: 5 → 60');
    expect(dry.out).toContain('target queue: update');
    const mended = JSON.parse((await bootstrap('--name', 'show', '--json')).out) as Report;
    expect(kindsOf(mended)).toMatchObject({
      queue: 'update',
      target: 'update',
      'queue policy': 'create',
      'dead-letter queue': 'unchanged',
    });
    const third = JSON.parse((await bootstrap('--name', 'show', '--json')).out) as Report;
    expect(new Set(Object.values(kindsOf(third)))).toEqual(new Set(['unchanged']));
  });

  test('delivers an IVS event through the rule to the daemon, which acts on it; then all of it is destroyed', async () => {
    await using scope = await redisScope();
    const { queueUrl } = JSON.parse((await bootstrap('--name', 'path', '--json')).out) as Report;
    await eventBridge.send(new DisableRuleCommand({ Name: 'path-events' }));
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { Policy: '' } }));
    const mended = JSON.parse((await bootstrap('--name', 'path', '--json')).out) as Report;
    const [channel] = await simulator.control.createChannels(1, { namePrefix: 'event-path' });
    await using daemon = await daemonProcess({
      // It cannot learn from polls: after the first, they are too far apart.
      config: `version: 1
polling: {starving_interval: 10m, full_interval: 10m, silent_after: 30m}
limits: {request_timeout: 2s}
rules:
  - name: greeting
    mode: enforce
    trigger: {event: {source: [aws.ivs], detail: {event_name: [Stream Start]}}}
    actions: [{put_metadata: {payload: {hello: "{{ channel.name }}"}}}]
    guards: {max_per_hour: 10}
`,
      env: {
        REDIS_URL: scope.url,
        AUTOPILOT_NAMESPACE: scope.namespace,
        AUTOPILOT_QUEUE_URL: queueUrl,
        AWS_ENDPOINT_URL_IVS: simulator.url,
        AWS_ENDPOINT_URL_SQS: sqsServer.endpoint,
      },
    });
    await eventually(async () => (await daemon.ask('GET', '/readyz')).status === 200);

    await simulator.control.goLive(channel!.arn);
    await eventually(async () => (await simulator.control.cues()).length > 0);
    const { body } = await daemon.ask('GET', '/v1/decisions?rule=greeting');
    const gone = await bootstrap('--name', 'path', '--destroy');

    expect(kindsOf(mended)).toMatchObject({ rule: 'update', 'queue policy': 'create', queue: 'unchanged' });
    expect((await simulator.control.cues())[0]?.metadata).toContain('"hello":"event-path');
    expect(JSON.stringify(body)).toContain(channel!.arn);
    expect(gone.out).toContain('- rule path-events: delete');
    expect(gone.out).toContain('- queue path-events: delete');
    expect((await bootstrap('--name', 'path', '--destroy')).out).toBe('Nothing to remove.');
  });

  test('lets detail types through that rules of the file name and no table has', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'autopilot-bootstrap-'));
    const file = join(folder, 'autopilot.yaml');
    await writeFile(
      file,
      `version: 1
rules:
  - name: newer
    trigger: {event: {source: [aws.ivs], $or: [{detail-type: [IVS Something New]}, {detail-type: [{prefix: "IVS Later "}, IVS Limit Breach]}]}}
    actions: [{emit_event: {detail_type: x, detail: {}}}]
  - {name: unused, mode: off, trigger: {event: {detail-type: [IVS Not Wanted]}}, actions: [{emit_event: {detail_type: x, detail: {}}}]}
`,
    );
    const { exitCode, errors } = await bootstrap('--name', 'newer', file);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    const { EventPattern = '' } = await eventBridge.send(new DescribeRuleCommand({ Name: 'newer-events' }));
    const again = JSON.parse((await bootstrap('--name', 'newer', '--json', file)).out) as Report;
    const printed = (await bootstrap('--print', 'cloudformation', file)).out;
    await bootstrap('--name', 'newer', '--destroy', file);
    await rm(folder, { recursive: true });

    expect((JSON.parse(EventPattern) as { 'detail-type': unknown[] })['detail-type']).toEqual([
      ...Object.keys(ivsEvents),
      'IVS Something New',
      { prefix: 'IVS Later ' },
    ]);
    expect(new Set(Object.values(kindsOf(again)))).toEqual(new Set(['unchanged']));
    expect(printed).toContain('IVS Something New');
  });

  test('removes only what has its tag', async () => {
    await bootstrap('--name', 'gone');
    const { queueUrl } = JSON.parse((await bootstrap('--name', 'gone', '--json')).out) as Report;
    await sqs.send(new TagQueueCommand({ QueueUrl: queueUrl, Tags: { 'ivs-autopilot': 'somebody-else' } }));

    const { exitCode, out } = await bootstrap('--name', 'gone', '--destroy');

    expect(exitCode).toBe(0);
    expect(out).toContain('! queue gone-events: foreign (it does not carry the tag ivs-autopilot)');
    expect(out).toContain('- rule gone-events: delete');
    expect(out).toContain('- dead-letter queue gone-dead-letters: delete');
    expect((await bootstrap('--name', 'gone', '--dry-run')).errors).toContain('SETUP_FOREIGN');
    expect((await bootstrap('--name', 'gone', '--adopt')).exitCode).toBe(0);
    expect((await bootstrap('--name', 'gone', '--destroy')).out).toContain('- queue gone-events: delete');
    expect((await bootstrap('--name', 'gone', '--destroy')).out).toBe('Nothing to remove.');
  });

  test('names a missing permission', async () => {
    await simulator.control.addFault({
      operation: 'events:PutRule',
      error: 'AccessDeniedException',
      status: 403,
      times: 1,
    });

    const { exitCode, errors } = await bootstrap('--name', 'denied');

    expect(exitCode).toBe(1);
    expect(errors).toContain('SETUP_DENIED: not allowed: events:PutRule on denied-events');
    expect((await bootstrap('--name', 'denied')).exitCode).toBe(0);
  });

  test('refuses a name that AWS would refuse, before any call', async () => {
    const { exitCode, errors } = await bootstrap('--name', 'Ümlaut');

    expect(exitCode).toBe(2);
    expect(errors).toContain('--name "Ümlaut"');
  });

  test('prints the same set-up as a template, without any call', async () => {
    expect((await bootstrap('--print', 'cloudformation')).out).toContain('AWS::Events::Rule');
    expect((await bootstrap('--print', 'terraform')).out).toContain('resource "aws_cloudwatch_event_rule" "events"');
    const bus = 'arn:aws:events:us-west-2:111122223333:event-bus/ivs-autopilot-events';
    const central = await bootstrap('--print', 'cloudformation', '--organization', 'o-a1b2c3d4e5');
    expect(central.out).toContain('AWS::Events::EventBusPolicy');
    expect((await bootstrap('--print', 'cloudformation', '--to-bus', bus)).out).toContain(`RoleArn:`);
    for (const [args, problem] of [
      [['--to-bus', bus], 'need --print'],
      [['--print', 'terraform', '--to-bus', 'default'], 'expected the ARN of an event bus'],
      [['--print', 'terraform', '--organization', '111122223333'], 'expected an id such as'],
      [['--print', 'terraform', '--organization', 'o-a1b2c3d4e5', '--to-bus', bus], 'one after the other'],
    ] as const)
      expect(await bootstrap(...args)).toMatchObject({ exitCode: 2, errors: expect.stringContaining(problem) });
  });
});
