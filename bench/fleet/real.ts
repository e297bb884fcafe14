// A fleet of some shards in real time: daemons, Redis and the stand-in of AWS are separate processes, and only the usual things happen:
// polls of live streams, ticks, signs of life.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type DaemonProcess, daemonProcess } from '#test/support/daemon-process.ts';
import { cpuMsOf, metric, residentMbOf } from '../incident/stand.ts';
import { redisStand } from '../noticing/stand.ts';
import { type AccountsStand, accountsStand } from './accounts-stand.ts';
import { fleetConfig } from './config.ts';
import { redisCost } from './redis-cost.ts';

/** What a second of a fleet costs in which every channel is live. */
export interface RealCost {
  readonly shards: number;
  readonly channelsPerShard: number;
  /** Share of one core. */
  readonly cores: number;
  readonly redisCores: number;
  readonly residentMb: number;
  readonly redisMb: number;
  readonly commits: number;
  readonly redisCommands: number;
  readonly redisTrafficKb: number;
  readonly awsCalls: number;
}

/** After a start, code is compiled and heaps grow. */
const settleMs = 30_000;
const measuredMs = 45_000;

/** One daemon that carries all shards, with about 2,000 channels each. */
export async function realCost(shards: number, channelsPerShard: number): Promise<RealCost> {
  await using aws = await accountsStand({ accounts: shards, channels: channelsPerShard });
  await using redis = await redisStand();
  await using daemon = await startDaemon(aws, redis.url, { config: fleetConfig(shards) });
  await untilLive([daemon], channelsPerShard * shards);
  await sleep(settleMs);
  const client = new Redis(redis.url);
  const look = async () => ({
    ...(await redisCost(client)),
    cpuMs: cpuMsOf(daemon.pid),
    commits: await metric(daemon, 'state_commits_total\\{outcome="committed"'),
    awsCalls: await aws.calls(),
    at: performance.now(),
  });
  const before = await look();
  await sleep(measuredMs);
  const after = await look();
  client.disconnect();
  const ms = after.at - before.at;
  const perSecond = (of: (seen: typeof before) => number) => ((of(after) - of(before)) / ms) * 1000;
  return {
    shards,
    channelsPerShard,
    cores: (after.cpuMs - before.cpuMs) / ms,
    redisCores: (after.redisCpuMs - before.redisCpuMs) / ms,
    residentMb: residentMbOf(daemon.pid),
    redisMb: after.usedMb,
    commits: perSecond((seen) => seen.commits),
    redisCommands: perSecond((seen) => seen.commands),
    redisTrafficKb: perSecond((seen) => seen.trafficMb) * 1024,
    awsCalls: perSecond((seen) => seen.awsCalls),
  };
}

/** The extra cost of carrying some of many shards, compared with having only those. */
export interface CarriedCost {
  readonly of: number;
  readonly carried: number;
  readonly channelsPerShard: number;
  readonly cpuMs: readonly [some: number, all: number];
  readonly residentMb: readonly [some: number, all: number];
}

/** Two daemons in the same minute, each with its own Redis: one carries ten of fifty shards, the other has ten. */
export async function carriedCost(channelsPerShard: number): Promise<CarriedCost> {
  const [of, carried] = [50, 10];
  await using aws = await accountsStand({ accounts: carried, channels: channelsPerShard });
  await using redisOfSome = await redisStand();
  await using redisOfAll = await redisStand();
  await using some = await startDaemon(aws, redisOfSome.url, { config: fleetConfig(of), flags: ['--accounts', 's0*'] });
  await using all = await startDaemon(aws, redisOfAll.url, { config: fleetConfig(carried) });
  const daemons = [some, all] as const;
  await untilLive(daemons, channelsPerShard * carried);
  await sleep(settleMs);
  const cpu = () => daemons.map(({ pid }) => cpuMsOf(pid));
  const before = cpu();
  await sleep(measuredMs);
  const used = cpu().map((ms, index) => ms - before[index]!);
  const resident = daemons.map(({ pid }) => residentMbOf(pid));
  return {
    of,
    carried,
    channelsPerShard,
    cpuMs: [used[0]!, used[1]!],
    residentMb: [resident[0]!, resident[1]!],
  };
}

function startDaemon(
  aws: AccountsStand,
  redisUrl: string,
  options: { readonly config: string; readonly flags?: readonly string[] },
): Promise<DaemonProcess> {
  return daemonProcess({
    flags: [],
    ...options,
    env: {
      REDIS_URL: redisUrl,
      AWS_ENDPOINT_URL_IVS: aws.url,
      AWS_ENDPOINT_URL_STS: aws.url,
      AUTOPILOT_NAMESPACE: 'bench',
    },
  });
}

/** Until each knows all of its live streams. */
async function untilLive(daemons: readonly DaemonProcess[], live: number): Promise<void> {
  for (const daemon of daemons)
    for (let known = 0; known < live; ) {
      await sleep(500);
      const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
      const counts = metrics.matchAll(/^autopilot_streams\{[^}]*health="healthy"[^}]*\} (\d+)$/gm);
      known = Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
    }
}
