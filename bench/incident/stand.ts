// Where an incident is measured: stand-ins of AWS, Redis, a receiver of webhooks and the daemons, each in a separate process, and the cost
// of each.
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { ReplicaRole } from '#domain/replica.ts';
import { type DaemonProcess, daemonProcess } from '#test/support/daemon-process.ts';
import { type AwsStand, awsStand, type RedisStand, redisStand } from '../noticing/stand.ts';
import type { Arrival } from './receiver.ts';

export interface StandOptions {
  readonly channels: number;
  readonly config: (receiverUrl: string) => string;
  readonly roles: readonly ReplicaRole[];
  /** Whether Redis and the daemons share one core, and everything else has the others. */
  readonly onOneCore: boolean;
  /** Folder for each daemon's CPU profile; undefined: no profiles. */
  readonly profileFolder?: string | undefined;
}

/** What was used so far; the difference of two is a cost. */
export interface Cost {
  /** CPU of each daemon, ms. */
  readonly daemonsMs: readonly number[];
  readonly redisMs: number;
  /** CPU of the stand-ins of AWS, ms. */
  readonly awsMs: number;
  /** Scripts that clients sent, and all commands that Redis ran, including those inside scripts. */
  readonly scripts: number;
  readonly commands: number;
  /** performance.now */
  readonly at: number;
}

export interface IncidentStand extends AsyncDisposable {
  readonly aws: AwsStand;
  readonly redis: RedisStand;
  readonly queueUrl: string;
  readonly arns: readonly string[];
  readonly streamIds: readonly string[];
  readonly daemons: readonly DaemonProcess[];
  /** Webhooks that came since the last request. */
  webhooks(): Promise<readonly Arrival[]>;
  cost(): Promise<Cost>;
}

/** Starts everything; resolves when the daemons know every channel and every stream. */
export async function incidentStand({
  channels,
  config,
  roles,
  onOneCore,
  profileFolder,
}: StandOptions): Promise<IncidentStand> {
  await using stack = new AsyncDisposableStack();
  const aws = stack.use(await awsStand(1));
  const redis = stack.use(await redisStand());
  const client = new Redis(redis.url);
  stack.defer(() => client.disconnect());
  const receiver: ChildProcess = fork(join(import.meta.dirname, 'receiver.ts'));
  const [port] = (await once(receiver, 'message')) as [number];
  stack.defer(async () => {
    const end = once(receiver, 'exit');
    receiver.disconnect();
    await end;
  });
  const arns = (await aws.control.createChannels(channels)).map(({ arn }) => arn);
  const streamIds = await aws.control.goLive(arns);
  const start = (role: ReplicaRole, more: Readonly<Record<string, string>>) =>
    daemonProcess({
      config: config(`http://127.0.0.1:${port}/`),
      flags: ['--role', role],
      env: {
        REDIS_URL: redis.url,
        AWS_ENDPOINT_URL_IVS: aws.ivsUrl,
        AWS_ENDPOINT_URL_SQS: aws.sqsEndpoint,
        AUTOPILOT_QUEUE_URL: aws.queueUrls[0]!,
        ...more,
      },
    });
  // Leaves its compiled code to the measured ones, as the image does. A standby acts on nothing.
  await (await start('all', { AUTOPILOT_NAMESPACE: 'compiled', AUTOPILOT_STANDBY: '1' }))[Symbol.asyncDispose]();
  const profile = profileFolder === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` };
  const daemons: DaemonProcess[] = [];
  for (const role of roles) daemons.push(stack.use(await start(role, { AUTOPILOT_NAMESPACE: 'bench', ...profile })));
  if (onOneCore) {
    for (const pid of [redis.pid, ...daemons.map((daemon) => daemon.pid)]) pin(pid, '0');
    for (const pid of [aws.pid, receiver.pid!, process.pid]) pin(pid, '1-1023');
    stack.defer(() => pin(process.pid, '0-1023'));
  }
  for (const [index, daemon] of daemons.entries()) await untilKnown(daemon, roles[index], channels);
  const owned = stack.move();
  return {
    aws,
    redis,
    queueUrl: aws.queueUrls[0]!,
    arns,
    streamIds,
    daemons,
    async webhooks() {
      const answer = once(receiver, 'message');
      receiver.send('arrivals');
      return ((await answer) as [Arrival[]])[0];
    },
    async cost() {
      const stats = await client.info('commandstats');
      const calls = (name: string) => Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
      const info = await client.info('stats');
      return {
        daemonsMs: daemons.map(({ pid }) => cpuMsOf(pid)),
        redisMs: cpuMsOf(redis.pid),
        awsMs: cpuMsOf(aws.pid),
        scripts: calls('evalsha') + calls('eval'),
        commands: Number(/^total_commands_processed:(\d+)/m.exec(info)?.[1] ?? 0),
        at: performance.now(),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Whether processes can be pinned to cores here, with util-linux's taskset. */
export function canPin(): boolean {
  return spawnSync('taskset', ['--cpu-list', '0', 'true']).status === 0;
}

function pin(pid: number, cores: string): void {
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)]);
}

/** A replica without gauges of streams (role `worker`) knows what the others know. */
async function untilKnown(daemon: DaemonProcess, role: ReplicaRole | undefined, channels: number): Promise<void> {
  for (;;) {
    const isReady = (await daemon.ask('GET', '/readyz')).status === 200;
    if (isReady && role === 'worker') return;
    const live = await metric(daemon, 'streams\\{[^}]*health="healthy"');
    if (isReady && live >= channels && (await metric(daemon, 'channels\\{')) >= channels) return;
    await new Promise((done) => setTimeout(done, 250));
  }
}

/** A metric of a daemon, by what its line begins with. */
export async function metric({ url }: DaemonProcess, beginning: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^autopilot_${beginning}\\S* (\\S+)`, 'm').exec(metrics)?.[1] ?? Number.NaN);
}

/** CPU of a process with all its threads, ms, as reported by Linux. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function cpuMsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

/** Peak resident memory of a process so far, MB. */
export function peakMbOf(pid: number): number {
  try {
    return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024);
  } catch {
    return Number.NaN;
  }
}

/** Resident memory of a process, MB. */
export function residentMbOf(pid: number): number {
  try {
    return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024);
  } catch {
    return Number.NaN;
  }
}
