// A session's viewers and health over time: a sample for each minute and each change of health, in logs that only Redis holds; and the
// figures of the fleet once a minute. Which minute was sampled last follows from the record, so no replica samples it twice.
import { type ChannelArn, channelIdOf, type StreamHealth, type StreamId } from '#domain/channel.ts';
import type { FleetSampleEntry, SampleEntry } from '#domain/log-entries.ts';
import type { SharedState, Transaction } from '#domain/shared-state.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';

const minuteMs = 60_000;
/** An older count does not count for this minute. */
const countedWithinMs = minuteMs;
/** A sample has the time of its entry unless it is later than this. */
const lateMs = 5_000;
/** For one session; far more than a month of minutes. */
const keptSamples = 100_000;
const keptFleetSamples = 200_000;
const pageSize = 5_000;

/** Their positions are part of what is stored. */
const healths: readonly StreamHealth[] = ['HEALTHY', 'STARVING', 'UNKNOWN'];

/** What was seen of one live session at one moment. */
export interface Sample {
  readonly atMs: number;
  readonly health: StreamHealth;
  /** Undefined: IVS did not count. */
  readonly viewers: number | undefined;
}

/** The live streams of one account at one moment. */
export interface FleetSample {
  readonly atMs: number;
  readonly healthy: number;
  readonly starving: number;
  readonly unknown: number;
  /** All counted viewers together. */
  readonly viewers: number;
  /** Streams whose viewers were not counted. */
  readonly uncounted: number;
}

/** Adds a sample when a record of a live session moved into another minute or health. */
export function noteSample(tx: Transaction, before: StreamRecord | undefined, after: StreamRecord): void {
  if (after.state !== 'live') return;
  const turned = before?.state !== 'live' || before.health !== after.health;
  const listedMs = after.basis.listedMs?.at(-1);
  const isNewMinute = listedMs !== undefined && minuteOf(listedMs) !== minuteOf(before?.basis.listedMs?.at(-1));
  if (!turned && !isNewMinute) return;
  const atMs = turned ? Math.max(after.healthSinceMs, after.startedAtMs ?? 0) : (listedMs ?? tx.nowMs);
  const log = logs.samples(channelIdOf(after.channelArn), after.streamId);
  tx.append(log, packed(after, atMs, tx.nowMs), keptSamples);
}

/** Adds the fleet's figures after a complete sweep, once a minute. */
export function noteFleetSample(
  tx: Transaction,
  sweep: { readonly startedAtMs: number },
  last: { readonly startedAtMs: number } | undefined,
): void {
  if (minuteOf(sweep.startedAtMs) === minuteOf(last?.startedAtMs)) return;
  const counts = { HEALTHY: 0, STARVING: 0, UNKNOWN: 0 };
  let [viewers, uncounted] = [0, 0];
  for (const [, record] of tx.entries(kinds.stream)) {
    if (record.state !== 'live') continue;
    counts[record.health] += 1;
    const counted = countAt(record, sweep.startedAtMs);
    if (counted === undefined) uncounted += 1;
    else viewers += counted;
  }
  const entry: FleetSampleEntry = [counts.HEALTHY, counts.STARVING, counts.UNKNOWN, viewers, uncounted];
  tx.append(logs.fleetSamples, entry, keptFleetSamples);
}

export interface SamplesQuery {
  readonly limit: number;
  /** `next` of the page before. */
  readonly before?: string | undefined;
}

export interface SamplesPage<T> {
  /** Sorted by time. */
  readonly samples: readonly T[];
  /** Where older samples continue; undefined: there are none. */
  readonly next: string | undefined;
}

/** The newest samples of one session. @throws AppError while Redis is away */
export async function readSamples(
  state: Pick<SharedState, 'readLog'>,
  { channelArn, streamId }: { readonly channelArn: ChannelArn; readonly streamId: StreamId },
  { limit, before }: SamplesQuery,
): Promise<SamplesPage<Sample>> {
  const log = logs.samples(channelIdOf(channelArn), streamId);
  const rows = await state.readLog(log, { limit, ...(before === undefined ? {} : { before }) });
  return page(rows, limit, unpacked);
}

/** Every sample of one session, by time. @throws AppError while Redis is away */
export async function allSamples(
  state: Pick<SharedState, 'readLog'>,
  session: { readonly channelArn: ChannelArn; readonly streamId: StreamId },
): Promise<readonly Sample[]> {
  let all: readonly Sample[] = [];
  for (let before: string | undefined; ; ) {
    const { samples, next } = await readSamples(state, session, { limit: pageSize, before });
    all = [...samples, ...all];
    if (next === undefined) return all.toSorted(byTime);
    before = next;
  }
}

/** The figures of one account's fleet since a moment. @throws AppError while Redis is away */
export async function fleetSamples(
  state: Pick<SharedState, 'readLog'>,
  { sinceMs }: { readonly sinceMs: number },
): Promise<readonly FleetSample[]> {
  const all: FleetSample[] = [];
  for (let before: string | undefined; ; ) {
    const rows = await state.readLog(logs.fleetSamples, {
      limit: pageSize,
      ...(before === undefined ? {} : { before }),
    });
    const { samples, next } = page(rows, pageSize, fleetUnpacked);
    all.push(...samples.filter(({ atMs }) => atMs >= sinceMs));
    if (next === undefined || entryMs(next) < sinceMs) return all.toSorted(byTime);
    before = next;
  }
}

function page<E, T extends { readonly atMs: number }>(
  rows: readonly { readonly id: string; readonly entry: E }[],
  limit: number,
  read: (entry: E, atMs: number) => T | undefined,
): SamplesPage<T> {
  // If several have the same time, the one written last comes last.
  const samples = rows
    .toReversed()
    .flatMap(({ id, entry }) => read(entry, entryMs(id)) ?? [])
    .toSorted(byTime);
  return { samples, next: rows.length < limit ? undefined : rows.at(-1)?.id };
}

/** The count and the health in one number, which Redis stores in a few bytes. */
function packed(record: StreamRecord, atMs: number, nowMs: number): SampleEntry {
  const viewers = countAt(record, atMs);
  const number = (viewers === undefined ? 0 : viewers + 1) * 4 + healths.indexOf(record.health);
  return nowMs - atMs < lateMs ? number : [number, Math.round((nowMs - atMs) / 1000)];
}

/** Returns undefined for what is not a sample. */
function unpacked(entry: SampleEntry, entryAtMs: number): Sample | undefined {
  const [number, lateSeconds] = Array.isArray(entry) ? (entry as readonly unknown[]) : [entry, 0];
  if (!isCount(number) || !isCount(lateSeconds)) return undefined;
  const health = healths[number % 4];
  if (health === undefined) return undefined;
  const counted = Math.floor(number / 4);
  return { atMs: entryAtMs - lateSeconds * 1000, health, viewers: counted === 0 ? undefined : counted - 1 };
}

function fleetUnpacked(entry: FleetSampleEntry, atMs: number): FleetSample | undefined {
  if (!Array.isArray(entry) || entry.length < 5 || !entry.every(isCount)) return undefined;
  const [healthy, starving, unknown, viewers, uncounted] = entry;
  return { atMs, healthy, starving, unknown, viewers, uncounted };
}

/** The viewers of a record, if they were counted around that time. */
function countAt({ viewerCount, viewerCountAtMs }: StreamRecord, atMs: number): number | undefined {
  return viewerCountAtMs !== undefined && viewerCountAtMs > atMs - countedWithinMs ? viewerCount : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function minuteOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / minuteMs);
}

/** Ids of log entries are `<ms>-<sequence>`. */
function entryMs(id: string): number {
  return Number(id.split('-')[0]);
}

function byTime(a: { readonly atMs: number }, b: { readonly atMs: number }): number {
  return a.atMs - b.atMs;
}
