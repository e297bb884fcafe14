// Time intervals by the wall clock of a place: whether one is active, and when that changes next. The zone defines summer time: an interval
// in the skipped hour does not occur, one in the repeated hour occurs twice.
import { DateTime } from 'luxon';
import type { DailyTimes, NumberRange, TimeInterval, TimeRange } from '#domain/rule.ts';

const minuteMs = 60_000;
const horizonDays = 400;

/** Whether the interval is active at this instant. */
export function activeAt(interval: TimeInterval, epochMs: number): boolean {
  return interval.ranges.some((range) => {
    const local = DateTime.fromMillis(epochMs, { zone: range.zone });
    return dayMatches(range, local) && timeMatches(range, local.hour * 60 + local.minute);
  });
}

/** The next instant at which the interval starts or ends; undefined if there is none within 400 days: ask again later. */
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

/**
 * The next of these times of the day after an instant. One that the clocks skip does not come that day; one that comes twice counts
 * once.
 */
export function nextDailyMs({ minutes, zone }: DailyTimes, afterMs: number): number {
  const first = DateTime.fromMillis(afterMs, { zone }).startOf('day');
  for (let days = 0; days <= horizonDays; days += 1) {
    const day = first.plus({ days });
    for (const minute of minutes) {
      const [hour, minuteOfHour] = [Math.floor(minute / 60), minute % 60];
      const at = day.set({ hour, minute: minuteOfHour });
      const isSkipped = at.hour !== hour || at.minute !== minuteOfHour;
      if (!isSkipped && at.toMillis() > afterMs) return at.toMillis();
    }
  }
  throw new RangeError(`no time of ${minutes.join(', ')} ever comes in ${zone}`);
}

/** Whether there is any day, past or future, on which the range is active. */
export function everComes(range: TimeRange): boolean {
  // 28 years contain every kind of year: beginning on any weekday, with and without 29 February.
  const years =
    range.years.length === 0 ? numbersFrom(2000, 2027) : range.years.flatMap(([from, to]) => numbersFrom(from, to));
  const kinds = new Map(years.map((year) => [`${weekdayOf(year, 1, 1)} ${daysIn(year, 2)}`, year]));
  return Array.from(kinds.values(), (year) => numbersFrom(1, 12).some((month) => comesIn(range, year, month))).some(
    Boolean,
  );
}

function comesIn(range: TimeRange, year: number, month: number): boolean {
  const daysInMonth = daysIn(year, month);
  return numbersFrom(1, daysInMonth).some((day) => {
    const weekday = weekdayOf(year, month, day);
    return dayMatches({ ...range, years: [] }, { year, month, day, weekday, daysInMonth });
  });
}

const weekdayOf = (year: number, month: number, day: number) => new Date(Date.UTC(year, month - 1, day)).getUTCDay();
const daysIn = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate();

function numbersFrom(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Whether the range is permanently over at this instant. */
export function isOver(range: TimeRange, epochMs: number): boolean {
  const local = DateTime.fromMillis(epochMs, { zone: range.zone });
  return range.years.length > 0 && range.years.every(([, to]) => to < local.year);
}

/** The next instant at which one range may begin or end; never misses one, but may return one that changes nothing. */
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
  // Midnight is always a boundary: a range may end at 24:00 or begin at 00:00.
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

/** A day of the calendar; weekdays from 0 or 7, which are Sunday. */
type Day = Pick<DateTime, 'year' | 'month' | 'day'> & {
  readonly weekday: number;
  readonly daysInMonth: number | undefined;
};

function dayMatches(range: TimeRange, local: Day): boolean {
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
