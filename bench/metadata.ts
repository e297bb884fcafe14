// `npm run bench -- metadata [--quick]`: the fan-out of metadata through the HTTP API, against the simulator (sliding window, 0–30 ms
// of jitter), compared with the same work by a plain BullMQ queue. The daemon and the queue each run in a separate process.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type SimulatorHandle, startSimulator } from '#simulator/server.ts';
import { unpackCue } from '#src/player/cues.ts';
import { type DaemonProcess, daemonProcess } from '#test/support/daemon-process.ts';
import { redisStand } from './noticing/stand.ts';
import { commandLine, type Machine, machineLine, machineWith, writeResult } from './report/results.ts';

interface Sizes {
  readonly channels: number;
  readonly hotSeconds: number;
}

/** What this bench sends. */
interface Sent {
  readonly type?: string;
  readonly urgent?: number;
  readonly n?: string;
}

interface Row {
  readonly what: string;
  readonly must: string;
  readonly seen: string;
  readonly ok: boolean | undefined;
}

interface Rig {
  readonly simulator: SimulatorHandle;
  readonly daemon: DaemonProcess;
  readonly redis: Redis;
  readonly redisUrl: string;
  readonly channels: readonly string[];
}

const accountRate = 155;
const config = `version: 1
polling: {starving_interval: 1h, full_interval: 10s, inventory_interval: 1h, silent_after: 2h}
http: {requests_per_minute: 1000000, max_body_bytes: 4194304}
`;

export async function run(args: readonly string[]): Promise<void> {
  const quick = args.includes('--quick');
  const sizes: Sizes = quick ? { channels: 1000, hotSeconds: 6 } : { channels: 10_000, hotSeconds: 20 };
  await using server = await redisStand();
  await using simulator = await startSimulator({
    quotas: { channels: 20_000, concurrentStreams: sizes.channels },
    recordedCalls: 1_000_000,
    recordedCues: 1_000_000,
  });
  const channels = (await simulator.control.createChannels(sizes.channels)).map(({ arn }) => arn);
  await simulator.control.goLive(channels);
  await simulator.control.addFault({ operation: 'PutMetadata', latencyMs: [0, 15], answerLatencyMs: [0, 15] });
  const redis = new Redis(server.url);
  const rows: Row[] = [];
  const env = { REDIS_URL: server.url, AWS_ENDPOINT_URL: simulator.url, AUTOPILOT_NAMESPACE: 'bench' };
  // Leaves its compiled code to the measured one, as the image does.
  await (await daemonProcess({ config, env }))[Symbol.asyncDispose]();
  {
    await using daemon = await daemonProcess({ config, env });
    const rig: Rig = { simulator, daemon, redis, redisUrl: server.url, channels };
    await untilLive(rig);
    // A new ledger grants nothing until every call of an earlier one must be over: that is not measured here.
    const warm = await submit(daemon, {
      targets: { channelArns: channels.slice(0, 50) },
      items: [{ payload: 'warm' }],
    });
    await finished(daemon, warm.batchId);
    await pause(2000);
    rows.push(...(await fanOut(rig)));
    rows.push(...(await hot(rig, sizes.hotSeconds, undefined)));
    rows.push(...(await hot(rig, sizes.hotSeconds, 'score')));
    rows.push(...(await memory(rig)));
  }
  redis.disconnect();
  await pause(1500);
  rows.push(...(await plainQueue(simulator, server.url, channels)));
  print(rows, sizes, await machineWith(server.url));
}

/** One item to every live channel, with urgent ones to single channels meanwhile. */
async function fanOut({ simulator, daemon, channels }: Rig): Promise<Row[]> {
  await simulator.control.clearCalls();
  const before = (await simulator.control.cues()).at(-1)?.seq ?? 0;
  const startedAt = Date.now();
  const accepted = await submit(daemon, { targets: { live: true }, items: [{ payload: { type: 'poll' } }] });
  const acceptedMs = Date.now() - startedAt;
  const urgentAt = new Map<number, number>();
  const boundSeconds = channels.length / accountRate;
  let following = true;
  const urgent = (async () => {
    for (let n = 0; following; n += 1) {
      urgentAt.set(n, Date.now());
      const channelArns = [channels[Math.floor(Math.random() * channels.length)]];
      await submit(daemon, { targets: { channelArns }, items: [{ payload: { urgent: n } }], lane: 'urgent' });
      await pause(200);
      if (Date.now() - startedAt > boundSeconds * 900) following = false;
    }
  })();
  await finished(daemon, accepted.batchId);
  following = false;
  await urgent;
  await pause(500);
  const cues = await simulator.control.cues({ afterSeq: before });
  const items = cues.flatMap((cue) => unpackCue(cue.metadata).map(({ data }) => ({ at: cue.at, data: data as Sent })));
  const last = Math.max(...items.filter(({ data }) => data.type === 'poll').map(({ at }) => at));
  const urgentMs = items
    .filter(({ data }) => data.urgent !== undefined)
    .map(({ at, data }) => at - urgentAt.get(data.urgent!)!);
  const seconds = (last - startedAt) / 1000;
  const [calls] = await simulator.control.summary({ operation: 'PutMetadata' });
  // The urgent calls used permits too.
  const ratio = seconds / ((channels.length + urgentMs.length) / accountRate);
  return [
    row(`one item to ${channels.length} live channels: accepted`, '≤ 300 ms', `${acceptedMs} ms`, acceptedMs <= 300),
    row(
      '… delivered to the last, of n / 155 s',
      '≤ 1.04',
      `${ratio.toFixed(3)} (${seconds.toFixed(1)} s; ${urgentMs.length} urgent calls beside it)`,
      ratio <= 1.04,
    ),
    row('… throttles', '0', String(calls?.throttled ?? 0), (calls?.throttled ?? 0) === 0),
    row(
      `urgent item meanwhile, request to arrival, p99 of ${urgentMs.length}`,
      '≤ 250 ms',
      `${percentile(urgentMs, 0.99)} ms (p50 ${percentile(urgentMs, 0.5)} ms)`,
      percentile(urgentMs, 0.99) <= 250,
    ),
  ];
}

/** 40 items per second to each of 20 channels: eight times what unpacked calls could carry. */
async function hot({ simulator, daemon, channels }: Rig, seconds: number, key: string | undefined): Promise<Row[]> {
  const before = (await simulator.control.cues()).at(-1)?.seq ?? 0;
  const channelArns = channels.slice(0, 20);
  const sentAt: number[] = [];
  const batches: Promise<{ batchId: string }>[] = [];
  const startedAt = performance.now();
  for (let n = 0; n < seconds * 40; n += 1) {
    const left = startedAt + n * 25 - performance.now();
    if (left > 0) await pause(left);
    sentAt.push(Date.now());
    // 100 bytes in the envelope, including id, time and comma.
    const payload = { n: String(n).padStart(6, '0'), fill: 'x'.repeat(35) };
    batches.push(
      submit(daemon, { targets: { channelArns }, items: [{ payload, ...(key === undefined ? {} : { key }) }] }),
    );
  }
  for (const { batchId } of await Promise.all(batches)) await finished(daemon, batchId);
  const cues = await simulator.control.cues({ afterSeq: before });
  const arrived = cues.flatMap((cue) =>
    unpackCue(cue.metadata).map(({ data }) => ({ at: cue.at, channel: cue.channelArn, n: Number((data as Sent).n) })),
  );
  const ages = arrived.map(({ at, n }) => at - sentAt[n]!);
  const expected = sentAt.length * channelArns.length;
  if (key === undefined) {
    return [
      row(
        `100-byte items at 40/s to each of 20 channels for ${seconds} s: delivered`,
        'all',
        `${arrived.length} of ${expected} in ${cues.length} calls`,
        arrived.length === expected,
      ),
      row('… age on arrival, p99', '≤ 1 s', `${percentile(ages, 0.99)} ms`, percentile(ages, 0.99) <= 1000),
    ];
  }
  const gaps = channelArns.flatMap((channel) => {
    const times = arrived.filter((item) => item.channel === channel).map(({ at }) => at);
    return times.slice(1).map((at, index) => at - times[index]!);
  });
  const oldest = Math.max(...ages);
  return [
    row(
      'the same with a conflating key: oldest value that went on the wire',
      '≤ 250 ms',
      `${Math.round(oldest)} ms (p99 ${percentile(ages, 0.99)} ms; a new value every ${percentile(gaps, 0.5)} ms)`,
      oldest <= 250,
    ),
  ];
}

/** Ten items waiting for every channel. */
async function memory({ daemon, redis, channels }: Rig): Promise<Row[]> {
  const batches = [];
  for (let n = 0; n < 10; n += 1)
    batches.push(
      await submit(daemon, {
        targets: { live: true },
        items: [{ payload: { n, fill: 'x'.repeat(80) } }],
        lane: 'bulk',
      }),
    );
  const waiting = Number(await redis.get('{bench:main}:md:total'));
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1]) / 1e6;
  const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
  const resident = Number(/^autopilot_process_resident_memory_bytes (\d\S*)/m.exec(metrics)?.[1]) / 1e6;
  for (const { batchId } of batches) await daemon.ask('DELETE', `/v1/metadata/batches/${batchId}`);
  for (const { batchId } of batches) await finished(daemon, batchId);
  const what = `${channels.length} channels, ${waiting} items waiting:`;
  return [
    row(`${what} memory of the daemon`, '≤ 250 MB', `${resident.toFixed(0)} MB`, resident <= 250),
    row(`${what} memory of Redis`, '≤ 200 MB', `${used.toFixed(0)} MB`, used <= 200),
  ];
}

/** The fan-out again, as one job for each item. */
async function plainQueue(simulator: SimulatorHandle, redisUrl: string, channels: readonly string[]): Promise<Row[]> {
  await simulator.control.clearCalls();
  const before = (await simulator.control.cues()).at(-1)?.seq ?? 0;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'metadata', 'plain-queue.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      REDIS_URL: redisUrl,
      AWS_ENDPOINT_URL_IVS: simulator.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
  });
  child.stdin.end(JSON.stringify(channels));
  let output = '';
  for await (const part of child.stdout) output += String(part);
  const { acceptedMs, startedAt, lost } = JSON.parse(output) as { acceptedMs: number; startedAt: number; lost: number };
  const cues = await simulator.control.cues({ afterSeq: before });
  const [calls] = await simulator.control.summary({ operation: 'PutMetadata' });
  const seconds = (Math.max(...cues.map(({ at }) => at)) - startedAt) / 1000;
  const ratio = seconds / (channels.length / accountRate);
  return [
    row('beside it, a plain BullMQ queue, one job per item: accepted', '–', `${Math.round(acceptedMs)} ms`),
    row('… delivered to the last, of n / 155 s', '–', `${ratio.toFixed(3)} (${seconds.toFixed(1)} s)`),
    row('… throttles; lost', '–', `${calls?.throttled ?? 0}; ${lost}`),
  ];
}

async function untilLive({ daemon, channels }: Rig): Promise<void> {
  for (;;) {
    const { body } = await daemon.ask('POST', '/v1/metadata/batches', {
      targets: { live: true },
      items: [{ payload: 'x' }],
      dryRun: true,
    });
    if (body.channels === channels.length) return;
    await pause(250);
  }
}

async function submit(daemon: DaemonProcess, body: object): Promise<{ batchId: string }> {
  const answer = await daemon.ask('POST', '/v1/metadata/batches', body);
  if (answer.status !== 202) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as { batchId: string };
}

async function finished(daemon: DaemonProcess, batchId: string): Promise<void> {
  for (;;) {
    const { body } = await daemon.ask('GET', `/v1/metadata/batches/${batchId}`);
    if (body.state === 'finished' || body.state === 'cancelled') return;
    await pause(100);
  }
}

function row(what: string, must: string, seen: string, ok?: boolean): Row {
  return { what, must, seen, ok };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function print(rows: readonly Row[], { channels }: Sizes, machine: Machine): void {
  const width = Math.max(...rows.map(({ what }) => what.length));
  console.log(`${commandLine()}: ${channels} channels; ${machineLine(machine)}`);
  for (const { what, must, seen, ok } of rows)
    console.log(`${ok === undefined ? ' ' : ok ? '✓' : '✗'} ${what.padEnd(width)}  ${must.padEnd(9)} ${seen}`);
  const result = { at: new Date().toISOString(), command: commandLine(), machine, channels, rows };
  console.log(`figures in ${writeResult('metadata.json', result)}`);
  if (rows.some(({ ok }) => ok === false)) process.exitCode = 1;
}
