// Four replicas in separate processes, with failures: one is killed (-9), one is suspended (SIGSTOP), Redis is killed and started again,
// and then emptied. Returns what the simulator recorded.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { connectRedis, disconnectRedis, keyPrefix } from '#runtime/redis.ts';
import { startSimulator } from '#simulator/server.ts';
import type { LimiterTask } from './limiter-worker.ts';
import { eventually, quietLogger } from './quiet.ts';
import { ownRedis } from './redis.ts';

export interface OrdealOptions {
  /** Channels that get `itemsEach` items; the first tenth of them gets five times as many. */
  readonly channels: number;
  readonly itemsEach: number;
  readonly requestTimeoutMs: number;
  readonly pauseMs: number;
  readonly boundMs: number;
}

export interface OrdealResult {
  readonly items: number;
  readonly arrived: number;
  readonly duplicates: number;
  readonly throttled: number;
  readonly worstSecond: number;
  readonly worstChannelSecond: number;
  readonly seconds: number;
}

const replicas = 4;

/** Runs it all. Every item is sent by some replica: what a killed one had not sent goes to a new one. */
export async function limiterOrdeal(options: OrdealOptions): Promise<OrdealResult> {
  await using redis = await ownRedis();
  await using simulator = await startSimulator({
    enforcement: 'sliding-window',
    quotas: { channels: 10_000, concurrentStreams: 10_000 },
  });
  const channels = (await simulator.control.createChannels(options.channels)).map(({ arn }) => arn);
  await simulator.control.goLive(channels);
  await simulator.control.addFault({ latencyMs: [0, 30] });

  let serial = 0;
  const items = channels.flatMap((channelArn, i) =>
    Array.from({ length: options.itemsEach * (i < options.channels / 10 ? 5 : 1) }, () => ({
      channelArn,
      metadata: `item ${serial++}`,
    })),
  );
  const sent = new Set<string>();
  const workers: ChildProcess[] = [];
  const failures: string[] = [];
  const begin = (share: LimiterTask['items']) => {
    const worker = fork(join(import.meta.dirname, 'limiter-worker.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    workers.push(worker);
    worker.on('message', (message: { awake?: true; sent?: string }) => {
      if (message.sent !== undefined) sent.add(message.sent);
      if (!message.awake) return;
      const { requestTimeoutMs } = options;
      const task = {
        endpoint: simulator.url,
        redisUrl: redis.url,
        keyPrefix: keyPrefix('ordeal', 'main'),
        requestTimeoutMs,
      };
      worker.send({ ...task, items: share } satisfies LimiterTask);
    });
    worker.on('exit', (code, signal) => {
      if (code !== 0 && signal !== 'SIGKILL') failures.push(`a replica ended with ${code ?? signal}`);
    });
    return worker;
  };
  const shareOf = (replica: number) => items.filter((_, i) => i % replicas === replica);
  const reached = (part: number) =>
    eventually(() => {
      if (failures.length > 0) throw new Error(failures.join('; '));
      return sent.size >= items.length * part;
    }, options.boundMs);

  const startedAt = performance.now();
  try {
    const [first, second] = Array.from({ length: replicas }, (_, replica) => begin(shareOf(replica)));
    await reached(0.2);
    first!.kill('SIGKILL');
    begin(shareOf(0).filter(({ metadata }) => !sent.has(metadata)));
    await reached(0.4);
    second!.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, options.pauseMs));
    second!.kill('SIGCONT');
    await reached(0.6);
    await redis.restart();
    await reached(0.8);
    await empty(redis.url);
    await reached(1);
  } finally {
    for (const worker of workers) if (worker.exitCode === null) worker.kill('SIGKILL');
  }
  const seconds = (performance.now() - startedAt) / 1000;

  const calls = await simulator.control.calls({ operation: 'PutMetadata' });
  const cues = await simulator.control.cues();
  const arrived = new Set(cues.map(({ metadata }) => metadata)).size;
  const byChannel = Map.groupBy(cues, ({ channelArn }) => channelArn);
  return {
    items: items.length,
    arrived,
    duplicates: cues.length - arrived,
    throttled: calls.filter(({ status }) => status === 429).length,
    worstSecond: worstSecond(calls),
    worstChannelSecond: Math.max(...[...byChannel.values()].map(worstSecond)),
    seconds,
  };
}

/** As somebody at a console would: the server continues, with no data. */
async function empty(url: string): Promise<void> {
  const redis = connectRedis({ url, role: 'worker', logger: quietLogger() });
  await redis.flushall();
  await disconnectRedis(redis);
}

/** The most arrivals in any trailing second. */
export function worstSecond(calls: readonly { readonly at: number }[]): number {
  const at = calls.map((call) => call.at).sort((a, b) => a - b);
  let worst = 0;
  for (let first = 0, last = 0; last < at.length; last += 1) {
    while (at[first]! <= at[last]! - 1000) first += 1;
    worst = Math.max(worst, last - first + 1);
  }
  return worst;
}
