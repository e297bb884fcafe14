// One process of a race: builds its contestant, reports that it is ready, sends its items when told to, and reports the cost.
import { existsSync, readFileSync } from 'node:fs';
import { systemClock } from '#runtime/clock.ts';
import type { ContestantOptions, Item, MakeContestant } from './contestants.ts';

/** Messages from the race to a worker, and its answers. */
export interface WorkerTask extends Omit<ContestantOptions, 'clock'> {
  readonly contestant: string;
  readonly items: readonly Item[];
  readonly warmUp: readonly Item[];
  readonly clockOffsetMs: number;
}
export interface WorkerReport {
  readonly lost: number;
  readonly cpuMs: number;
  readonly peakRssMb: number;
}

const others = () => import('./others.ts');
const contestants: Readonly<Record<string, () => Promise<MakeContestant>>> = {
  ours: async () => (await import('./ours.ts')).ours,
  'SDK, standard retries': async () => (await others()).sdkStandard,
  'SDK, adaptive retries': async () => (await others()).sdkAdaptive,
  'BullMQ worker limiter': async () => (await others()).bullmq,
  'Bottleneck, local': async () => (await others()).bottleneckLocal,
  'Bottleneck, clustered': async () => (await others()).bottleneckClustered,
  'rate-limiter-flexible': async () => (await others()).rateLimiterFlexible,
  'p-throttle': async () => (await others()).throttle,
};

process.once('message', (task: WorkerTask) => {
  void work(task);
});
process.send?.('awake');

async function work(task: WorkerTask): Promise<void> {
  const wallClock = Date.now;
  // The whole process uses a wrong wall clock: everything that reads it gets the wrong time.
  Date.now = () => wallClock() + task.clockOffsetMs;
  const make = await contestants[task.contestant]!();
  const contestant = await make({ ...task, clock: { ...systemClock, now: () => Date.now() } });
  // Everybody starts warm, with code compiled and connections open: a daemon has been polling for hours.
  await contestant.sendAll(task.warmUp);
  process.send?.('ready');
  await new Promise((resolve) => process.once('message', resolve));
  const before = process.cpuUsage();
  const { lost } = await contestant.sendAll(task.items);
  const used = process.cpuUsage(before);
  const report: WorkerReport = {
    lost,
    cpuMs: (used.user + used.system) / 1000,
    peakRssMb: peakRssMb(),
  };
  process.send?.(report);
  await contestant.stop();
  process.disconnect();
}

/** Linux includes the parent's memory in maxRSS, so the high-water mark of our own image is read. */
function peakRssMb(): number {
  const file = '/proc/self/status';
  const ownKb = existsSync(file) ? /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  return Number(ownKb ?? process.resourceUsage().maxRSS) / 1024;
}
