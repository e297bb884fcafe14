// How fast is noticing? `npm run bench -- intake [--events 4000] [--streams 10000] [--sweep-only | --events-only]`
//   1. Events through SQS to stored records and decisions, beside the same messages through a loop that only deletes them, in
//      one run on one core: the ratio is the figure.
//   2. A full sweep of the live streams through the limited client: calls, time against what 5 calls a second allow, memory.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { loadConfig } from '#config/load.ts';
import type { InventoryObservation } from '#domain/observation.ts';
import type { Ruleset } from '#domain/rule.ts';
import { QueueConsumer } from '#intake/events/queue-consumer.ts';
import { Poller } from '#intake/poll/poller.ts';
import { createReader } from '#ivs/reader.ts';
import { createIvsShard } from '#ivs/shard.ts';
import { systemClock } from '#runtime/clock.ts';
import { connectRedis, disconnectRedis } from '#runtime/redis.ts';
import { fleetCounts } from '#streams/fleet.ts';
import { core } from './noticing/core.ts';
import { channelArnAt, storyOf } from './noticing/events.ts';
import { type AwsStand, awsStand, credentials, fill, redisStand } from './noticing/stand.ts';

const parallel = 2;
const exampleRules = join(import.meta.dirname, '../config/autopilot.example.yaml');

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      events: { type: 'string', default: '4000' },
      streams: { type: 'string', default: '10000' },
      'sweep-only': { type: 'boolean', default: false },
      'events-only': { type: 'boolean', default: false },
    },
  });
  const { ruleset } = await loadConfig(exampleRules);
  await using aws = await awsStand(2);
  await using redis = await redisStand();
  if (!values['sweep-only']) await events(aws, redis.url, Number(values.events), ruleset);
  if (!values['events-only']) await sweep(aws, redis.url, Number(values.streams), ruleset);
}

async function events(aws: AwsStand, redisUrl: string, count: number, ruleset: Ruleset): Promise<void> {
  const bodies = storyOf(Math.max(1, Math.floor(count / 8)), count, Date.now());
  for (const queueUrl of aws.queueUrls) await fill(aws.sqsEndpoint, queueUrl, bodies);

  const bare = await measured(() => bareLoop(aws.sqsEndpoint, aws.queueUrls[0]!, count));
  await using ours = await core({ redisUrl, prefix: '{bench:events}', ruleset });
  await ours.pipeline.observe(inventoryOf(Math.max(1, Math.floor(count / 8))));
  const noticed = await measured(() => consume(aws, ours, count));

  const perSecond = (tookMs: number) => Math.round((count / tookMs) * 1000);
  console.log(
    `Events: ${count} over ${fleetCounts(ours.state.view).live} live channels, ${ruleset.rules.length} rules`,
  );
  console.table({
    'only receive and delete': { 'events/s': perSecond(bare.tookMs), 'CPU ms/event': perEvent(bare.cpuMs, count) },
    'to records and decisions': {
      'events/s': perSecond(noticed.tookMs),
      'CPU ms/event': perEvent(noticed.cpuMs, count),
    },
  });
  const share = bare.tookMs / noticed.tookMs;
  console.log(
    `${(share * 100).toFixed(0)} % of the bare loop's rate; ${ours.done.commits} commits, ${ours.done.decisions} decisions`,
  );
}

/** Channels with the tags that the example rules look for: nearly every rule has something to decide. */
function inventoryOf(count: number): InventoryObservation {
  const tags = { tier: 'gold', 'key-rotation': 'on-stream-end', record: 'scheduled', show: 'bench' };
  const channels = Array.from({ length: count }, (_, index) => {
    const arn = channelArnAt(index);
    return { arn, name: `bench-${index}`, type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags };
  });
  return { kind: 'inventory', channels, removed: [], atMs: Date.now(), complete: true };
}

function perEvent(cpuMs: number, count: number): number {
  return Math.round((cpuMs / count) * 1000) / 1000;
}

async function measured(work: () => Promise<void>): Promise<{ tookMs: number; cpuMs: number }> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { tookMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}

/** What a consumer costs that does nothing but keep the queue empty. */
async function bareLoop(endpoint: string, queueUrl: string, count: number): Promise<void> {
  const client = new SQSClient({ region: 'us-west-2', endpoint, credentials, maxAttempts: 1 });
  let deleted = 0;
  const loop = async (): Promise<void> => {
    while (deleted < count) {
      const request = { QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
      const { Messages = [] } = await client.send(new ReceiveMessageCommand(request));
      if (Messages.length === 0) continue;
      for (const { Body } of Messages) JSON.parse(Body ?? '');
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
      deleted += Messages.length;
    }
  };
  await Promise.all(Array.from({ length: parallel }, loop));
  client.destroy();
}

async function consume(
  aws: AwsStand,
  { pipeline, metrics, logger }: Awaited<ReturnType<typeof core>>,
  count: number,
): Promise<void> {
  let committed = 0;
  let finished = () => {};
  const all = new Promise<void>((resolve) => (finished = resolve));
  const consumer = new QueueConsumer({
    shard: 'bench',
    queueUrl: aws.queueUrls[1]!,
    region: 'us-west-2',
    endpoint: aws.sqsEndpoint,
    credentials,
    parallel,
    waitTimeSeconds: 1,
    sink: {
      async observe(observation) {
        const taken = await pipeline.observe(observation);
        committed += 1;
        if (committed === count) finished();
        return taken;
      },
      keepUnknown: async () => undefined,
      queueRead: async () => undefined,
    },
    now: Date.now,
    clock: systemClock,
    random: Math.random,
    logger,
    metrics,
  });
  await consumer.start();
  await all;
  await consumer.stop();
}

async function sweep(aws: AwsStand, redisUrl: string, streams: number, ruleset: Ruleset): Promise<void> {
  const channels = await aws.control.createChannels(streams);
  const arns = channels.map(({ arn }) => arn);
  for (let from = 0; from < arns.length; from += 1000)
    await aws.control.goLive(arns.slice(from, from + 1000), { viewers: 12 });
  await aws.control.clearCalls();
  await using ours = await core({ redisUrl, prefix: '{bench:sweep}', ruleset });
  const redis = connectRedis({ url: redisUrl, role: 'limiter', logger: ours.logger });
  await redis.connect();
  const shard = createIvsShard({
    name: 'bench',
    region: 'us-west-2',
    redis,
    keyPrefix: '{bench:sweep}',
    endpoint: aws.ivsUrl,
    credentials,
    onRedisDown: 'wait',
    requestTimeoutMs: 5_000,
    emptyLedgerPatienceMs: 0,
    clock: systemClock,
    logger: ours.logger,
    metrics: ours.metrics,
    random: Math.random,
  });
  await shard.start();
  const poller = new Poller({
    clock: systemClock,
    reader: createReader(shard.client),
    observe: (observation) => ours.pipeline.observe(observation),
    now: () => ours.state.nowMs(),
    logger: ours.logger,
    metrics: ours.metrics,
  });
  const { signal } = new AbortController();
  // The first sweep opens every record; the second is what the daemon does from then on, beside its starving poll.
  const rows: Record<string, object> = {};
  for (const name of ['first sweep', 'next sweep, starving poll beside it']) {
    globalThis.gc?.();
    const commitsBefore = ours.done.commits;
    let starvingPolls = 0;
    let slowestMs = 0;
    const beside = name.startsWith('next')
      ? setInterval(() => {
          const startedAt = performance.now();
          void poller.runPass('starving', signal).then(() => {
            starvingPolls += 1;
            slowestMs = Math.max(slowestMs, performance.now() - startedAt);
          });
        }, 5_000)
      : undefined;
    const startedAt = performance.now();
    let pages = 0;
    const { cpuMs } = await measured(async () => void ({ pages } = await poller.runPass('all', signal)));
    clearInterval(beside);
    rows[name] = {
      calls: pages,
      seconds: seconds(performance.now() - startedAt),
      'CPU s': seconds(cpuMs),
      commits: ours.done.commits - commitsBefore,
      'RSS MB': Math.round(process.memoryUsage.rss() / 1024 / 1024),
      ...(beside ? { 'starving polls': starvingPolls, 'slowest, ms': Math.round(slowestMs) } : {}),
    };
  }
  const memory = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
  const refused = (await aws.control.summary({ operation: 'ListStreams' })).map((row) => JSON.stringify(row));
  console.log(
    `Sweep: ${fleetCounts(ours.state.view).live} of ${streams} streams are known; ${Math.ceil(streams / 100)} pages at 5/s take ${Math.ceil(streams / 500)} s`,
  );
  console.table(rows);
  console.log(
    `Redis holds ${Math.round(Number(memory) / 1024 / 1024)} MB; ListStreams as the service counted it: ${refused.join(' ')}`,
  );
  await shard.stop();
  await disconnectRedis(redis);
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
