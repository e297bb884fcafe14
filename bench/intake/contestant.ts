// One side of the race for events, in a separate process: takes this many messages whenever it is told to, and reports the cost.
import { loadConfig } from '#config/load.ts';
import { bareLoop } from './bare-loop.ts';
import { type NoticingDaemon, noticingDaemon } from './daemon.ts';

/** Argument: this, as JSON. */
export interface ContestantTask {
  readonly kind: 'bare' | 'daemon';
  readonly redisUrl: string;
  readonly sqsEndpoint: string;
  readonly configFile: string;
  readonly channels: number;
  /** When the first event happens. */
  readonly beganMs: number;
}

/** The messages to a contestant, and its answers. */
export interface Turn {
  readonly queueUrl: string;
  readonly count: number;
}
export interface TurnReport {
  readonly tookMs: number;
  readonly cpuMs: number;
  /** Since the start; of the daemon only. */
  readonly totals?: ReturnType<NoticingDaemon['totals']>;
}

const task = JSON.parse(process.argv[2]!) as ContestantTask;
const daemon =
  task.kind === 'daemon' ? await noticingDaemon({ ...task, config: await loadConfig(task.configFile) }) : undefined;

process.on('message', (message) => void turn(message as Turn));
process.once('disconnect', () => void Promise.resolve(daemon?.[Symbol.asyncDispose]()).then(() => process.exit(0)));
process.send?.('ready');

async function turn({ queueUrl, count }: Turn): Promise<void> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await (daemon ? daemon.take(queueUrl, count) : bareLoop(task.sqsEndpoint, queueUrl, count));
  const tookMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  const report: TurnReport = {
    tookMs,
    cpuMs: (user + system) / 1000,
    ...(daemon ? { totals: daemon.totals() } : {}),
  };
  process.send?.(report);
}
