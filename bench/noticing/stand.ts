// Where intake is measured: SQS and the simulator in a separate process, so that their work is not counted as ours, and a Redis with an
// append-only file in a temporary folder.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedRedis } from '#runtime/embedded-redis.ts';
import { SimulatorClient } from '#simulator/client.ts';
import { startSimulator } from '#simulator/server.ts';
import { startLocalSqs } from '#simulator/sqs.ts';

/** Accepted only by stand-ins. */
export const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };

export interface AwsStand extends AsyncDisposable {
  readonly pid: number;
  readonly ivsUrl: string;
  readonly sqsEndpoint: string;
  readonly queueUrls: readonly string[];
  readonly control: SimulatorClient;
}

type Ready = Pick<AwsStand, 'ivsUrl' | 'sqsEndpoint' | 'queueUrls'>;

/** The stand-ins of AWS, with this many queues; events of the simulator go nowhere. */
export async function awsStand(queues: number): Promise<AwsStand> {
  const { child, end, ...ready } = await inAnotherProcess<Ready>('the stand-ins of AWS', ['serve', String(queues)]);
  return { ...ready, pid: child.pid!, control: new SimulatorClient(ready.ivsUrl), [Symbol.asyncDispose]: end };
}

async function serve(queues: number): Promise<void> {
  const sqs = await startLocalSqs();
  const queueUrls: string[] = [];
  for (let index = 0; index < queues; index += 1)
    queueUrls.push((await sqs.createQueue(`ivs-events-${index}`, { VisibilityTimeout: '120' })).queueUrl);
  const simulator = await startSimulator({ quotas: { channels: 20_000, concurrentStreams: 20_000 }, seed: 'noticing' });
  process.on('disconnect', () => void Promise.all([simulator.close(), sqs.close()]).then(() => process.exit(0)));
  process.send?.({ ivsUrl: simulator.url, sqsEndpoint: sqs.endpoint, queueUrls } satisfies Ready);
}

export interface RedisStand extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/**
 * A Redis that ends with this process, however that ends: a separate process supervises it.
 * @param persistence whether it has an append-only file
 */
export async function redisStand({ persistence = true } = {}): Promise<RedisStand> {
  const args = ['redis', String(persistence)];
  const { pid, url, end } = await inAnotherProcess<Pick<RedisStand, 'pid' | 'url'>>('Redis', args);
  return { pid, url, [Symbol.asyncDispose]: end };
}

async function serveRedis(persistence: boolean): Promise<void> {
  // Ctrl-C reaches us too, and the server must be ended first.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const directory = await mkdtemp(join(tmpdir(), 'autopilot-bench-redis-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  const program = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';
  try {
    const redis = await startEmbeddedRedis({ program, directory, persistence });
    process.once('disconnect', () => void redis.stop().then(remove));
    if (!process.connected) return void process.emit('disconnect');
    process.send!({ url: redis.url, pid: redis.pid });
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Starts this file with these arguments; resolves with its message when it is ready, and with a function to end it. */
async function inAnotherProcess<Ready>(what: string, args: readonly string[]) {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), args);
  const exit = once(child, 'exit');
  const gone = exit.then(([code]) => Promise.reject(new Error(`the process of ${what} ended with ${code}`)));
  gone.catch(() => undefined);
  const [ready] = (await Promise.race([once(child, 'message'), gone])) as [Ready];
  const end = async () => {
    if (child.connected) child.disconnect();
    await exit;
  };
  return { ...ready, child, end };
}

/** Puts messages into a queue, ten at a time, several batches at once: nearly in order. */
export async function fill(sqsEndpoint: string, queueUrl: string, bodies: readonly string[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(bodies.length / 10) }, (_, index) =>
    bodies.slice(index * 10, index * 10 + 10),
  );
  const work = async (): Promise<void> => {
    for (let batch = batches.shift(); batch; batch = batches.shift()) {
      const answer = await fetch(sqsEndpoint, {
        method: 'POST',
        headers: { 'x-amz-target': 'AmazonSQS.SendMessageBatch', 'content-type': 'application/x-amz-json-1.0' },
        body: JSON.stringify({
          QueueUrl: queueUrl,
          Entries: batch.map((body, index) => ({ Id: String(index), MessageBody: body })),
        }),
      });
      if (!answer.ok) throw new Error(`SendMessageBatch: ${answer.status}`);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === 'serve') await serve(Number(process.argv[3]));
  else await serveRedis(process.argv[3] === 'true');
}
