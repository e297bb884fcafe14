// A daemon whose Redis is a cluster, or is found through sentinels: it becomes ready, acts and delivers, and continues when the primary
// dies.
import { describe, expect, test } from 'vitest';
import { keyPrefix } from '#runtime/redis.ts';
import { broadcast, quickSettings, testCredentials } from '#test/support/broadcast.ts';
import { daemonProcess } from '#test/support/daemon-process.ts';
import { eventually } from '#test/support/quiet.ts';
import { redisCluster, redisSentinels, type TestNode } from '#test/support/redis-cluster.ts';

// With a short request timeout a new ledger of permits grants soon.
const rules = `
limits: {request_timeout: 1s}
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: {slate: "{{ channel.arn }}"}}}]
    guards: {cooldown: 0s, max_live_percent: 100, max_per_hour: 1000}
`;
// Not a secret: a word for this test.
const password = 'word-of-the-primary';
const namespace = 'moves';

interface Cue {
  readonly items: readonly { readonly id: string; readonly d: { readonly slate?: string; readonly note?: string } }[];
}

interface Stand extends AsyncDisposable {
  readonly url: string;
  primary(): Promise<TestNode>;
}

async function onCluster(): Promise<Stand> {
  const cluster = await redisCluster();
  const prefix = keyPrefix(namespace, 'main');
  const owner = await cluster.ownerOf(prefix);
  // Through a node that does not have the keys.
  const named = cluster.nodes.slice(0, 3).find((node) => node !== owner)!;
  return {
    url: `redis://127.0.0.1:${named.port}`,
    primary: () => cluster.ownerOf(prefix),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

const stands = { 'a cluster': onCluster, sentinels: () => redisSentinels({ password, sentinelPassword: password }) };

describe.concurrent.each(Object.keys(stands) as (keyof typeof stands)[])('a daemon on %s', (kind) => {
  test('becomes ready, acts, delivers metadata, and continues after the primary died, with each effect once', async () => {
    await using platform = await broadcast();
    await using stand: Stand = await stands[kind]();
    const { control } = platform.simulator;
    const [a, b, c] = (await control.createChannels(3)).map(({ arn }) => arn) as [string, string, string];
    await control.goLive([a, b, c]);
    await using daemon = await daemonProcess({
      config: quickSettings + rules,
      env: {
        REDIS_URL: stand.url,
        AUTOPILOT_NAMESPACE: namespace,
        AUTOPILOT_QUEUE_URL: platform.queueUrl,
        AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
        AWS_ENDPOINT_URL_IVS: platform.simulator.url,
        AWS_ENDPOINT_URL_SQS: platform.sqs.endpoint,
      },
    });
    await eventually(async () => (await daemon.ask('GET', '/readyz')).status === 200);
    // Each item once per channel: if the answer of a call is missed, the call is repeated with the same ids.
    const sent = async () => {
      const items = (await control.cues()).flatMap(({ channelArn, metadata }) =>
        (JSON.parse(metadata) as Cue).items.map(
          ({ id, d }) => [`${channelArn} ${id}`, d.slate ?? d.note ?? ''] as const,
        ),
      );
      return [...new Map(items).values()];
    };
    const isSent = (text: string, times = 1) =>
      eventually(async () => (await sent()).filter((one) => one === text).length >= times);
    const deliver = async (note: string) => {
      const batch = { targets: { live: true }, items: [{ payload: { note } }] };
      // The same request again, as repeated by a client that got 503.
      await eventually(async () => {
        const answer = await daemon.ask('POST', '/v1/metadata/batches', batch, { 'idempotency-key': note });
        return answer.status === 202;
      });
      await isSent(note, 3);
    };

    await control.starve([a]);
    await isSent(a);
    await deliver('before');
    expect((await daemon.ask('PUT', `/v1/holds/${encodeURIComponent(b)}`, { reason: 'encoder' })).status).toBe(200);
    const primary = await stand.primary();
    // Replication keeps the order of writes: when this one has arrived, the earlier ones have.
    await primary.redis.set(`${keyPrefix(namespace, 'main')}:mark`, '1');
    expect(await primary.redis.wait(1, 0)).toBeGreaterThanOrEqual(1);

    await primary.kill();
    await deliver('after');
    await control.starve([b, c]);
    await isSent(c);

    const { holds } = (await daemon.ask('GET', '/v1/holds')).body;
    expect(holds.map(({ channelArn }: { channelArn: string }) => channelArn)).toEqual([b]);
    // The silence of a hold is complete: its decision is made, and nothing was sent.
    await eventually(async () => {
      const { decisions } = (await daemon.ask('GET', '/v1/decisions?reason=held')).body;
      return decisions.length > 0;
    });
    const slates = (await sent()).filter((text) => text.startsWith('arn:'));
    expect(slates.toSorted()).toEqual([a, c].toSorted());
    expect((await daemon.ask('GET', '/v1/pause')).body.paused).toBe(false);
    expect((await control.calls()).filter(({ status }) => status === 429)).toEqual([]);
    const log = daemon.log.join('\n');
    expect(log).toContain(`"before":"127.0.0.1:${primary.port}"`);
    expect(log).toContain('Redis is now at 127.0.0.1:');
    expect(log).not.toContain(password);
  });
});
