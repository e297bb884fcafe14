// How long from a message in the queue to the call it causes? `npm run bench -- reaction [--seconds 60] [--rate 50] [--warm-seconds 60]`, some four minutes
// The daemon with one rule (Starvation End → put_metadata, for streams that polls also see as healthy) compared with a bare loop that
// receives and calls, in turns, at 50 events a second over many channels; measured from the time when the message is sent to the queue to
// the time when the simulator counted the call. The daemon, the bare loop and the stand-ins of AWS run in separate processes: none shares
// an event loop with the process that sends and measures.
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type DaemonProcess, daemonProcess } from '#test/support/daemon-process.ts';
import { cpuMsOf } from './incident/stand.ts';
import { bareRate, bareRateLine } from './noticing/bare-rate.ts';
import { eventBody } from './noticing/events.ts';
import { type AwsStand, awsStand, credentials, fill, percentile, redisStand } from './noticing/stand.ts';
import type { BareLoopTask } from './reaction/bare-loop.ts';
import { commandLine, machineLine, machineWith, writeResult } from './report/results.ts';

const channelCount = 200;
/** Short turns, so that both meet the same conditions of the machine; long enough for a few polls of the daemon in each. */
const turnMs = 5_000;
const config = `version: 1
polling: {full_interval: 15s, starving_interval: 5s}
defaults: {mode: enforce, guards: {cooldown: 0s, max_event_age: 10m}}
rules:
  - name: reaction
    trigger: {event: {source: [aws.ivs], detail: {event_name: [Starvation End]}}}
    actions: [{put_metadata: {payload: {bench: "{{ event.id }}"}, expires: 60s, lane: urgent}}]
`;

interface Target {
  readonly arn: string;
  readonly streamId: string;
}

export async function run(args: string[]): Promise<void> {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const options = { seconds: text('60'), rate: text('50'), 'warm-seconds': text('60') };
  const { values } = parseArgs({ args, options });
  const [durationMs, rate] = [Number(values.seconds) * 1000, Number(values.rate)];
  await using aws = await awsStand(2);
  await using redis = await redisStand();
  const [bareQueue, ourQueue] = aws.queueUrls as [string, string];
  const channels = await aws.control.createChannels(channelCount);
  const arns = channels.map(({ arn }) => arn);
  const streamIds = await aws.control.goLive(arns);
  const targets = arns.map((arn, index) => ({ arn, streamId: streamIds[index]! }));
  const machineRate = await bareRate();
  await using bareProcess = bareLoop(aws, bareQueue);
  await using daemon = await startDaemon(aws, redis.url, ourQueue);

  const bare: number[] = [];
  const ours: number[] = [];
  const cpu = { bare: 0, ours: 0 };
  // The one that is not running has nothing to do.
  // Until then code is compiled and connections are opened: the bench measures a daemon that has run for months.
  const warmTurns = Math.ceil((Number(values['warm-seconds']) * 1000) / turnMs);
  for (let turn = -warmTurns; turn < Math.ceil(durationMs / turnMs); turn += 1) {
    const before = [cpuMsOf(bareProcess.pid), cpuMsOf(daemon.pid)] as const;
    const bareTurn = await reactions(aws, bareQueue, targets, turnMs, rate);
    const between = [cpuMsOf(bareProcess.pid), cpuMsOf(daemon.pid)] as const;
    const oursTurn = await reactions(aws, ourQueue, targets, turnMs, rate);
    if (turn < 0) continue;
    bare.push(...bareTurn);
    ours.push(...oursTurn);
    cpu.bare += between[0] - before[0];
    // The daemon's usual work, its polls and ticks, continues during the bare loop's turns too.
    cpu.ours += cpuMsOf(daemon.pid) - between[1] - (between[1] - before[1]);
  }

  const machine = await machineWith(redis.url);
  console.log(`${commandLine()}: ${machineLine(machine)}\n${bareRateLine(machineRate)}`);
  const rows = {
    'receive and call': row(bare, cpu.bare / bare.length),
    'the daemon': row(ours, cpu.ours / ours.length),
  };
  console.table(rows);
  const goals = [
    { what: 'p99 / the bare loop’s', most: 1.6, figure: percentile(ours, 0.99) / percentile(bare, 0.99) },
    { what: 'CPU of an event / the bare loop’s', most: 2.5, figure: cpu.ours / ours.length / (cpu.bare / bare.length) },
  ].map(({ what, most, figure }) => ({
    what,
    goal: `≤ ${most}`,
    figure: Math.round(figure * 100) / 100,
    met: figure <= most,
  }));
  console.table(goals);
  const result = { at: new Date().toISOString(), command: commandLine(), machine, bareLoop: machineRate, rows, goals };
  console.log(`figures in ${writeResult('reaction.json', result)}`);
  if (goals.some(({ met }) => !met)) process.exitCode = 1;
  const throttled = (await aws.control.summary({ operation: 'PutMetadata' })).map((summary) => JSON.stringify(summary));
  console.log(`PutMetadata as the service counted it: ${throttled.join(' ')}`);
}

function row(delays: readonly number[], cpuMs: number) {
  const ms = (part: number) => Math.round(percentile(delays, part) * 10) / 10;
  return {
    calls: delays.length,
    'p50 ms': ms(0.5),
    'p90 ms': ms(0.9),
    'p99 ms': ms(0.99),
    'max ms': ms(1),
    'CPU ms': Math.round(cpuMs * 100) / 100,
  };
}

/** Sends events at a steady rate and returns, for each, how long its call took to arrive. */
async function reactions(
  aws: AwsStand,
  queueUrl: string,
  targets: readonly Target[],
  durationMs: number,
  rate: number,
): Promise<number[]> {
  const before = (await aws.control.cues()).at(-1)?.seq ?? 0;
  const sentAt = new Map<string, number>();
  const delays = new Map<string, number>();
  const startedAt = performance.now();
  const count = Math.floor((durationMs / 1000) * rate);
  for (let index = 0; index < count; index += 1) {
    const waitMs = startedAt + (index * 1000) / rate - performance.now();
    if (waitMs > 0) await new Promise((done) => setTimeout(done, waitMs));
    const { arn, streamId } = targets[index % targets.length]!;
    const id = randomUUID();
    const body = eventBody('Starvation End', arn, streamId, Date.now(), id);
    sentAt.set(id, performance.timeOrigin + performance.now());
    void fill(aws.sqsEndpoint, queueUrl, [body]);
  }
  const deadline = performance.now() + 20_000;
  for (;;) {
    await new Promise((done) => setTimeout(done, 250));
    const cues = await aws.control.cues({ afterSeq: before });
    for (const { at, metadata } of cues)
      for (const [id] of metadata.matchAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}/g)) {
        const from = sentAt.get(id);
        // The first arrival counts.
        if (from !== undefined && !delays.has(id)) delays.set(id, at - from);
      }
    if (delays.size >= count) return [...delays.values()];
    if (performance.now() > deadline) throw new Error(`${count - delays.size} of ${count} calls never came`);
  }
}

function bareLoop(aws: AwsStand, queueUrl: string): AsyncDisposable & { readonly pid: number } {
  const { ivsUrl: ivsEndpoint, sqsEndpoint } = aws;
  const task: BareLoopTask = { ivsEndpoint, sqsEndpoint, queueUrl, credentials };
  const child: ChildProcess = fork(join(import.meta.dirname, 'reaction', 'bare-loop.ts'), [JSON.stringify(task)]);
  return {
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.disconnect();
      await new Promise((done) => child.once('exit', done));
    },
  };
}

async function startDaemon(aws: AwsStand, redisUrl: string, queueUrl: string): Promise<DaemonProcess> {
  const daemon = await daemonProcess({
    config,
    env: {
      REDIS_URL: redisUrl,
      AWS_ENDPOINT_URL_IVS: aws.ivsUrl,
      AWS_ENDPOINT_URL_SQS: aws.sqsEndpoint,
      AUTOPILOT_QUEUE_URL: queueUrl,
      AUTOPILOT_NAMESPACE: 'bench',
    },
  });
  while ((await daemon.ask('GET', '/readyz')).status !== 200) await new Promise((done) => setTimeout(done, 50));
  return daemon;
}
