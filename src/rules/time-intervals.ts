// Time intervals by the wall clock of a place: whether one is active, and when that changes next. Summer time is the zone's own affair:
// an interval in the hour that is skipped does not happen, in the hour that comes twice it happens twice.
import { DateTime } from 'luxon';
import type { NumberRange, TimeInterval, TimeRange } from '#domain/rule.ts';

const minuteMs = 60_000;
const horizonDays = 400;

/** Whether the interval is active at this instant. */
export function activeAt(interval: TimeInterval, epochMs: number): boolean {
  return interval.ranges.some((range) => {
    const local = DateTime.fromMillis(epochMs, { zone: range.zone });
    return dayMatches(range, local) && timeMatches(range, local.hour * 60 + local.minute);
  });
}

/** The next instant at which the interval starts or ends; undefined when there is none within 400 days: ask again later. */
export function nextBoundary(interval: TimeInterval, epochMs: number): number | undefined {
  const active = activeAt(interval, epochMs);
  const endMs = epochMs + horizonDays * 24 * 60 * minuteMs;
  let at = epochMs;
  while (at < endMs) {
    const candidates = interval.ranges
      .map((range) => nextRangeBoundary(range, at, endMs))
      .filter((next) => next !== undefined);
    if (candidates.length === 0) return undefined;
    at = Math.min(...candidates);
    if (activeAt(interval, at) !== active) return at;
  }
  return undefined;
}

/** The next instant at which one range may begin or end; never misses one, may give one that changes nothing. */
function nextRangeBoundary(range: TimeRange, afterMs: number, endMs: number): number | undefined {
  let day = DateTime.fromMillis(afterMs, { zone: range.zone }).startOf('day');
  while (day.toMillis() <= endMs) {
    const next = day.plus({ days: 1 }).startOf('day');
    if (day.toMillis() > afterMs && dayMatches(range, day) !== dayMatches(range, day.minus({ days: 1 })))
      return day.toMillis();
    if (dayMatches(range, day)) {
      const found = boundaryWithinDay(range, day, next, afterMs);
      if (found !== undefined) return found;
    }
    day = next;
  }
  return undefined;
}

function boundaryWithinDay(range: TimeRange, day: DateTime, next: DateTime, afterMs: number): number | undefined {
  const startMs = day.toMillis();
  const isActive = (ms: number) => {
    const local = DateTime.fromMillis(ms, { zone: range.zone });
    return dayMatches(range, local) && timeMatches(range, local.hour * 60 + local.minute);
  };
  // Midnight is a boundary of its own: a range that ends at 24:00, or begins at 00:00.
  if (startMs > afterMs && isActive(startMs) !== isActive(startMs - 1)) return startMs;
  if (day.offset === next.offset) {
    const minutes = range.times.flat().sort((left, right) => left - right);
    return minutes.map((minute) => startMs + minute * minuteMs).find((ms) => ms > afterMs);
  }
  // The clocks change today: minute by minute.
  const first = Math.max(startMs, Math.floor(afterMs / minuteMs) * minuteMs);
  let before = isActive(first);
  for (let ms = first + minuteMs; ms <= next.toMillis(); ms += minuteMs) {
    const now = isActive(ms);
    if (now !== before) return ms;
    before = now;
  }
  return undefined;
}

function dayMatches(range: TimeRange, local: DateTime): boolean {
  const lastDay = local.daysInMonth ?? 31;
  return (
    within(range.weekdays, local.weekday % 7) &&
    within(range.months, local.month) &&
    within(range.years, local.year) &&
    (range.daysOfMonth.length === 0 ||
      range.daysOfMonth.some(([from, to]) => {
        const first = from < 0 ? Math.max(1, lastDay + 1 + from) : from;
        const last = to < 0 ? lastDay + 1 + to : to;
        return local.day >= first && local.day <= last;
      }))
  );
}

function timeMatches(range: TimeRange, minuteOfDay: number): boolean {
  return range.times.length === 0 || range.times.some(([start, end]) => minuteOfDay >= start && minuteOfDay < end);
}

function within(ranges: readonly NumberRange[], value: number): boolean {
  return ranges.length === 0 || ranges.some(([from, to]) => value >= from && value <= to);
}
