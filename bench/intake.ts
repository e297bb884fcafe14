// How fast is intake? `npm run bench -- intake [--events 16000] [--streams 10000] [--sweep-only | --events-only]`
//   1. Events through SQS to stored records and decisions, compared with the same messages through a loop that only deletes them: in turns
//      of one run after a warm-up, each in a separate process, both pinned to one core if `taskset` can. The ratio is the figure.
//   2. A full sweep of the live streams through the limited client: calls, time compared with what 5 calls a second allow, memory.
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Config, loadConfig } from '#config/load.ts';
import { Poller } from '#intake/poll/poller.ts';
import { createReader } from '#ivs/reader.ts';
import { createIvsShard } from '#ivs/shard.ts';
import { systemClock } from '#runtime/clock.ts';
import { connectRedis, disconnectRedis } from '#runtime/redis.ts';
import { fleetCounts } from '#streams/fleet.ts';
import type { ContestantTask, Turn, TurnReport } from './intake/contestant.ts';
import { core } from './noticing/core.ts';
import { storyOf } from './noticing/events.ts';
import { type AwsStand, awsStand, credentials, fill, redisStand } from './noticing/stand.ts';
import { commandLine, machineLine, machineWith, writeResult } from './report/results.ts';

const rounds = 4;
const exampleRules = join(import.meta.dirname, '../config/autopilot.example.yaml');

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      events: { type: 'string', default: '16000' },
      streams: { type: 'string', default: '10000' },
      'sweep-only': { type: 'boolean', default: false },
      'events-only': { type: 'boolean', default: false },
    },
  });
  const config = await loadConfig(exampleRules);
  await using aws = await awsStand(2 * (rounds + 1));
  await using redis = await redisStand();
  const machine = await machineWith(redis.url);
  console.log(`${commandLine()}: ${machineLine(machine)}`);
  const figures = {
    ...(values['sweep-only'] ? {} : { events: await events(aws, redis.url, { count: Number(values.events), config }) }),
    ...(values['events-only'] ? {} : { sweep: await sweep(aws, redis.url, Number(values.streams), config) }),
  };
  const result = { at: new Date().toISOString(), command: commandLine(), machine, ...figures };
  console.log(`figures in ${writeResult('intake.json', result)}`);
}

async function events(
  aws: AwsStand,
  redisUrl: string,
  { count, config }: { count: number; config: Config },
): Promise<object> {
  const channels = Math.ceil(count / rounds / 2);
  const perTurn = 2 * channels;
  const cpu = pinnable();
  // All of it is in the past: no event is in the future, however short the turns are.
  const beganMs = Date.now() - (rounds + 1) * 2_000;
  const task = { redisUrl, sqsEndpoint: aws.sqsEndpoint, configFile: exampleRules, channels, beganMs };
  await using bare = await contestant({ ...task, kind: 'bare' }, cpu);
  await using daemon = await contestant({ ...task, kind: 'daemon' }, cpu);
  const turns: { bare: TurnReport; daemon: TurnReport }[] = [];
  // In turns, so that both meet the same conditions of the machine; the one that is not running has nothing to do.
  for (let round = 0; round <= rounds; round += 1) {
    const bodies = storyOf(channels, round, beganMs);
    // New queues: a receive that was abandoned at the end of a turn may still take messages.
    const [bareQueue, ourQueue] = aws.queueUrls.slice(2 * round) as [string, string];
    for (const queueUrl of [bareQueue, ourQueue]) await fill(aws.sqsEndpoint, queueUrl, bodies);
    const ours = { queueUrl: ourQueue, count: perTurn };
    const daemonFirst = round % 2 === 1 ? await daemon.turn(ours) : undefined;
    const bareTurn = await bare.turn({ queueUrl: bareQueue, count: perTurn });
    turns.push({ bare: bareTurn, daemon: daemonFirst ?? (await daemon.turn(ours)) });
  }
  // The first round compiles code.
  const [warmUp, ...counted] = turns;
  const rows = {
    'only receive and delete': rates(
      counted.map((turn) => turn.bare),
      perTurn,
    ),
    'to records and decisions': rates(
      counted.map((turn) => turn.daemon),
      perTurn,
    ),
  };
  const shares = counted.map((turn) => turn.bare.tookMs / turn.daemon.tookMs);
  const share = sum(counted.map((turn) => turn.bare.tookMs)) / sum(counted.map((turn) => turn.daemon.tookMs));
  const last = counted.at(-1)!.daemon.totals!;
  const commits = last.commits - warmUp!.daemon.totals!.commits;
  const decisions = last.decisions - warmUp!.daemon.totals!.decisions;
  const where = cpu === undefined ? 'each one process, not pinned' : `both pinned to core ${cpu}`;
  console.log(
    `Events: ${perTurn * rounds} in ${rounds} turns after a warm-up, ${last.live} live channels, ${config.ruleset.rules.length} rules; ${where}`,
  );
  console.table(rows);
  const percent = (part: number) => (part * 100).toFixed(0);
  console.log(
    `${percent(share)} % of the bare loop's rate (turns: ${shares.map(percent).join(', ')} %); ${commits} commits, ${decisions} decisions`,
  );
  return { where, perTurn, rounds, live: last.live, rows, share, shares, commits, decisions };
}

function rates(turns: readonly TurnReport[], perTurn: number) {
  const count = perTurn * turns.length;
  return {
    'events/s': Math.round((count / sum(turns.map(({ tookMs }) => tookMs))) * 1000),
    'CPU ms/event': Math.round((sum(turns.map(({ cpuMs }) => cpuMs)) / count) * 1000) / 1000,
  };
}

interface Contestant extends AsyncDisposable {
  turn(turn: Turn): Promise<TurnReport>;
}

/** Starts one side in a separate process, on one core if possible. */
async function contestant(task: ContestantTask, cpu: number | undefined): Promise<Contestant> {
  // As the daemon is started (scripts/run.mjs).
  const flags = ['--max-semi-space-size=4', '--v8-pool-size=1'];
  const pinned =
    cpu === undefined
      ? { execArgv: flags }
      : { execPath: 'taskset', execArgv: ['--cpu-list', String(cpu), process.execPath, ...flags] };
  const child = fork(join(import.meta.dirname, 'intake', 'contestant.ts'), [JSON.stringify(task)], pinned);
  await said(child);
  return {
    async turn(turn) {
      child.send(turn);
      return (await said(child)) as TurnReport;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const end = new Promise((done) => child.once('exit', done));
      child.disconnect();
      await end;
    },
  };
}

function said(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a contestant ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

/** A core that processes can be pinned to, with util-linux's taskset; undefined: none. */
function pinnable(): number | undefined {
  return spawnSync('taskset', ['--cpu-list', '0', 'true']).status === 0 ? 0 : undefined;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

async function measured(work: () => Promise<void>): Promise<{ tookMs: number; cpuMs: number }> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { tookMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}

async function sweep(aws: AwsStand, redisUrl: string, streams: number, config: Config): Promise<object> {
  const channels = await aws.control.createChannels(streams);
  const arns = channels.map(({ arn }) => arn);
  for (let from = 0; from < arns.length; from += 1000)
    await aws.control.goLive(arns.slice(from, from + 1000), { viewers: 12 });
  await aws.control.clearCalls();
  await using ours = await core({ redisUrl, prefix: '{bench:sweep}', config, hasEventQueue: false });
  const redis = connectRedis({ url: redisUrl, role: 'limiter', logger: ours.logger });
  await redis.connect();
  const shard = createIvsShard({
    name: 'bench',
    region: 'us-west-2',
    redis,
    keyPrefix: '{bench:sweep}',
    endpoint: aws.ivsUrl,
    credentials,
    onRedisDown: 'wait',
    requestTimeoutMs: 5_000,
    emptyLedgerPatienceMs: 0,
    clock: systemClock,
    logger: ours.logger,
    metrics: ours.metrics,
    random: Math.random,
  });
  await shard.start();
  const poller = new Poller({
    clock: systemClock,
    reader: createReader(shard.client),
    observe: (observation) => ours.pipeline.observe(observation),
    now: () => ours.state.nowMs(),
    logger: ours.logger,
    metrics: ours.metrics,
  });
  const { signal } = new AbortController();
  // The first sweep opens every record; the second is what the daemon does from then on, with its starving poll.
  const rows: Record<string, object> = {};
  for (const name of ['first sweep', 'next sweep, starving poll beside it']) {
    globalThis.gc?.();
    const commitsBefore = ours.done.commits;
    let starvingPolls = 0;
    let slowestMs = 0;
    const beside = name.startsWith('next')
      ? setInterval(() => {
          const startedAt = performance.now();
          void poller.runSweep('starving', signal).then(() => {
            starvingPolls += 1;
            slowestMs = Math.max(slowestMs, performance.now() - startedAt);
          });
        }, 5_000)
      : undefined;
    const startedAt = performance.now();
    let pages = 0;
    const { cpuMs } = await measured(async () => void ({ pages } = await poller.runSweep('all', signal)));
    clearInterval(beside);
    rows[name] = {
      calls: pages,
      seconds: seconds(performance.now() - startedAt),
      'CPU s': seconds(cpuMs),
      commits: ours.done.commits - commitsBefore,
      'RSS MB': Math.round(process.memoryUsage.rss() / 1024 / 1024),
      ...(beside ? { 'starving polls': starvingPolls, 'slowest, ms': Math.round(slowestMs) } : {}),
    };
  }
  const memory = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
  const refused = (await aws.control.summary({ operation: 'ListStreams' })).map((row) => JSON.stringify(row));
  console.log(
    `Sweep: ${fleetCounts(ours.state.view).live} of ${streams} streams are known; ${Math.ceil(streams / 100)} pages at 5/s take ${Math.ceil(streams / 500)} s`,
  );
  console.table(rows);
  console.log(
    `Redis holds ${Math.round(Number(memory) / 1024 / 1024)} MB; ListStreams as the service counted it: ${refused.join(' ')}`,
  );
  await shard.stop();
  await disconnectRedis(redis);
  return { streams, rows, redisMb: Math.round(Number(memory) / 1024 / 1024) };
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
