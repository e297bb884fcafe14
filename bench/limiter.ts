// The limiter beside what a user could pick instead, against the simulator's strictest reading of the quota.
// `npm run bench -- limiter [--quick] [--ours] [--scenario <part of a name>]`; --quick: shorter races, fewer contestants.
import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type EmbeddedRedis, startEmbeddedRedis } from '#runtime/embedded-redis.ts';
import { type RaceResult, race } from './limiter/race.ts';
import { coldBehindHot, flood, hot, type Scenario } from './limiter/scenarios.ts';

const rivals = [
  'SDK, standard retries',
  'SDK, adaptive retries',
  'BullMQ worker limiter',
  'Bottleneck, local',
  'Bottleneck, clustered',
  'rate-limiter-flexible',
  'p-throttle',
];

/** What must be shown; each judges one figure of one race of ours. */
interface Goal {
  readonly says: string;
  readonly met: (result: RaceResult) => boolean;
}

const clean: Goal = {
  says: '0 throttled, lost, duplicated',
  met: (result) => result.throttled + result.lost + result.duplicated === 0,
};
const within = (factor: number): Goal => ({ says: `≤ ${factor} × bound`, met: ({ overBound }) => overBound <= factor });
const rate = (part: number): Goal => ({
  says: `≥ ${(part * 100).toFixed(1)} % of 155/s`,
  met: ({ ratePerS }) => ratePerS >= 155 * part,
});
const thrifty: Goal = {
  says: '≤ 4 ms CPU, ≤ 5 Redis calls per item',
  met: ({ cpuMsPerItem, redisCallsPerItem }) => cpuMsPerItem <= 4 && redisCallsPerItem <= 5,
};

interface Race {
  readonly scenario: Scenario;
  readonly goals: readonly Goal[];
  readonly rivals: boolean;
}

function programme(quick: boolean): Race[] {
  const many = quick ? 1500 : 6000;
  const named = (scenario: Scenario, suffix: string, more: string): Scenario => ({
    ...scenario,
    name: `${scenario.name}-${suffix}`,
    title: `${scenario.title}${more}`,
  });
  return [
    { scenario: flood(many, 4), goals: [clean, within(1.035), rate(0.98), thrifty], rivals: true },
    {
      scenario: named(flood(many, 4, { jitterMs: [0, 0] }), 'calm', ''),
      goals: [clean, within(1.02), rate(0.994)],
      rivals: false,
    },
    {
      scenario: named(flood(many, 4, { wayMs: 40 }), 'far', ', 40 ms each way'),
      goals: [clean, rate(0.97)],
      rivals: false,
    },
    {
      scenario: named(
        flood(quick ? 1500 : 2000, 4, { clockOffsetsMs: [-200, 0, 250, 500] }),
        'clocks',
        ', clocks wrong by −200 to +500 ms',
      ),
      goals: [clean],
      rivals: false,
    },
    { scenario: hot(20, quick ? 40 : 100, 4), goals: [clean, within(1.05)], rivals: !quick },
    { scenario: coldBehindHot(300, 1000, 4), goals: [clean, within(1.08)], rivals: !quick },
    {
      scenario: named(flood(many, 4, { enforcement: 'token-bucket' }), 'bucket', ', token bucket'),
      goals: [clean, within(1.035)],
      rivals: false,
    },
    { scenario: flood(quick ? 1000 : 2000, 1), goals: [clean], rivals: !quick },
    { scenario: flood(quick ? 1000 : 2000, 2), goals: [clean], rivals: false },
  ];
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      ours: { type: 'boolean', default: false },
      scenario: { type: 'string', default: '' },
    },
  });
  const directory = await mkdtemp(join(tmpdir(), 'bench-redis-'));
  const program = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';
  // Always a server of our own: its command counts belong to the race.
  const redis: EmbeddedRedis = await startEmbeddedRedis({ program, directory, persistence: false });
  const results: RaceResult[] = [];
  const missed: string[] = [];
  const lines: string[] = [];
  const say = (line: string) => {
    lines.push(line);
    console.log(line);
  };
  say(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}\n`);
  try {
    for (const { scenario, goals, rivals: withRivals } of programme(values.quick)) {
      if (!scenario.name.includes(values.scenario)) continue;
      say(`## ${scenario.title} (bound ${scenario.lowerBoundS} s)\n\n${header}`);
      for (const contestant of ['ours', ...(withRivals && !values.ours ? rivals : [])]) {
        const result = await race(contestant, scenario, redis.url);
        results.push(result);
        say(row(result));
        if (contestant !== 'ours') continue;
        for (const goal of goals) if (!goal.met(result)) missed.push(`${scenario.title}: ${goal.says}`);
      }
      say('');
    }
    if (!values.scenario) {
      const idle = await idleChannels(redis.url);
      say(`10,000 idle channels: ${idle.heapMb.toFixed(1)} MB, ${idle.timers} timers\n`);
      if (idle.heapMb > 40 || idle.timers > 0) missed.push('10,000 idle channels: ≤ 40 MB, no timers');
    }
  } finally {
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  }
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'limiter.json');
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), quick: values.quick, missed, results }, null, 2)}\n`,
  );
  writeFileSync(join(folder, 'limiter.md'), `${lines.join('\n')}\n`);
  console.log(missed.length === 0 ? 'every goal was met' : `missed:\n  ${missed.join('\n  ')}`);
  console.log(`figures in ${file}, tables in limiter.md beside it`);
}

const columns = [
  'contestant',
  's',
  '× bound',
  'rate/s',
  'throttled',
  'lost',
  'twice',
  'worst s',
  'CPU ms',
  'Redis calls (commands)',
  'MB',
];
const header = `| ${columns.join(' | ')} |\n|${columns.map(() => '---').join('|')}|`;

function row(result: RaceResult): string {
  return `| ${[
    result.contestant,
    result.seconds.toFixed(1),
    result.overBound.toFixed(3),
    result.ratePerS.toFixed(1),
    result.throttled,
    result.lost,
    result.duplicated,
    `${result.worstSecond} / ${result.worstChannelSecond}`,
    result.cpuMsPerItem.toFixed(2),
    `${result.redisCallsPerItem.toFixed(1)} (${result.redisCommandsPerItem.toFixed(0)})`,
    result.rssMb.toFixed(0),
  ].join(' | ')} |`;
}

function idleChannels(redisUrl: string): Promise<{ heapMb: number; timers: number }> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'limiter', 'idle.ts'), [redisUrl], { execArgv: ['--expose-gc'] });
    child.once('message', (message) => resolve(message as { heapMb: number; timers: number }));
    child.once('exit', (code) => reject(new Error(`the idle process ended with ${code}`)));
  });
}
