// A fleet of some shards in virtual time, in a separate process: every channel is live, and what a daemon would observe goes through its
// pipeline into the shared state of a real Redis. Reports what a virtual minute costs. Not included, because they take no virtual time: the
// calls to AWS themselves (see bench/fleet/real.ts), and ticks with nothing due.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseConfig } from '#config/load.ts';
import { durationMs } from '#domain/duration.ts';
import { kinds } from '#domain/state-registry.ts';
import { pollIntervals } from '#intake/poll/intervals.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { connectRedis, disconnectRedis } from '#runtime/redis.ts';
import { Pipeline } from '#src/pipeline.ts';
import { stagesOf } from '../noticing/core.ts';
import { VirtualClock, VirtualState } from '../retention/virtual-state.ts';
import { fleetConfig } from './config.ts';
import { LiveFleet } from './live-fleet.ts';
import { redisCost } from './redis-cost.ts';

export interface VirtualSize {
  readonly shards: number;
  readonly channelsPerShard: number;
}

/** What a minute of a fleet costs, and what the fleet uses. */
export interface VirtualCost extends VirtualSize {
  /** CPU of the process, ms. */
  readonly cpuMs: number;
  readonly redisCpuMs: number;
  readonly commits: number;
  readonly redisCommands: number;
  /** To Redis and back. */
  readonly redisTrafficMb: number;
  /** Calls of ListStreams that the polls would have made. */
  readonly listCalls: number;
  /** What is alive in the heap afterwards. */
  readonly heapMb: number;
  readonly redisMb: number;
}

const minute = 60_000;
const warmMinutes = 2;
const minutes = 5;

/** Plays one fleet in a separate process, with an empty Redis. */
export async function virtualCost(redisUrl: string, size: VirtualSize): Promise<VirtualCost> {
  const child = fork(fileURLToPath(import.meta.url), ['play', redisUrl, JSON.stringify(size)]);
  const exit = once(child, 'exit').then(([code]) => {
    throw new Error(`the virtual fleet ended with ${code}`);
  });
  const [cost] = (await Promise.race([once(child, 'message'), exit])) as [VirtualCost];
  exit.catch(() => undefined);
  return cost;
}

async function play(redisUrl: string, { shards, channelsPerShard }: VirtualSize): Promise<VirtualCost> {
  const config = parseConfig(fleetConfig(), 'fleet.yaml');
  if (!config.ok) throw new Error(config.problems.map(({ message }) => message).join('\n'));
  const { settings, ruleset } = config.config;
  const beganMs = Date.UTC(2026, 10, 20, 20);
  const clock = new VirtualClock(beganMs);
  const logger = createLogger({ level: 'error', scrubber: new Scrubber() });
  const redis = connectRedis({ url: redisUrl, role: 'store', logger });
  await redis.connect();
  const before = await redisCost(redis);
  let commits = 0;
  const fleets = Array.from({ length: shards }, (_, index) => {
    const state = new VirtualState({ redis, prefix: `{bench:fleet:${index}}`, metrics: createMetrics(), clock });
    const pipeline = new Pipeline({
      state,
      ruleset,
      stages: stagesOf(settings, { hasEventQueue: false }),
      onCommitted: () => (commits += 1),
    });
    return { state, pipeline, fleet: new LiveFleet(channelsPerShard, beganMs) };
  });
  const { starvingMs, fullMs } = pollIntervals({
    starvingIntervalMs: durationMs(settings.polling.starving_interval),
    fullIntervalMs: durationMs(settings.polling.full_interval),
    callsPerSecond: 5,
    live: channelsPerShard,
    starving: Math.round(channelsPerShard / 500),
  });
  let listCalls = 0;
  let cpuMs = 0;
  /** The fleet's activity is prepared outside of the measured time. */
  const counted = async (work: () => Promise<unknown>) => {
    const used = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(used);
    cpuMs += (user + system) / 1000;
  };
  for (const { pipeline, fleet } of fleets) await pipeline.observe(fleet.inventory(beganMs));
  let start = { ...before, commits, cpuMs };
  for (let played = 0; played < warmMinutes + minutes; played += 1) {
    if (played === warmMinutes) [start, listCalls] = [{ ...(await redisCost(redis)), commits, cpuMs }, 0];
    const minuteAt = beganMs + played * minute;
    for (const { pipeline, fleet } of fleets) {
      const events = fleet.eventsOf(minuteAt);
      await counted(() => Promise.all(events.map((event) => pipeline.observe(event))));
    }
    for (let atMs = minuteAt + starvingMs; atMs <= minuteAt + minute; atMs += starvingMs) {
      clock.advanceTo(atMs);
      const isFull = Math.floor(atMs / fullMs) > Math.floor((atMs - starvingMs) / fullMs);
      for (const { state, pipeline, fleet } of fleets) {
        const polls = [fleet.poll('starving', atMs), ...(isFull ? [fleet.poll('all', atMs)] : [])];
        listCalls += polls.reduce((sum, { pages }) => sum + pages, 0);
        await counted(async () => {
          await Promise.all(polls.map((poll) => pipeline.observe(poll)));
          await pipeline.tick();
          // A job ends here as soon as it was decided.
          await state.transact((tx) => {
            for (const [key] of tx.entries(kinds.job)) tx.delete(kinds.job.of(key));
          });
        });
      }
    }
  }
  const end = await redisCost(redis);
  const heapMb = heapAfterCollection();
  await disconnectRedis(redis);
  const perMinute = (total: number) => total / minutes;
  return {
    shards,
    channelsPerShard,
    cpuMs: perMinute(cpuMs - start.cpuMs),
    redisCpuMs: perMinute(end.redisCpuMs - start.redisCpuMs),
    commits: perMinute(commits - start.commits),
    redisCommands: perMinute(end.commands - start.commands),
    redisTrafficMb: perMinute(end.trafficMb - start.trafficMb),
    listCalls: perMinute(listCalls),
    heapMb,
    redisMb: end.usedMb - before.usedMb,
  };
}

/** MB alive, without uncollected garbage. */
function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 1_048_576;
}

if (process.argv[2] === 'play' && process.argv[1] === fileURLToPath(import.meta.url)) {
  const cost = await play(process.argv[3]!, JSON.parse(process.argv[4]!) as VirtualSize);
  process.send!(cost, () => process.exit(0));
}
