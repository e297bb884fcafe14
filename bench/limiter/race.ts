// One race: a simulator in this process, the contestant in separate processes, and what the simulator saw.
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { messageOf } from '#domain/errors.ts';
import { startSimulator } from '#simulator/server.ts';
import type { Item } from './contestants.ts';
import type { Scenario } from './scenarios.ts';
import type { WorkerReport, WorkerTask } from './worker.ts';

export interface RaceResult {
  readonly contestant: string;
  readonly scenario: string;
  /** Why the contestant did not finish; its figures then cover what had been delivered. */
  readonly didNotFinish?: string;
  readonly items: number;
  /** Items that arrived, each counted once. */
  readonly delivered: number;
  /** Time until the last item. */
  readonly seconds: number;
  /** Time until the last judged item, if not all are judged. */
  readonly judgedSeconds?: number;
  /** Time until the last judged item, divided by the lower bound. */
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
  /** Peak resident memory of the largest process. */
  readonly peakRssMb: number;
}

/** How long a worker may be silent. */
const defaultPatienceMs = 300_000;

/** Runs one contestant through one scenario. One that crashes or hangs did not finish; that is a result too. */
export async function race(
  contestant: string,
  scenario: Scenario,
  redisUrl: string,
  patienceMs: number = defaultPatienceMs,
): Promise<RaceResult> {
  await using simulator = await startSimulator({
    enforcement: scenario.enforcement ?? 'sliding-window',
    quotas: { channels: 20_000, concurrentStreams: 20_000 },
  });
  const made = await simulator.control.createChannels(scenario.channels);
  await simulator.control.goLive(made.map(({ arn }) => arn));
  const [least, most] = scenario.jitterMs;
  const latency = scenario.latencyMs ?? 0;
  if (most + latency > 0) await simulator.control.addFault({ latencyMs: [least + latency, most + latency] });
  if (latency > 0) await simulator.control.addFault({ answerLatencyMs: latency });

  const redis = new Redis(redisUrl);
  const namespace = `bench-${randomBytes(4).toString('hex')}`;
  const workers: ChildProcess[] = [];
  const failures: string[] = [];
  /** The next message of each worker; for one that no longer sends any, why. */
  const hearAll = async (): Promise<unknown[]> => {
    const said = await Promise.allSettled(workers.map((worker) => heard(worker, patienceMs)));
    for (const each of said) if (each.status === 'rejected') failures.push(messageOf(each.reason));
    return said.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  };
  try {
    let serial = 0;
    const tasks = Array.from({ length: scenario.processes }, (_, index): WorkerTask => {
      const items: Item[] = scenario.items(index).map((channel) => ({
        channelArn: made[channel]!.arn,
        metadata: JSON.stringify({ item: serial++, channel }),
      }));
      return {
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
    });
    for (const _task of tasks) {
      const worker = fork(join(import.meta.dirname, 'worker.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      // If nothing can be sent to it any longer, its exit shows that.
      worker.on('error', () => undefined);
      workers.push(worker);
    }
    await hearAll();
    for (const [index, worker] of workers.entries()) worker.send(tasks[index]!);
    if (failures.length === 0) await hearAll();
    // Long enough for every window and every lease of a reported answer to end after the warm-up.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const { calls: warmed } = await simulator.control.health();
    const warmCues = (await simulator.control.cues()).length;

    const before = await commandCounts(redis);
    const startedAt = (await simulator.control.health()).now;
    let reports: WorkerReport[] = [];
    if (failures.length === 0) {
      for (const worker of workers) worker.send('go');
      reports = (await hearAll()) as WorkerReport[];
    }
    const after = await commandCounts(redis);

    const calls = await simulator.control.calls({ operation: 'PutMetadata', afterSeq: warmed });
    const cues = (await simulator.control.cues()).slice(warmCues);
    const arrivals = calls.filter(({ outcome }) => outcome === 'ok').sort((a, b) => a.at - b.at);
    const channelNumber = new Map(made.map(({ arn }, i) => [arn, i]));
    const { judged } = scenario;
    const secondsUntil = (last: { at: number } | undefined) => ((last?.at ?? startedAt) - startedAt) / 1000;
    const seconds = secondsUntil(arrivals.at(-1));
    const judgedSeconds = judged
      ? secondsUntil(arrivals.findLast(({ channelArn }) => judged(channelNumber.get(channelArn!)!)))
      : seconds;
    const distinct = new Set(cues.map(({ metadata }) => metadata)).size;
    const byChannel = new Map<string, number[]>();
    for (const { channelArn, at } of arrivals) byChannel.set(channelArn!, [...(byChannel.get(channelArn!) ?? []), at]);
    const perItem = (value: number) => value / serial;
    // The cost of a worker that ended early is unknown.
    const known = reports.length === workers.length;
    return {
      contestant,
      scenario: scenario.name,
      ...(failures.length === 0 ? {} : { didNotFinish: [...new Set(failures)].join('; ') }),
      items: serial,
      delivered: distinct,
      seconds,
      ...(judged ? { judgedSeconds } : {}),
      overBound: judgedSeconds / scenario.lowerBoundS,
      ratePerS: slope(arrivals.map(({ at }) => (at - startedAt) / 1000)),
      throttled: calls.filter(({ status }) => status === 429).length,
      lost: serial - distinct,
      duplicated: cues.length - distinct,
      worstSecond: worstSecond(arrivals.map(({ at }) => at)),
      worstChannelSecond: Math.max(0, ...[...byChannel.values()].map(worstSecond)),
      cpuMsPerItem: known ? perItem(sum(reports.map(({ cpuMs }) => cpuMs))) : Number.NaN,
      redisCallsPerItem: perItem(after.scripts - before.scripts),
      redisCommandsPerItem: perItem(after.commands - before.commands),
      peakRssMb: known ? Math.max(...reports.map(({ peakRssMb }) => peakRssMb)) : Number.NaN,
    };
  } finally {
    await Promise.race([Promise.all(workers.map(ended)), new Promise((resolve) => setTimeout(resolve, 3000))]);
    for (const worker of workers) if (!isOver(worker)) worker.kill('SIGKILL');
    redis.disconnect();
  }
}

/** The next message of a worker; rejects if it ends or is silent for this long. */
function heard(worker: ChildProcess, patienceMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => over(() => reject(new Error(`a worker said nothing for ${patienceMs / 1000} s`))),
      patienceMs,
    );
    const over = (settle: () => void) => {
      clearTimeout(timer);
      worker.off('exit', onExit);
      worker.off('message', onMessage);
      settle();
    };
    const onExit = () => over(() => reject(new Error(`a worker ended by itself (${howItEnded(worker)})`)));
    const onMessage = (message: unknown) => over(() => resolve(message));
    worker.once('message', onMessage);
    worker.once('exit', onExit);
    if (isOver(worker)) onExit();
  });
}

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function howItEnded({ exitCode, signalCode }: ChildProcess): string {
  return signalCode ?? `exit code ${exitCode}`;
}

async function ended(worker: ChildProcess): Promise<void> {
  if (!isOver(worker)) await new Promise((resolve) => worker.once('exit', resolve));
}

/** Commands that clients sent (a script is one), and all that were executed, including those inside scripts. */
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

/** The most arrivals in any trailing second. Takes sorted milliseconds. */
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
