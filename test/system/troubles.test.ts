// What goes wrong around the daemon: each is a clear log line with a code, nothing accepted is lost, and it continues by itself.
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';
import { ownRedis } from '#test/support/redis.ts';

const slate = `
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 0s
    actions: [{put_metadata: {payload: {slate: true}}}]
    guards: {cooldown: 0s, max_live_percent: 100}
`;

const logged = (daemon: Daemon, code: string) => daemon.log.some((line) => line.includes(`"code":"${code}"`));

describe.concurrent('troubles around the daemon', () => {
  test('Redis is restarted: the daemon says so, continues, and acts on what came meanwhile', async () => {
    await using redis = await ownRedis();
    await using platform = await broadcast();
    const { control } = platform.simulator;
    const [channel] = await control.createChannels(1);
    await control.goLive(channel!.arn);
    await using daemon = await platform.daemon({ rules: slate, redisUrl: redis.url });

    const restarted = redis.restart();
    await control.starve(channel!.arn);
    await restarted;

    await eventually(async () => (await control.cues()).length === 1);
    expect(logged(daemon, 'REDIS_UNREACHABLE')).toBe(true);
  });

  test('Redis is away at the start: the daemon starts, is not ready, and works once Redis is there', async () => {
    await using redis = await ownRedis();
    await using platform = await broadcast();
    const { control } = platform.simulator;
    const [channel] = await control.createChannels(1);
    await control.goLive(channel!.arn);
    await redis.server.kill();
    await using daemon = await platform.daemon({ rules: slate, redisUrl: redis.url, cold: true });
    const before = await daemon.ask('GET', '/readyz');

    await redis.restart();
    await control.starve(channel!.arn);

    await eventually(async () => (await daemon.ask('GET', '/readyz')).status === 200);
    await eventually(async () => (await control.cues()).length === 1);
    expect(before.status).toBe(503);
    expect((await daemon.ask('GET', '/healthz')).status).toBe(200);
  });

  test('IVS refuses, disconnects and recovers: nothing is lost', async () => {
    await using platform = await broadcast();
    const { control } = platform.simulator;
    const [channel] = await control.createChannels(1);
    await control.goLive(channel!.arn);
    await using daemon = await platform.daemon({ rules: slate });
    await control.addFault({ operation: 'ListStreams', error: 'InternalServerException', times: 2 });
    await control.addFault({ operation: 'PutMetadata', error: 'InternalServerException', times: 2 });
    await control.addFault({ operation: 'PutMetadata', reset: 'before-effect', times: 1 });

    await control.starve(channel!.arn);

    await eventually(async () => (await control.cues()).length === 1);
    await eventually(() => daemon.log.some((line) => line.includes('POLL_FAILED') || line.includes('IVS_UNAVAILABLE')));
  });

  test('a message that is not JSON stays for the dead-letter queue; an event of an unknown type is counted and deleted', async () => {
    await using platform = await broadcast();
    await using daemon = await platform.daemon({ rules: 'rules: []\n' });

    await platform.send('this is no JSON');
    await platform.send(
      JSON.stringify({
        id: randomUUID(),
        'detail-type': 'IVS Something New',
        source: 'aws.ivs',
        account: '111122223333',
        time: '2026-11-20T10:15:04Z',
        region: 'us-west-2',
        resources: [],
        detail: {},
      }),
    );

    await eventually(() => logged(daemon, 'EVENT_UNREADABLE'));
    await eventually(async () => (await platform.queueDepth()) === 1);
    const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
    expect(metrics).toMatch(/autopilot_events_total\{[^}]*outcome="observed_unknown_type"\} 1/);
  });

  test('the event queue is away: the daemon backs off, and takes what waits when it is back', async () => {
    await using platform = await broadcast();
    const { control } = platform.simulator;
    const [channel] = await control.createChannels(1);
    await using daemon = await platform.daemon({ rules: slate });
    await platform.sqs.close();

    await eventually(() => logged(daemon, 'SQS_UNREACHABLE'));
    // Polls still see it.
    await control.goLive(channel!.arn);
    await control.starve(channel!.arn);

    await eventually(async () => (await control.cues()).length === 1);
    const failures = daemon.log.filter((line) => line.includes('SQS_UNREACHABLE')).length;
    expect(failures).toBeLessThan(10);
  });

  test('a rule for an event name that IVS does not have is named with its place', async () => {
    await using platform = await broadcast();
    await using daemon = await platform.daemon({ rules: 'rules: []\n' });
    const impossible = slate.replace(
      '{state: {health: [STARVING]}}',
      '{event: {detail: {event_name: [Stream Begin]}}}',
    );
    await writeFile(daemon.configFile, `version: 1\n${impossible}`);

    await daemon.ask('POST', '/v1/config/reload');

    const warning = daemon.log.find(
      (line) => line.includes('"code":"CONFIG_SUSPECT"') && line.includes('Stream Begin'),
    );
    expect(warning).toMatch(/autopilot-0\.yaml:6:\d+ rules\[0\]\.trigger/);
  });
});
