// How large may a fleet become? `npm run bench -- fleet [--only virtual,real,carried]`
// Three parts, each in separate processes:
//   virtual   1 to 20 shards of 1,000 and 5,000 channels, all live, in virtual time through the pipeline into a real Redis
//   real      1, 3 and 5 shards of 2,000 live channels in one daemon, polled in real time
//   carried   a daemon that carries 10 of 50 shards, compared with one that has only 10
// Prints what a minute (virtual) or a second (real) costs, how that grows with shards and channels, where each part of a deployment
// ends, and a table of goals; writes bench/results/fleet.json; exits with 1 when a goal is missed. docs/scaling.md has the figures.
import { parseArgs } from 'node:util';
import { type CarriedCost, carriedCost, type RealCost, realCost } from './fleet/real.ts';
import { type Slopes, slopesOf } from './fleet/slopes.ts';
import { type VirtualCost, virtualCost } from './fleet/virtual.ts';
import { redisStand } from './noticing/stand.ts';
import { commandLine, type Machine, machineLine, machineWith, writeResult } from './report/results.ts';

interface Goal {
  readonly what: string;
  readonly most: number;
  readonly figure: number;
}

const virtualShards = [1, 5, 20];
const virtualChannels = [1_000, 5_000];
const realShards = [1, 3, 5];
const realChannels = 2_000;
const carriedChannels = 100;
/** How much of each resource is available until the limit is reached; see `ends`. */
const available = { core: 0.7, heapMb: 3_000, redisMb: 8_000, listCallsPerSecond: 4.5, sweepSeconds: 60 };

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { only: { type: 'string', default: 'virtual,real,carried' } } });
  const wanted = new Set(values.only.split(','));
  let machine: Machine | undefined;
  const result: Record<string, unknown> = { at: new Date().toISOString(), command: commandLine() };
  const goals: Goal[] = [];
  const save = () => writeResult('fleet.json', { ...result, machine, goals: goals.map(judged) });

  if (wanted.has('virtual')) {
    const costs: VirtualCost[] = [];
    for (const channelsPerShard of virtualChannels)
      for (const shards of virtualShards) {
        await using redis = await redisStand();
        machine ??= await machineWith(redis.url);
        console.error(`virtual: ${shards} × ${channelsPerShard}`);
        costs.push(await virtualCost(redis.url, { shards, channelsPerShard }));
      }
    const slopes = virtualSlopes(costs);
    console.log('\nA virtual minute');
    console.table(costs.map(rounded));
    console.log('… of which');
    console.table(slopes);
    const perChannel = ({ cpuMs, shards, channelsPerShard }: VirtualCost) => cpuMs / (shards * channelsPerShard);
    const [one, all] = [costs.find(isSize(1, 5_000))!, costs.find(isSize(20, 5_000))!];
    goals.push({
      what: 'CPU of a channel, of 20 × 5,000 / of 1 × 5,000',
      most: 1.25,
      figure: perChannel(all) / perChannel(one),
    });
    Object.assign(result, { virtual: { costs, slopes } });
    save();
  }
  if (wanted.has('real')) {
    const costs: RealCost[] = [];
    for (const shards of realShards) {
      console.error(`real: ${shards} × ${realChannels}`);
      costs.push(await realCost(shards, realChannels));
    }
    console.log('\nA second, in real time');
    console.table(costs.map(rounded));
    const ends = endsOf(costs);
    console.log('Where each part ends');
    console.table(ends);
    Object.assign(result, { real: { costs, ends } });
    save();
  }
  if (wanted.has('carried')) {
    console.error('carried: 10 of 50, and 10');
    const cost = await carriedCost(carriedChannels);
    console.log(`\n${cost.carried} of ${cost.of} shards carried, beside ${cost.carried} of ${cost.carried}`);
    console.table(cost);
    goals.push(...goalsOfCarried(cost));
    Object.assign(result, { carried: cost });
    save();
  }
  if (machine === undefined) {
    await using redis = await redisStand();
    machine = await machineWith(redis.url);
  }
  console.log(`\n${commandLine()}: ${machineLine(machine)}`);
  console.table(goals.map(judged));
  console.log(`figures in ${save()}`);
  if (goals.some(({ figure, most }) => !(figure <= most))) process.exitCode = 1;
}

function goalsOfCarried({ cpuMs, residentMb }: CarriedCost): Goal[] {
  return [
    { what: '10 of 50 shards / 10 shards, CPU', most: 1.1, figure: cpuMs[0] / cpuMs[1] },
    { what: '10 of 50 shards / 10 shards, memory', most: 1.1, figure: residentMb[0] / residentMb[1] },
  ];
}

function virtualSlopes(costs: readonly VirtualCost[]): Record<string, Slopes> {
  const figures = ['cpuMs', 'redisCpuMs', 'commits', 'redisCommands', 'redisTrafficMb', 'heapMb', 'redisMb'] as const;
  return Object.fromEntries(
    figures.map((name) => {
      const points = costs.map((cost) => ({
        shards: cost.shards,
        channels: cost.shards * cost.channelsPerShard,
        figure: cost[name],
      }));
      const { base, perShard, perChannel } = slopesOf(points);
      return [name, { base: short(base), perShard: short(perShard), perChannel: short(perChannel) }];
    }),
  );
}

/** How many live channels each part of a deployment can carry, with shards of the measured size. */
function endsOf(
  costs: readonly RealCost[],
): Record<string, { readonly perChannel: number; readonly channels: number }> {
  const [first, last] = [costs[0]!, costs.at(-1)!];
  const channelsOf = ({ shards, channelsPerShard }: RealCost) => shards * channelsPerShard;
  const per = (of: (cost: RealCost) => number) => (of(last) - of(first)) / (channelsOf(last) - channelsOf(first));
  const end = (most: number, of: (cost: RealCost) => number) => {
    const perChannel = per(of);
    const base = of(first) - perChannel * channelsOf(first);
    return { perChannel: short(perChannel), channels: Math.floor((most - base) / perChannel) };
  };
  const { core, heapMb, redisMb, listCallsPerSecond, sweepSeconds } = available;
  return {
    [`a daemon’s CPU (${core} of a core)`]: end(core, ({ cores }) => cores),
    [`a daemon’s memory (${heapMb} MB)`]: end(heapMb, ({ residentMb }) => residentMb),
    [`Redis’s CPU (${core} of a core)`]: end(core, ({ redisCores }) => redisCores),
    [`Redis’s memory (${redisMb} MB)`]: end(redisMb, ({ redisMb: used }) => used),
    // Not measured: a page of ListStreams has 100 streams, and the quota is 5 calls a second for each account and Region.
    [`one account’s quota of ListStreams (a sweep in ${sweepSeconds} s)`]: {
      perChannel: 0.01,
      channels: listCallsPerSecond * sweepSeconds * 100,
    },
  };
}

const isSize = (shards: number, channelsPerShard: number) => (cost: VirtualCost) =>
  cost.shards === shards && cost.channelsPerShard === channelsPerShard;

function judged({ what, most, figure }: Goal) {
  return { what, goal: `≤ ${most}`, figure: short(figure), met: figure <= most };
}

function rounded(cost: object): Record<string, number> {
  return Object.fromEntries(Object.entries(cost).map(([name, value]) => [name, short(value as number)]));
}

/** Three digits. */
function short(value: number): number {
  return Number(value.toPrecision(3));
}
