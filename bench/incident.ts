// The moment everything starves: `npm run bench -- incident [--channels 2000] [--only <parts of names, with commas>] [--list]
// [--cpu-prof <folder>]`
// That many live channels starve at once, with their EventBridge events in the queue and polls that say the same, and a rule that
// acts on each; then all of them recover, and `on_resolve` acts. Measured from the moment at which the first event is sent to the
// arrivals at the service. Daemons, Redis and the stand-ins of AWS are separate processes; nothing delays the calls. For comparison,
// the same run measures the limiter alone with as many calls: its cost is the floor. Prints a table of goals and figures,
// writes bench/results/incident.json, and exits with 1 when a goal is missed.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ReplicaRole } from '#domain/replica.ts';
import { type Cost, canPin, type IncidentStand, incidentStand, metric, peakMbOf } from './incident/stand.ts';
import type { WorkerReport, WorkerTask } from './limiter/worker.ts';
import { bareRate, bareRateLine } from './noticing/bare-rate.ts';
import { eventBody } from './noticing/events.ts';
import { fill, percentile } from './noticing/stand.ts';
import { commandLine, machineLine, machineWith, writeResult } from './report/results.ts';

type Action = 'put_metadata' | 'webhook' | 'stop_stream';

interface Variant {
  readonly name: string;
  readonly action: Action;
  readonly channels: number;
  readonly roles: readonly ReplicaRole[];
  readonly onOneCore?: boolean;
  /** The maximum of (last arrival / bound), when they starve and when they recover. */
  readonly bound?: { readonly starve: number; readonly recover?: number };
  /** The maximum of (CPU of a reaction / CPU of a call by the limiter alone). */
  readonly cpuOverFloor?: number;
  /** The maximum milliseconds to the first arrival, and the maximum p99 of the delay of the event loop and of /healthz. */
  readonly promptMs?: { readonly first: number; readonly p99: number };
  readonly memoryMb?: number;
}

/** Published rates. */
const callsPerSecond: Readonly<Partial<Record<Action, number>>> = { put_metadata: 155, stop_stream: 5 };

function variantsFor(base: number): Variant[] {
  const metadata = { action: 'put_metadata', channels: base, roles: ['all'] } as const;
  const one = { bound: { starve: 1.1, recover: 1.08 }, promptMs: { first: 500, p99: 50 } };
  return [
    { ...metadata, ...one, name: 'one daemon', cpuOverFloor: 1.35 },
    { ...metadata, name: 'two daemons', roles: ['all', 'all'], bound: { starve: 1.06, recover: 1.06 } },
    { ...metadata, name: 'intake and worker', roles: ['intake', 'worker'], bound: { starve: 1.1, recover: 1.08 } },
    { ...metadata, name: 'daemon and Redis on one core', onOneCore: true, bound: { starve: 1.25 } },
    { ...metadata, name: 'webhooks', action: 'webhook' },
    { ...metadata, name: 'stop_stream', action: 'stop_stream', channels: 300, bound: { starve: 1.1 } },
    { ...metadata, ...one, name: 'three times as many', channels: 3 * base },
    { ...metadata, name: 'five times as many', channels: 5 * base, memoryMb: 250 },
  ];
}

/** The result of a wave of all channels (they starve, or they recover). */
interface Wave {
  readonly firstMs: number;
  readonly medianMs: number;
  readonly lastMs: number;
  readonly overBound: number | undefined;
  readonly cpuMsPerReaction: number;
  readonly redisCallsPerReaction: number;
  readonly redisCommandsPerReaction: number;
  /** Arrivals in each of the first seconds. */
  readonly arrivalsPerSecond: readonly number[];
  /** How many cores each part used until the last arrival. */
  readonly cores: { readonly daemons: readonly number[]; readonly redis: number; readonly aws: number };
  readonly loopDelayP99Ms: number;
  readonly healthzP99Ms: number;
}

interface Goal {
  readonly variant: string;
  readonly what: string;
  readonly most: number;
  readonly figure: number;
}

interface Outcome {
  readonly variant: string;
  readonly channels: number;
  readonly starve: Wave;
  readonly recover: Wave | undefined;
  readonly floorCpuMs: number | undefined;
  readonly peakMb: readonly number[];
  readonly throttled: number;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      channels: { type: 'string', default: '2000' },
      only: { type: 'string', default: '' },
      list: { type: 'boolean', default: false },
      'cpu-prof': { type: 'string' },
    },
  });
  const variants = variantsFor(Number(values.channels));
  if (values.list) return console.log(variants.map(({ name }) => name).join('\n'));
  const wanted = values.only.split(',');
  const chosen = variants.filter(({ name }) => wanted.some((part) => name.includes(part.trim())));
  if (chosen.length === 0) throw new Error(`--only: no variant has "${values.only}" in its name; --list shows them`);
  const machineRate = await bareRate();
  console.log(bareRateLine(machineRate));
  const outcomes: Outcome[] = [];
  const goals: Goal[] = [];
  let machine: Awaited<ReturnType<typeof machineWith>> | undefined;
  for (const variant of chosen) {
    if (variant.onOneCore && !canPin()) {
      console.log(`${variant.name}: left out, there is no taskset here`);
      continue;
    }
    const { outcome, redisMachine } = await measure(variant, values['cpu-prof']);
    if (machine === undefined) console.log(`${commandLine()}: ${machineLine(redisMachine)}`);
    machine ??= redisMachine;
    outcomes.push(outcome);
    goals.push(...goalsOf(variant, outcome));
    console.log(`\n${variant.name}: ${variant.action}, ${variant.channels} channels`);
    console.table(rowsOf(outcome));
    const result = {
      at: new Date().toISOString(),
      command: commandLine(),
      machine,
      outcomes,
      goals: goals.map(judged),
    };
    writeResult('incident.json', result);
  }
  console.log('');
  console.table(goals.map(judged));
  console.log('figures in bench/results/incident.json');
  if (goals.some((goal) => !isMet(goal))) process.exitCode = 1;
}

const isMet = ({ figure, most }: Goal) => figure <= most;

function judged(goal: Goal) {
  const { variant, what, most, figure } = goal;
  return { variant, what, goal: `≤ ${most}`, figure: round(figure), met: isMet(goal) };
}

function goalsOf({ name, bound, cpuOverFloor, promptMs, memoryMb }: Variant, outcome: Outcome): Goal[] {
  const { starve, recover, floorCpuMs, peakMb } = outcome;
  const goal = (what: string, most: number | undefined, figure: number | undefined): Goal[] =>
    most === undefined ? [] : [{ variant: name, what, most, figure: figure ?? Number.NaN }];
  const worst = (of: (wave: Wave) => number) => Math.max(of(starve), recover ? of(recover) : 0);
  return [
    ...goal('starve: last arrival / bound', bound?.starve, starve.overBound),
    ...goal('recover: last arrival / bound', bound?.recover, recover?.overBound),
    ...goal('CPU of a reaction / of a call by the limiter alone', cpuOverFloor, starve.cpuMsPerReaction / floorCpuMs!),
    ...goal('first arrival, ms', promptMs?.first, starve.firstMs),
    ...goal(
      'delay of the event loop, p99 ms',
      promptMs?.p99,
      worst((wave) => wave.loopDelayP99Ms),
    ),
    ...goal(
      '/healthz meanwhile, p99 ms',
      promptMs?.p99,
      worst((wave) => wave.healthzP99Ms),
    ),
    ...goal('memory of the daemon, MB', memoryMb, Math.max(...peakMb)),
    ...goal('calls that were throttled', bound && 0, outcome.throttled),
  ];
}

function rowsOf({ starve, recover, floorCpuMs, peakMb, throttled }: Outcome): Record<string, object> {
  const row = (wave: Wave) => ({
    'first ms': round(wave.firstMs),
    'median ms': round(wave.medianMs),
    'last ms': round(wave.lastMs),
    '× bound': wave.overBound === undefined ? '–' : round(wave.overBound),
    'CPU ms': round(wave.cpuMsPerReaction),
    '× floor': floorCpuMs === undefined ? '–' : round(wave.cpuMsPerReaction / floorCpuMs),
    'in seconds 1–5': wave.arrivalsPerSecond.join(', '),
    'Redis calls (commands)': `${round(wave.redisCallsPerReaction)} (${Math.round(wave.redisCommandsPerReaction)})`,
    'cores: daemons, Redis, AWS': [...wave.cores.daemons, wave.cores.redis, wave.cores.aws].map(round).join(', '),
    'loop p99 ms': round(wave.loopDelayP99Ms),
    'healthz p99 ms': round(wave.healthzP99Ms),
  });
  return {
    starve: row(starve),
    ...(recover ? { recover: row(recover) } : {}),
    'the limiter alone, CPU ms a call': { 'CPU ms': floorCpuMs === undefined ? '–' : round(floorCpuMs) },
    'most memory, MB': { 'last ms': peakMb.join(', ') },
    throttled: { 'last ms': throttled },
  };
}

function configFor(action: Action, receiverUrl: string): string {
  const step = (isStarving: boolean) => {
    const what = isStarving ? 'starve' : 'recover';
    if (action === 'stop_stream') return '{stop_stream: {}}';
    if (action === 'webhook')
      return `{webhook: {url: "${receiverUrl}", body: {channelArn: "{{ channel.arn }}", what: ${what}}}}`;
    return `{put_metadata: {payload: {type: slate, what: ${what}}, expires: 5m, key: slate}}`;
  };
  const destructive = action === 'stop_stream';
  return `version: 1
http: {allow_private_webhooks: true}
defaults: {mode: enforce, guards: {cooldown: 0s${destructive ? ', max_live_percent: 100' : ''}}}
rules:
  - name: slate
    trigger: {state: {health: [STARVING]}}
    actions: [${step(true)}]
${destructive ? '' : `    on_resolve: [${step(false)}]\n`}`;
}

/** One variant, with everything newly started. */
async function measure(
  variant: Variant,
  profileFolder: string | undefined,
): Promise<{
  outcome: Outcome;
  redisMachine: Awaited<ReturnType<typeof machineWith>>;
}> {
  const { action, channels, roles, onOneCore = false, cpuOverFloor } = variant;
  await using stand = await incidentStand({
    // A few more, during which code is compiled and connections are opened: the bench measures a daemon that has run for months.
    channels: channels + warmChannels,
    config: (receiverUrl) => configFor(action, receiverUrl),
    roles,
    onOneCore,
    profileFolder,
  });
  const oldAt = performance.now() + youngMs;
  const redisMachine = await machineWith(stand.redis.url);
  const count = action === 'put_metadata' ? warmRounds : 1;
  for (let round = 0; round < count; round += 1) {
    await wave(stand, variant, 'starve', { from: channels, to: channels + warmChannels });
    if (action !== 'stop_stream')
      await wave(stand, variant, 'recover', { from: channels, to: channels + warmChannels });
  }
  await new Promise((done) => setTimeout(done, oldAt - performance.now()));
  await stand.aws.control.clearCalls();
  const starve = await wave(stand, variant, 'starve', { from: 0, to: channels });
  const recover =
    action === 'stop_stream' ? undefined : await wave(stand, variant, 'recover', { from: 0, to: channels });
  const summaries = await stand.aws.control.summary({});
  const throttled = summaries.reduce((sum, operation) => sum + operation.throttled, 0);
  const peakMb = stand.daemons.map(({ pid }) => peakMbOf(pid));
  const floorCpuMs = cpuOverFloor === undefined ? undefined : await limiterAlone(stand, channels);
  return { outcome: { variant: variant.name, channels, starve, recover, floorCpuMs, peakMb, throttled }, redisMachine };
}

const warmChannels = 100;
const warmRounds = 6;
/** For this long after its start, a daemon's heap grows less than it does later (src/runtime/heap-growth.ts). */
const youngMs = 60_000;
/** After this long without an arrival, the rest will not come. */
const patienceMs = 60_000;
/** After the last arrival, the results are still being recorded. */
const afterMs = 2_000;

/** All of these channels starve, or recover: resolves when the service has received what follows for each. */
async function wave(
  stand: IncidentStand,
  { action }: Variant,
  what: 'starve' | 'recover',
  { from, to }: { from: number; to: number },
): Promise<Wave> {
  const { aws, daemons, arns, streamIds, queueUrl } = stand;
  console.error(`${to - from} channels ${what}`);
  const meant = arns.slice(from, to);
  await stand.webhooks();
  const seq = (await aws.control.cues()).at(-1)?.seq ?? 0;
  const { calls: callsBefore } = await aws.control.health();
  for (const daemon of daemons) await metric(daemon, 'nodejs_eventloop_lag_p99_seconds');
  const before = await stand.cost();
  using health = healthWatch(daemons[0]!.url);
  const sentAt = performance.timeOrigin + performance.now();
  const bodies = meant.map((arn, index) =>
    eventBody(`Starvation ${what === 'starve' ? 'Start' : 'End'}`, arn, streamIds[from + index]!, Date.now()),
  );
  await Promise.all([aws.control[what](meant), fill(aws.sqsEndpoint, queueUrl, bodies)]);

  const arrivedAt = new Map<string, number>();
  const note = (channelArn: string, at: number) => arrivedAt.has(channelArn) || arrivedAt.set(channelArn, at);
  let [cueSeq, callSeq, newsAt] = [seq, callsBefore, performance.now()];
  while (arrivedAt.size < meant.length) {
    await new Promise((done) => setTimeout(done, 250));
    const known = arrivedAt.size;
    if (action === 'webhook') for (const { channelArn, at } of await stand.webhooks()) note(channelArn, at);
    else if (action === 'put_metadata') {
      for (const { channelArn, at, metadata, seq: cue } of await aws.control.cues({ afterSeq: cueSeq })) {
        cueSeq = cue;
        if (metadata.includes(`"what":"${what}"`)) note(channelArn, at);
      }
    } else
      for (const call of await aws.control.calls({ operation: 'StopStream', afterSeq: callSeq })) {
        callSeq = call.seq;
        if (call.outcome === 'ok') note(call.channelArn!, call.at);
      }
    if (arrivedAt.size > known) newsAt = performance.now();
    else if (performance.now() - newsAt > patienceMs)
      throw new Error(
        `${meant.length - arrivedAt.size} of ${meant.length} never came\n${daemons.map(({ log }) => log.slice(-20).join('\n')).join('\n')}`,
      );
  }
  const last = await stand.cost();
  // Recording the results happens afterwards, and is part of the cost.
  await new Promise((done) => setTimeout(done, afterMs));
  const after = await stand.cost();
  const lags = await Promise.all(daemons.map((daemon) => metric(daemon, 'nodejs_eventloop_lag_p99_seconds')));
  const delays = [...arrivedAt.values()].map((at) => at - sentAt);
  const rate = callsPerSecond[action];
  const n = meant.length;
  const boundMs = rate === undefined ? undefined : Math.max(1, ((n - rate) / rate) * 1000);
  return {
    firstMs: Math.min(...delays),
    medianMs: percentile(delays, 0.5),
    lastMs: Math.max(...delays),
    overBound: boundMs === undefined ? undefined : Math.max(...delays) / boundMs,
    arrivalsPerSecond: perSecond(delays),
    cpuMsPerReaction: sum(used(before, after).daemons) / n,
    redisCallsPerReaction: (after.scripts - before.scripts) / n,
    redisCommandsPerReaction: (after.commands - before.commands) / n,
    cores: coresOf(before, last),
    loopDelayP99Ms: Math.max(...lags) * 1000,
    healthzP99Ms: percentile(health.tookMs, 0.99),
  };
}

/** How many came in each second, of the first five. */
function perSecond(delaysMs: readonly number[]): number[] {
  return [0, 1, 2, 3, 4].map((second) => delaysMs.filter((ms) => Math.floor(ms / 1000) === second).length);
}

function used(before: Cost, after: Cost) {
  return {
    daemons: after.daemonsMs.map((ms, index) => ms - before.daemonsMs[index]!),
    redis: after.redisMs - before.redisMs,
    aws: after.awsMs - before.awsMs,
  };
}

function coresOf(before: Cost, after: Cost): Wave['cores'] {
  const { daemons, redis, aws } = used(before, after);
  const ms = after.at - before.at;
  return { daemons: daemons.map((each) => each / ms), redis: redis / ms, aws: aws / ms };
}

/** Asks for /healthz twenty times a second. */
function healthWatch(url: string): Disposable & { readonly tookMs: number[] } {
  const tookMs: number[] = [];
  const timer = setInterval(() => {
    const askedAt = performance.now();
    void fetch(`${url}/healthz`)
      .then((answer) => answer.arrayBuffer())
      .then(() => tookMs.push(performance.now() - askedAt))
      .catch(() => tookMs.push(Number.POSITIVE_INFINITY));
  }, 50);
  return { tookMs, [Symbol.dispose]: () => clearInterval(timer) };
}

/** CPU, in ms, of one PutMetadata call that involves nothing but the limiter. */
async function limiterAlone({ aws, redis, arns }: IncidentStand, channels: number): Promise<number> {
  const worker: ChildProcess = fork(join(import.meta.dirname, 'limiter', 'worker.ts'), {
    // As the daemon is started.
    execArgv: ['--max-semi-space-size=4', '--v8-pool-size=1'],
  });
  const said = async () => ((await once(worker, 'message')) as [unknown])[0];
  await said();
  const items = arns.slice(0, channels).map((channelArn, item) => ({
    channelArn,
    metadata: JSON.stringify({ v: 1, items: [{ id: 'AAAAAAAA', t: Date.now(), d: { type: 'slate', item } }] }),
  }));
  const task: WorkerTask = {
    contestant: 'ours',
    endpoint: aws.ivsUrl,
    redisUrl: redis.url,
    namespace: 'bench-floor',
    processes: 1,
    index: 0,
    items,
    warmUp: items.slice(0, warmChannels * warmRounds),
    clockOffsetMs: 0,
  };
  worker.send(task);
  await said();
  worker.send('go');
  const { cpuMs, lost } = (await said()) as WorkerReport;
  await once(worker, 'exit');
  if (lost > 0) throw new Error(`the limiter alone lost ${lost} calls`);
  return cpuMs / items.length;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const round = (value: number) => Math.round(value * 100) / 100;
