// One health from many sightings that arrive in any order: which is in force, and since when it is known to be unbroken.
// Times are by our clock (see `onOurClock`); `sinceMs` is what the source said.
import type { StreamHealth } from '#domain/channel.ts';
import type { HealthBasis } from '#domain/stream-record.ts';

export interface HealthSighting {
  readonly value: StreamHealth;
  readonly atMs: number;
  readonly sinceMs: number;
}

/**
 * The first sighting of the current stretch is kept, and the newest of the others. A contradicting sighting that arrives late, within the
 * time of the kept ones, restarts the stretch exactly where a timely one would have; an older one restarts it later.
 */
const maxSightings = 8;
const maxAbsences = 4;

/** Adds a sighting. Whatever their order of arrival, the newest decides; one that contradicts it breaks the stretch. */
export function sawHealth(basis: HealthBasis | undefined, { value, atMs, sinceMs }: HealthSighting): HealthBasis {
  const moment = momentOf(value, atMs);
  if (!basis) return { value, seen: [[moment, sinceMs]] };
  if (value !== basis.value && moment > newest(basis))
    return { ...basis, value, seen: [[moment, sinceMs]], brokenAt: newest(basis) };
  // What nearly every sweep brings: the same again, later.
  if (value === basis.value && moment > newest(basis))
    return { ...basis, seen: withNewest(basis.seen, [moment, sinceMs]) };
  if (moment <= (basis.brokenAt ?? Number.NEGATIVE_INFINITY)) return basis;
  if (value !== basis.value)
    return { ...basis, brokenAt: moment, seen: basis.seen.filter(([seenAt]) => seenAt > moment) };
  const known = basis.seen.find(([seenAt]) => seenAt === moment);
  if (known && known[1] <= sinceMs) return basis;
  const seen = [...basis.seen.filter((each) => each !== known), [moment, sinceMs] as const].toSorted(byMoment);
  return { ...basis, seen: seen.length > maxSightings ? withoutSecond(seen) : seen };
}

/** Adds that it was not starving at `atMs`: healthy, or not known, or gone. */
export function sawNotStarving(basis: HealthBasis, atMs: number): HealthBasis {
  const known = basis.absentMs ?? [];
  if (known.includes(atMs)) return basis;
  const absentMs = [...known, atMs].toSorted((a, b) => a - b).slice(-maxAbsences);
  return { ...basis, absentMs };
}

/** The health in force, and since when it is known to be unbroken. */
export function healthOf({ value, seen, absentMs = [] }: HealthBasis): { health: StreamHealth; healthSinceMs: number } {
  const [newestAt] = seen.at(-1)!;
  const absentSinceMs = value === 'STARVING' ? absentMs.find((ms) => ms > newestAt) : undefined;
  if (absentSinceMs !== undefined) return { health: 'UNKNOWN', healthSinceMs: absentSinceMs };
  const brokenMs = value === 'STARVING' ? absentMs.findLast((ms) => ms <= newestAt) : undefined;
  // An event is placed at the end of its second but dated at its beginning: a poll within that second may come first and have a later time.
  let healthSinceMs = Number.POSITIVE_INFINITY;
  for (const [seenAt, sinceMs] of seen)
    if (brokenMs === undefined || seenAt >= brokenMs) healthSinceMs = Math.min(healthSinceMs, sinceMs);
  return { health: value, healthSinceMs };
}

/** When health was last seen, epoch ms; 0 when it never was. */
export function lastSeenMs(basis: HealthBasis | undefined): number {
  return basis ? Math.floor(newest(basis)) : 0;
}

function withNewest(seen: HealthBasis['seen'], sighting: HealthBasis['seen'][number]): HealthBasis['seen'] {
  const more = [...seen, sighting];
  return more.length > maxSightings ? withoutSecond(more) : more;
}

/** The first keeps the second's statement about the beginning. */
function withoutSecond([first, second, ...others]: HealthBasis['seen']): HealthBasis['seen'] {
  return [[first![0], Math.min(first![1], second![1])], ...others];
}

function newest({ seen }: HealthBasis): number {
  return seen.at(-1)![0];
}

/** Orders sightings of one millisecond by adding a fraction: a recovery follows the fall. */
function momentOf(value: StreamHealth, atMs: number): number {
  return atMs + { UNKNOWN: 0, STARVING: 0.25, HEALTHY: 0.5 }[value];
}

function byMoment([a]: readonly [number, number], [b]: readonly [number, number]): number {
  return a - b;
}
