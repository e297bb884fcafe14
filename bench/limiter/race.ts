// One race: a simulator in this process, the contestant in processes of its own, and what the simulator saw.
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startSimulator } from '#simulator/server.ts';
import type { Item } from './contestants.ts';
import type { Scenario } from './scenarios.ts';
import type { WorkerReport, WorkerTask } from './worker.ts';

export interface RaceResult {
  readonly contestant: string;
  readonly scenario: string;
  readonly seconds: number;
  /** Time until the last judged item, over the lower bound. */
  readonly overBound: number;
  /** Arrivals a second while under way: the least-squares slope. */
  readonly ratePerS: number;
  readonly throttled: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly worstSecond: number;
  readonly worstChannelSecond: number;
  readonly cpuMsPerItem: number;
  readonly redisCallsPerItem: number;
  readonly redisCommandsPerItem: number;
  readonly rssMb: number;
}

const limitMs = 300_000;

/** Runs one contestant through one scenario. */
export async function race(contestant: string, scenario: Scenario, redisUrl: string): Promise<RaceResult> {
  await using simulator = await startSimulator({
    enforcement: scenario.enforcement ?? 'sliding-window',
    quotas: { channels: 20_000, concurrentStreams: 20_000 },
  });
  const made = await simulator.control.createChannels(scenario.channels);
  await simulator.control.goLive(made.map(({ arn }) => arn));
  const [least, most] = scenario.jitterMs;
  const way = scenario.wayMs ?? 0;
  if (most + way > 0) await simulator.control.addFault({ latencyMs: [least + way, most + way] });
  if (way > 0) await simulator.control.addFault({ answerLatencyMs: way });

  const redis = new Redis(redisUrl);
  const namespace = `bench-${randomBytes(4).toString('hex')}`;
  const workers: ChildProcess[] = [];
  try {
    let serial = 0;
    for (let index = 0; index < scenario.processes; index += 1) {
      const items: Item[] = scenario.items(index).map((channel) => ({
        channelArn: made[channel]!.arn,
        metadata: JSON.stringify({ item: serial++, channel }),
      }));
      const worker = fork(join(import.meta.dirname, 'worker.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      workers.push(worker);
      await heard(worker);
      const task: WorkerTask = {
        contestant,
        endpoint: simulator.url,
        redisUrl,
        namespace,
        processes: scenario.processes,
        index,
        items,
        warmUp: items.slice(0, 120),
        clockOffsetMs: scenario.clockOffsetsMs?.[index] ?? 0,
      };
      worker.send(task);
    }
    await Promise.all(workers.map((worker) => heard(worker)));
    // Long enough for the warm-up to leave every window and every lease of a reported answer.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const { calls: warmed } = await simulator.control.health();
    const warmCues = (await simulator.control.cues()).length;

    const before = await commandCounts(redis);
    const startedAt = (await simulator.control.health()).now;
    for (const worker of workers) worker.send('go');
    const reports = (await Promise.all(workers.map((worker) => heard(worker)))) as WorkerReport[];
    const after = await commandCounts(redis);

    const calls = await simulator.control.calls({ operation: 'PutMetadata', afterSeq: warmed });
    const cues = (await simulator.control.cues()).slice(warmCues);
    const arrivals = calls.filter(({ outcome }) => outcome === 'ok').sort((a, b) => a.at - b.at);
    const channelNumber = new Map(made.map(({ arn }, i) => [arn, i]));
    const judged = scenario.judged ?? (() => true);
    const judgedAt = arrivals.filter(({ channelArn }) => judged(channelNumber.get(channelArn!)!)).map(({ at }) => at);
    const seconds = ((judgedAt.at(-1) ?? startedAt) - startedAt) / 1000;
    const distinct = new Set(cues.map(({ metadata }) => metadata)).size;
    const byChannel = new Map<string, number[]>();
    for (const { channelArn, at } of arrivals) byChannel.set(channelArn!, [...(byChannel.get(channelArn!) ?? []), at]);
    return {
      contestant,
      scenario: scenario.name,
      seconds,
      overBound: seconds / scenario.lowerBoundS,
      ratePerS: slope(arrivals.map(({ at }) => (at - startedAt) / 1000)),
      throttled: calls.filter(({ status }) => status === 429).length,
      lost: serial - distinct,
      duplicated: cues.length - distinct,
      worstSecond: worstSecond(arrivals.map(({ at }) => at)),
      worstChannelSecond: Math.max(0, ...[...byChannel.values()].map(worstSecond)),
      cpuMsPerItem: sum(reports.map(({ cpuMs }) => cpuMs)) / serial,
      redisCallsPerItem: (after.scripts - before.scripts) / serial,
      redisCommandsPerItem: (after.commands - before.commands) / serial,
      rssMb: Math.max(...reports.map(({ peakRssMb }) => peakRssMb)),
    };
  } finally {
    await Promise.race([Promise.all(workers.map(ended)), new Promise((resolve) => setTimeout(resolve, 3000))]);
    for (const worker of workers) if (worker.exitCode === null) worker.kill('SIGKILL');
    redis.disconnect();
  }
}

function heard(worker: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`a worker said nothing for ${limitMs} ms`)), limitMs);
    const done = (settle: () => void) => () => {
      clearTimeout(timer);
      worker.off('exit', onExit);
      settle();
    };
    const onExit = done(() => reject(new Error('a worker ended by itself')));
    worker.once('exit', onExit);
    worker.once('message', (message) => done(() => resolve(message))());
  });
}

async function ended(worker: ChildProcess): Promise<void> {
  if (worker.exitCode === null) await new Promise((resolve) => worker.once('exit', resolve));
}

/** Commands that clients sent (a script is one), and all that were executed, those inside scripts too. */
async function commandCounts(redis: Redis): Promise<{ scripts: number; commands: number }> {
  const stats = await redis.info('commandstats');
  const calls = new Map(
    [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, count]) => [name!, Number(count)]),
  );
  const info = await redis.info('stats');
  return {
    scripts: (calls.get('evalsha') ?? 0) + (calls.get('eval') ?? 0),
    commands: Number(/^total_commands_processed:(\d+)/m.exec(info)?.[1] ?? 0),
  };
}

/** Most arrivals in any trailing second. Takes sorted milliseconds. */
export function worstSecond(at: readonly number[]): number {
  let worst = 0;
  for (let first = 0, last = 0; last < at.length; last += 1) {
    while (at[first]! <= at[last]! - 1000) first += 1;
    worst = Math.max(worst, last - first + 1);
  }
  return worst;
}

/** Arrivals a second by least squares, without the first two seconds (the burst) and the last one. Takes sorted seconds. */
function slope(at: readonly number[]): number {
  const end = (at.at(-1) ?? 0) - 1;
  const points = at.map((x, i) => ({ x, y: i })).filter(({ x }) => x >= 2 && x <= end);
  if (points.length < 2) return Number.NaN;
  const meanX = sum(points.map(({ x }) => x)) / points.length;
  const meanY = sum(points.map(({ y }) => y)) / points.length;
  return sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / sum(points.map(({ x }) => (x - meanX) ** 2));
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
