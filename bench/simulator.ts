// Can the simulator replace an account with 10,000 channels? Start, throughput with the quotas off, and memory, measured in
// a separate process so that no other memory counts: `npm run bench -- simulator`.

import { fork } from 'node:child_process';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { SimulatorClient } from '#simulator/client.ts';
import { startSimulator } from '#simulator/server.ts';

const CHANNELS = 10_000;
const LIVE = 1_000;
const CONNECTIONS = 16;
const RUN_MS = 3_000;

/** The measured figures, with their goals. */
export interface SimulatorBench {
  readonly startMs: number;
  readonly callsPerSecond: number;
  /** What one core alone would do: calls per second of the simulator's own CPU time, regardless of other work on the machine. */
  readonly callsPerCpuSecond: number;
  readonly p99Ms: number;
  readonly rssMb: number;
  readonly recordedCalls: number;
}

interface Ready {
  readonly url: string;
  readonly startMs: number;
}

interface Usage {
  readonly rssMb: number;
  readonly cpuSeconds: number;
}

/** The measured process: a simulator with its channels, which reports its memory on request. */
async function serve(): Promise<void> {
  const startedAt = performance.now();
  const simulator = await startSimulator({ enforcement: 'off', quotas: { concurrentStreams: LIVE }, seed: 'bench' });
  const channels = await simulator.control.createChannels(CHANNELS);
  const startMs = performance.now() - startedAt;
  await simulator.control.goLive(channels.slice(0, LIVE).map(({ arn }) => arn));
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({
      rssMb: process.memoryUsage.rss() / 1024 / 1024,
      cpuSeconds: (user + system) / 1e6,
    } satisfies Usage);
  });
  process.on('disconnect', () => void simulator.close());
  process.send?.({ url: simulator.url, startMs } satisfies Ready);
}

const next = <T>(child: ReturnType<typeof fork>): Promise<T> =>
  new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as T));
    child.once('exit', (code) => reject(new Error(`the measured process ended with ${code}`)));
  });

function post(agent: Agent, url: string, path: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(
      url + path,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** Starts the simulator in a child process, loads it for a few seconds and returns the figures. */
export async function benchSimulator(): Promise<SimulatorBench> {
  const child = fork(fileURLToPath(import.meta.url), ['serve']);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    const { url, startMs } = await next<Ready>(child);
    const control = new SimulatorClient(url);
    const live = (await control.channels()).filter(({ streamId }) => streamId !== undefined);
    const mix = [
      (n: number) => [
        '/PutMetadata',
        JSON.stringify({ channelArn: live[n % live.length]?.arn, metadata: `{"n":${n}}` }),
      ],
      () => ['/ListStreams', '{"maxResults":100}'],
      (n: number) => ['/GetStream', JSON.stringify({ channelArn: live[(n * 7) % live.length]?.arn })],
      (n: number) => ['/GetChannel', JSON.stringify({ arn: live[(n * 13) % live.length]?.arn })],
    ] as const;
    const latencies: number[] = [];
    const until = performance.now() + RUN_MS;
    let sent = 0;
    const caller = async (): Promise<void> => {
      while (performance.now() < until) {
        const n = sent++;
        const [path = '', body = ''] = mix[n % mix.length]!(n);
        const from = performance.now();
        const status = await post(agent, url, path, body);
        if (status >= 300) throw new Error(`${path} answered ${status}`);
        latencies.push(performance.now() - from);
      }
    };
    const usage = (): Promise<Usage> => {
      const answer = next<Usage>(child);
      child.send('usage');
      return answer;
    };
    const before = await usage();
    const from = performance.now();
    await Promise.all(Array.from({ length: CONNECTIONS }, caller));
    const seconds = (performance.now() - from) / 1000;
    const { rssMb, cpuSeconds } = await usage();
    latencies.sort((a, b) => a - b);
    return {
      startMs,
      callsPerSecond: latencies.length / seconds,
      callsPerCpuSecond: latencies.length / (cpuSeconds - before.cpuSeconds),
      p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
      rssMb,
      recordedCalls: (await control.health()).calls,
    };
  } finally {
    agent.destroy();
    child.disconnect();
  }
}

/** The figures as a table, each with its goal. */
export function tableOf(result: SimulatorBench): string {
  const rows = [
    ['start with 10,000 channels', `${result.startMs.toFixed(0)} ms`, '< 2,000 ms', result.startMs < 2_000],
    ['calls per second of one core', result.callsPerCpuSecond.toFixed(0), '> 1,000', result.callsPerCpuSecond > 1_000],
    ['calls per second, seen', result.callsPerSecond.toFixed(0), '', true],
    [`p99 with ${CONNECTIONS} connections`, `${result.p99Ms.toFixed(1)} ms`, '', true],
    ['memory (RSS)', `${result.rssMb.toFixed(0)} MB`, '< 300 MB', result.rssMb < 300],
  ] as const;
  const lines = rows.map(([what, seen, promised, kept]) => {
    return `${what.padEnd(32)}${seen.padStart(12)}${promised.padStart(14)}  ${kept ? 'ok' : 'MISSED'}`;
  });
  return ['simulator, 10,000 channels, 1,000 live', ...lines].join('\n');
}

/** The bench by its name: measures and prints the table. */
export async function run(): Promise<void> {
  console.log(tableOf(await benchSimulator()));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await (process.argv[2] === 'serve' ? serve() : run());
