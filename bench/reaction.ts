// How long from a message in the queue to the call it causes? `npm run bench -- reaction [--seconds 20] [--rate 50]`
// The whole daemon with one rule (Starvation Start → put_metadata) against a bare loop that receives and calls, one after the
// other in one run, at 50 events a second over many channels; measured from the message's way into the queue to the moment at
// which the simulator counted the call.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { IvsClient, PutMetadataCommand } from '@aws-sdk/client-ivs';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { loadConfig } from '#config/load.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createApp } from '#src/app.ts';
import { eventBody } from './noticing/events.ts';
import { type AwsStand, awsStand, credentials, fill, percentile, redisStand } from './noticing/stand.ts';

const channelCount = 200;
const rounds = 4;
const rules = `version: 1
polling: {full_interval: 15s, starving_interval: 5s}
defaults: {mode: enforce, guards: {cooldown: 0s, max_event_age: 10m}}
rules:
  - name: reaction
    trigger: {event: {source: [aws.ivs], detail: {event_name: [Starvation Start]}}}
    actions: [{put_metadata: {payload: {bench: "{{ event.id }}"}, expires: 60s, lane: urgent}}]
`;

interface Target {
  readonly arn: string;
  readonly streamId: string;
}

export async function run(args: string[]): Promise<void> {
  const options = { seconds: { type: 'string', default: '20' }, rate: { type: 'string', default: '50' } } as const;
  const { values } = parseArgs({ args, options });
  const [durationMs, rate] = [Number(values.seconds) * 1000, Number(values.rate)];
  await using aws = await awsStand(2);
  await using redis = await redisStand();
  const channels = await aws.control.createChannels(channelCount);
  const arns = channels.map(({ arn }) => arn);
  const streamIds = await aws.control.goLive(arns);
  const targets = arns.map((arn, index) => ({ arn, streamId: streamIds[index]! }));

  const bare: number[] = [];
  const ours: number[] = [];
  const decided = await withDaemon(aws, redis.url, async (sentAt) => {
    // In turns, so that both meet the same moods of the machine. An idle daemon beside the bare loop costs it next to nothing.
    for (let round = 0; round <= rounds; round += 1) {
      const [bareRound, oursRound] = [
        await bareLoop(aws, targets, durationMs / rounds, rate),
        await reactions(aws, aws.queueUrls[1]!, targets, durationMs / rounds, rate, sentAt),
      ];
      // The first round compiles code and opens connections.
      if (round === 0) continue;
      bare.push(...bareRound);
      ours.push(...oursRound);
    }
  });

  console.table({
    'receive and call': row(bare),
    'the daemon': row(ours),
    '  of it: until the decision is stored': row(decided),
  });
  const ratio = percentile(ours, 0.99) / percentile(bare, 0.99);
  console.log(`p99 is ${ratio.toFixed(2)} times the bare loop's (at most 2)`);
  const throttled = (await aws.control.summary({ operation: 'PutMetadata' })).map((summary) => JSON.stringify(summary));
  console.log(`PutMetadata as the service counted it: ${throttled.join(' ')}`);
}

function row(delays: readonly number[]) {
  const ms = (part: number) => Math.round(percentile(delays, part) * 10) / 10;
  return { calls: delays.length, 'p50 ms': ms(0.5), 'p90 ms': ms(0.9), 'p99 ms': ms(0.99), 'max ms': ms(1) };
}

/** Sends events at a steady rate and gives, for each, how long its call took to arrive. */
async function reactions(
  aws: AwsStand,
  queueUrl: string,
  targets: readonly Target[],
  durationMs: number,
  rate: number,
  sentAt = new Map<string, number>(),
): Promise<number[]> {
  const own = new Set<string>();
  const startedAt = performance.now();
  const count = Math.floor((durationMs / 1000) * rate);
  for (let index = 0; index < count; index += 1) {
    const waitMs = startedAt + (index * 1000) / rate - performance.now();
    if (waitMs > 0) await new Promise((done) => setTimeout(done, waitMs));
    const { arn, streamId } = targets[index % targets.length]!;
    const id = randomUUID();
    const body = eventBody('Starvation Start', arn, streamId, Date.now(), id);
    own.add(id);
    sentAt.set(id, performance.timeOrigin + performance.now());
    void fill(aws.sqsEndpoint, queueUrl, [body]);
  }
  const deadline = performance.now() + 20_000;
  for (;;) {
    const cues = await aws.control.cues();
    const delays = cues.flatMap(({ at, metadata }) => {
      const id = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}/g;
      return Array.from(metadata.matchAll(id), ([found]) =>
        own.has(found) ? at - sentAt.get(found)! : undefined,
      ).filter((delay) => delay !== undefined);
    });
    if (delays.length >= count || performance.now() > deadline) return delays;
    await new Promise((done) => setTimeout(done, 250));
  }
}

async function bareLoop(
  aws: AwsStand,
  targets: readonly Target[],
  durationMs: number,
  rate: number,
): Promise<number[]> {
  const queueUrl = aws.queueUrls[0]!;
  const sqs = new SQSClient({ region: 'us-west-2', endpoint: aws.sqsEndpoint, credentials, maxAttempts: 1 });
  const ivs = new IvsClient({ region: 'us-west-2', endpoint: aws.ivsUrl, credentials, maxAttempts: 1 });
  const over = new AbortController();
  const loop = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const request = { QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(request));
      if (Messages.length === 0) continue;
      await Promise.all(
        Messages.map(async ({ Body }) => {
          const event = JSON.parse(Body ?? '') as { id: string; resources: string[] };
          const metadata = JSON.stringify({ bench: event.id });
          await ivs.send(new PutMetadataCommand({ channelArn: event.resources[0], metadata }));
        }),
      );
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  };
  const loops = [loop(), loop()];
  const found = await reactions(aws, queueUrl, targets, durationMs, rate);
  over.abort();
  await Promise.all(loops);
  sqs.destroy();
  ivs.destroy();
  return found;
}

/** Runs the daemon for as long as `measure` takes; gives how long each decision took to be stored. */
async function withDaemon(
  aws: AwsStand,
  redisUrl: string,
  measure: (sentAt: Map<string, number>) => Promise<void>,
): Promise<number[]> {
  const sentAt = new Map<string, number>();
  const decided: number[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-bench-reaction-'));
  const file = join(folder, 'autopilot.yaml');
  await writeFile(file, rules);
  const queueUrl = aws.queueUrls[1]!;
  const load = () => loadConfig(file, { queueUrl });
  const scrubber = new Scrubber();
  const app = createApp({
    config: await load(),
    loadConfig: load,
    redisUrl,
    role: 'all',
    env: { AWS_REGION: 'us-west-2', AUTOPILOT_HTTP_PORT: '0' },
    clock: systemClock,
    random: Math.random,
    logger: createLogger({ level: 'error', scrubber }),
    metrics: createMetrics(),
    scrubber,
    namespace: 'bench',
    emptyLedgerPatienceMs: 100,
    onCommitted: ({ changes }) => {
      const now = performance.timeOrigin + performance.now();
      for (const change of changes)
        if (change.kind === 'event') decided.push(now - (sentAt.get(change.observation.envelope.id) ?? Number.NaN));
    },
    aws: { ivsEndpoint: aws.ivsUrl, sqsEndpoint: aws.sqsEndpoint, credentials },
  });
  await app.start();
  try {
    for (let ready = false; !ready; ready = (await fetch(`${app.url}/readyz`)).ok)
      await new Promise((done) => setTimeout(done, 50));
    await measure(sentAt);
    return decided;
  } finally {
    await app.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
