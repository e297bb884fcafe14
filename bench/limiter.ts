// The limiter compared with alternatives, against the simulator's strictest reading of the quota.
// `npm run bench -- limiter [--quick] [--ours] [--scenario <part of a name>]`; --quick: shorter races, fewer contestants.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '#domain/errors.ts';
import type { IdleReport } from './limiter/idle.ts';
import { type RaceResult, race } from './limiter/race.ts';
import { coldBehindHot, flood, hot, type Scenario } from './limiter/scenarios.ts';
import { redisStand } from './noticing/stand.ts';
import { commandLine, machineLine, machineWith, writeResult } from './report/results.ts';

const rivals = [
  'SDK, standard retries',
  'SDK, adaptive retries',
  'BullMQ worker limiter',
  'Bottleneck, local',
  'Bottleneck, clustered',
  'rate-limiter-flexible',
  'p-throttle',
];

/** The goals; each judges one figure of one of our races. */
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
  /** Also raced by ours, just before: the two times must be the same. */
  readonly sameAs?: Scenario;
}

/** The allowed difference of two equal times. */
const sameWithin = 0.01;

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
      scenario: named(flood(many, 4, { latencyMs: 40 }), 'far', ', 40 ms each way'),
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
      sameAs: named(flood(quick ? 1500 : 2000, 4), 'clocks-right', ', clocks right'),
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
  // Always our own server: its command counts belong to the race.
  await using redis = await redisStand({ persistence: false });
  const report = new Report(commandLine(), await machineWith(redis.url), values.quick);
  for (const { scenario, goals, rivals: withRivals, sameAs } of programme(values.quick)) {
    if (!scenario.name.includes(values.scenario)) continue;
    const enter = async (contestant: string, what: Scenario = scenario) => {
      const result = await race(contestant, what, redis.url);
      report.raced(what, result);
      return result;
    };
    report.begin(scenario);
    const same = sameAs && (await enter('ours', sameAs));
    const ours = await enter('ours');
    for (const { says, met } of goals) report.judge(`${scenario.title}: ${says}`, !ours.didNotFinish && met(ours));
    if (same) report.compare(scenario, ours, same);
    for (const rival of withRivals && !values.ours ? rivals : []) await enter(rival);
  }
  if (!values.scenario) report.idle(await idleChannels(redis.url).catch(messageOf));
  report.end();
}

/** Tables for people and figures for programs, written after every step: a run that is interrupted leaves what it had. */
class Report {
  readonly #head: object;
  readonly #lines: string[] = [];
  readonly #results: RaceResult[] = [];
  readonly #ratios: { scenario: string; to: string; ratio: number }[] = [];
  readonly #missed: string[] = [];
  #idle: IdleReport | { readonly didNotFinish: string } | undefined;
  #hasEnded = false;

  constructor(command: string, machine: Awaited<ReturnType<typeof machineWith>>, quick: boolean) {
    this.#head = { command, machine, quick };
    this.#say(`\`${command}\`, ${machineLine(machine)}`);
  }

  begin(scenario: Scenario): void {
    this.#say(`\n## ${scenario.title} (bound ${scenario.lowerBoundS} s)\n\n${headerOf(scenario)}`);
  }

  raced(scenario: Scenario, result: RaceResult): void {
    this.#results.push(result);
    this.#say(row(scenario, result));
  }

  judge(says: string, met: boolean): void {
    if (!met) this.#missed.push(says);
    this.#save();
  }

  /** The time of one race divided by that of another which should be the same. */
  compare(scenario: Scenario, result: RaceResult, same: RaceResult): void {
    const ratio = result.seconds / same.seconds;
    this.#ratios.push({ scenario: result.scenario, to: same.scenario, ratio });
    this.#say(`\nTime over that of ${same.scenario}: ${ratio.toFixed(3)}`);
    const met = !result.didNotFinish && !same.didNotFinish && Math.abs(ratio - 1) <= sameWithin;
    this.judge(`${scenario.title}: no difference, within ${sameWithin * 100} %`, met);
  }

  idle(idle: IdleReport | string): void {
    this.#idle = typeof idle === 'string' ? { didNotFinish: idle } : idle;
    if (typeof idle === 'string') this.#say(`\n10,000 idle channels: did not finish (${idle})`);
    else this.#say(`\n10,000 idle channels: heap grown by ${idle.heapMb.toFixed(1)} MB, ${idle.timers} timers`);
    const met = typeof idle !== 'string' && idle.heapMb <= 40 && idle.timers === 0;
    this.judge('10,000 idle channels: ≤ 40 MB, no timers', met);
  }

  end(): void {
    this.#hasEnded = true;
    const missed = this.#missed.map((says) => `\n- ${says}`).join('');
    this.#say(missed === '' ? '\nEvery goal was met.' : `\nMissed:\n${missed}`);
    console.log(`figures in ${this.#save()}, tables in limiter.md beside it`);
  }

  #say(line: string): void {
    this.#lines.push(line);
    console.log(line);
    this.#save();
  }

  #save(): string {
    writeResult('limiter.md', `${this.#lines.join('\n')}\n`);
    return writeResult('limiter.json', {
      at: new Date().toISOString(),
      ...this.#head,
      complete: this.#hasEnded,
      missed: this.#missed,
      results: this.#results,
      ratios: this.#ratios,
      idle: this.#idle,
    });
  }
}

function headerOf({ judged }: Scenario): string {
  const columns = [
    'contestant',
    's',
    ...(judged ? ['last cold s'] : []),
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
  return `| ${columns.join(' | ')} |\n|${columns.map(() => '---').join('|')}|`;
}

function row({ clockOffsetsMs, judged }: Scenario, result: RaceResult): string {
  const { didNotFinish, contestant, delivered, items } = result;
  const whole = (value: string) => (didNotFinish === undefined ? value : '–');
  const name = `${contestant}${clockOffsetsMs ? ', clocks wrong' : ''}`;
  return `| ${[
    didNotFinish === undefined ? name : `${name}: did not finish (${didNotFinish}), ${delivered} of ${items} delivered`,
    whole(result.seconds.toFixed(1)),
    ...(judged ? [whole((result.judgedSeconds ?? Number.NaN).toFixed(2))] : []),
    whole(result.overBound.toFixed(3)),
    result.ratePerS.toFixed(1),
    result.throttled,
    whole(String(result.lost)),
    result.duplicated,
    `${result.worstSecond} / ${result.worstChannelSecond}`,
    whole(result.cpuMsPerItem.toFixed(2)),
    `${result.redisCallsPerItem.toFixed(1)} (${result.redisCommandsPerItem.toFixed(0)})`,
    whole(result.peakRssMb.toFixed(0)),
  ].join(' | ')} |`;
}

function idleChannels(redisUrl: string): Promise<IdleReport> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'limiter', 'idle.ts'), [redisUrl], { execArgv: ['--expose-gc'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), 300_000);
    child.once('message', (message) => resolve(message as IdleReport));
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`the idle process ended with ${code ?? signal}`));
    });
  });
}
