// Does what is kept stay bounded? `npm run bench -- retention [--channels 1000] [--days 7]`
// A fleet in virtual time, minute by minute, through the daemon's pipeline into the shared state of a separate Redis: events with their
// dedup ids, polls, inventory, and rules that act. At the end of every virtual day it reads all of Redis's memory, and its contents by
// kind. Two runs: with a daemon's default retention, and with a short one, so that the deletion of old data shows.
//
// Not included: the queues' finished jobs (BullMQ drops them by age and number) and what the actions themselves write, since a job ends
// here as soon as it was decided.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Config, parseConfig } from '#config/load.ts';
import { kinds } from '#domain/state-registry.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { connectRedis, disconnectRedis } from '#runtime/redis.ts';
import { logMaxAgeMs } from '#shard/settings.ts';
import { Pipeline } from '#src/pipeline.ts';
import { noteQueueRead } from '#streams/gaps.ts';
import { finishedActionRecorder } from '#workers/finished-action.ts';
import { upkeep } from '#workers/upkeep.ts';
import { stagesOf } from './noticing/core.ts';
import { redisStand } from './noticing/stand.ts';
import { commandLine, type Machine, machineLine, machineWith, writeResult } from './report/results.ts';
import { Fleet } from './retention/fleet.ts';
import { sampleCost } from './retention/samples.ts';
import { type Size, sizeOf } from './retention/size.ts';
import { dedupTtlMs, VirtualClock, VirtualState } from './retention/virtual-state.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const pollEveryMs = 10 * minute;
const prefix = '{bench:retention}';
/** For one live channel in an hour, as Redis counts its memory: sixty samples, and the log around them. */
const mostSampleBytes = 1_536;
const retentions = {
  'by default': '',
  short: 'retention: {sessions: 2d, journal: 2d, journal_quiet: 1d}\n',
} as const;

export async function run(args: string[]): Promise<void> {
  const options = { channels: { type: 'string', default: '1000' }, days: { type: 'string', default: '7' } } as const;
  const { values } = parseArgs({ args, options });
  const [channels, days] = [Number(values.channels), Number(values.days)];
  const runs: WeekReport[] = [];
  let machine: Machine | undefined;
  for (const [name, retention] of Object.entries(retentions)) {
    await using redis = await redisStand();
    machine ??= await machineWith(redis.url);
    const report = await week(redis.url, { name, config: await configWith(retention), channels, days });
    print(report);
    runs.push(report);
  }
  await using redis = await redisStand();
  const samples = await sampleCost(redis.url, { channels: 100, hours: 12 });
  console.log(
    `\nSamples of ${samples.channels} channels that are live for ${samples.hours} hours: ${samples.bytesPerChannelHour} bytes a channel-hour (goal: ${mostSampleBytes}); of the fleet ${samples.fleetBytesPerHour} bytes an hour`,
  );
  console.log(`\n${commandLine()}: ${machineLine(machine!)}`);
  const result = { at: new Date().toISOString(), command: commandLine(), machine, runs, samples };
  const file = writeResult('retention.json', result);
  console.log(`figures in ${file}`);
  if (samples.bytesPerChannelHour > mostSampleBytes) process.exitCode = 1;
}

interface WeekReport {
  readonly retention: string;
  readonly settings: Config['settings']['retention'];
  readonly channels: number;
  readonly sessions: number;
  readonly events: number;
  readonly jobs: number;
  readonly tookSeconds: number;
  /** Redis's memory while it was still empty. */
  readonly emptyBytes: number;
  readonly days: readonly (Size & { readonly live: number; readonly longestDedupIdHours: number })[];
}

/** The example rules, all of them acting, and without the cautious limits of an example. */
async function configWith(retention: string): Promise<Config> {
  const file = join(import.meta.dirname, '../config/autopilot.example.yaml');
  const rules = (await readFile(file, 'utf8'))
    .replace('mode: dry_run', 'mode: enforce')
    .replace('max_per_hour: 6, max_live_percent: 5', 'max_per_hour: 60, max_live_percent: 50');
  const polling = `polling: {full_interval: ${pollEveryMs / minute}m, starving_interval: ${pollEveryMs / minute}m}\n`;
  const result = parseConfig(`${rules}\n${polling}${retention}`, file);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.config;
}

async function week(
  redisUrl: string,
  { name, config, channels, days }: { name: string; config: Config; channels: number; days: number },
): Promise<WeekReport> {
  const { settings, ruleset } = config;
  const startedAt = performance.now();
  const logger = createLogger({ level: 'error', scrubber: new Scrubber() });
  const metrics = createMetrics();
  const redis = connectRedis({ url: redisUrl, role: 'store', logger });
  await redis.connect();
  const { usedMemory: emptyBytes } = await sizeOf(redis, prefix);
  const beganMs = Date.UTC(2026, 10, 20);
  const clock = new VirtualClock(beganMs);
  const state = new VirtualState({ redis, prefix, metrics, clock, logMaxAgeMs: (log) => logMaxAgeMs(settings, log) });
  const pipeline = new Pipeline({
    state,
    ruleset,
    stages: stagesOf(settings, { hasEventQueue: true }),
    onCommitted: () => undefined,
  });
  const finished = finishedActionRecorder({
    state,
    clock: systemClock,
    random: Math.random,
    configHash: () => config.hash,
  });
  let jobs = 0;
  /** Jobs leave for their queue and end there at once. */
  const work = async () => {
    const waiting = Array.from(state.view.entries(kinds.job), ([, job]) => job);
    if (waiting.length === 0) return;
    jobs += waiting.length;
    await Promise.all([
      state.transact((tx) => {
        for (const { jobId } of waiting) tx.delete(kinds.job.of(jobId));
      }),
      ...waiting.map((job) => finished({ ...job, outcome: 'done', result: undefined, error: undefined })),
    ]);
  };
  const fleet = new Fleet(channels);
  const sizes: WeekReport['days'][number][] = [];
  for (let nowMs = beganMs; nowMs < beganMs + days * day; ) {
    if (nowMs % (60 * minute) === 0) {
      await pipeline.observe(fleet.inventory(nowMs));
      await state.transact(upkeep);
    }
    const events = fleet.eventsOf(nowMs);
    clock.advanceTo((nowMs += minute));
    await Promise.all(events.map((event) => pipeline.observe(event)));
    if (nowMs % pollEveryMs === 0) {
      await Promise.all([
        pipeline.observe(fleet.poll('starving', nowMs)),
        pipeline.observe(fleet.poll('all', nowMs)),
        state.transact((tx) => noteQueueRead(tx, { atMs: nowMs, lagMs: 0 })),
      ]);
    }
    await pipeline.tick();
    await work();
    if ((nowMs - beganMs) % day !== 0) continue;
    const size = await sizeOf(redis, prefix);
    const longestDedupIdHours = (6 * size.longestDedupIdMs) / clock.realMsOf(dedupTtlMs);
    sizes.push({ live: fleet.live, longestDedupIdHours, ...size });
  }
  await disconnectRedis(redis);
  return {
    retention: name,
    settings: settings.retention,
    channels,
    sessions: fleet.sessions,
    events: fleet.delivered,
    jobs,
    tookSeconds: (performance.now() - startedAt) / 1000,
    emptyBytes,
    days: sizes,
  };
}

/** Logs that no retention limits: they are bounded by number alone. */
const byNumberAlone = ['log audit'];

function print({ retention, settings, channels, sessions, events, jobs, tookSeconds, emptyBytes, days }: WeekReport) {
  const { sessions: kept, journal, journal_quiet: quiet } = settings;
  console.log(
    `\nRetention ${retention} (sessions ${kept}, journal ${journal}, quiet ${quiet}): ${channels} channels over ${days.length} days, ${sessions} sessions, ${events} events delivered, ${jobs} jobs; took ${tookSeconds.toFixed(0)} s`,
  );
  const kb = (bytes: number) => Math.round(bytes / 1024);
  const rowOf = (cell: (size: WeekReport['days'][number]) => string | number) =>
    Object.fromEntries(days.map((size, index) => [`day ${index + 1}`, cell(size)]));
  const kinds = new Set(days.flatMap((size) => Object.keys(size.kinds)));
  const rows: Record<string, object> = {};
  for (const kind of [...kinds].toSorted()) {
    rows[`${kind}: number, KB`] = rowOf((size) => {
      const { entries, bytes } = size.kinds[kind] ?? { entries: 0, bytes: 0 };
      return `${entries}, ${kb(bytes)}`;
    });
  }
  const total = ({ usedMemory, kinds: of }: Size, without: readonly string[] = []) =>
    kb(usedMemory - emptyBytes - without.reduce((sum, kind) => sum + (of[kind]?.bytes ?? 0), 0));
  rows['live channels'] = rowOf(({ live }) => live);
  rows['a dedup id’s longest TTL, hours'] = rowOf(({ longestDedupIdHours }) => longestDedupIdHours.toFixed(1));
  rows['used_memory, KB'] = rowOf((size) => total(size));
  rows['without the audit, KB'] = rowOf((size) => total(size, byNumberAlone));
  console.table(rows);
  if (days.length < 2) return;
  const growth = days.slice(1).map((size, index) => total(size, byNumberAlone) - total(days[index]!, byNumberAlone));
  console.log(
    `used_memory is above that of an empty Redis; without the audit it grew by ${growth.join(', ')} KB a day`,
  );
}
