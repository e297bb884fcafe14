// Turns the texts of a time interval (`friday:sunday`, `-3:-1`, `18:00`) into numbers, or says what is wrong with them.
import { IANAZone } from 'luxon';
import { didYouMean } from '#domain/nearest-name.ts';
import type { NumberRange, TimeInterval, TimeRange } from '#domain/rule.ts';
import { everComes } from '#rules/time-intervals.ts';
import type { Finding, PathPart } from './problem.ts';
import type { TimeIntervalDocument } from './schema.ts';

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const months = 'january february march april may june july august september october november december'.split(' ');

interface Unit {
  readonly what: string;
  /** Names of the values from `first` on. */
  readonly names?: readonly string[];
  readonly first: number;
  readonly last: number;
  readonly negative?: boolean;
  /** `friday:monday` wraps around. */
  readonly wraps?: boolean;
}

const units = {
  weekdays: { what: 'weekday', names: weekdays, first: 0, last: 6, wraps: true },
  days_of_month: { what: 'day of the month', first: 1, last: 31, negative: true },
  months: { what: 'month', names: months, first: 1, last: 12, wraps: true },
  years: { what: 'year', first: 2000, last: 2200 },
} as const satisfies Record<string, Unit>;

class RangeProblem extends Error {}

/** Compiles a named interval; problems are added to the findings. */
export function compileTimeInterval(
  document: TimeIntervalDocument,
  path: readonly PathPart[],
  findings: Finding[],
): TimeInterval {
  const ranges = document.time_intervals.map((range, index): TimeRange => {
    const at = [...path, 'time_intervals', index];
    const attempt = <T>(where: readonly PathPart[], make: () => T): T | undefined => {
      try {
        return make();
      } catch (error) {
        if (!(error instanceof RangeProblem)) throw error;
        findings.push({ path: [...at, ...where], message: error.message, severity: 'error' });
        return undefined;
      }
    };
    const parsed = (field: keyof typeof units): readonly NumberRange[] =>
      (range[field] ?? []).flatMap(
        (text, place) => attempt([field, place], () => parseRange(text, units[field])) ?? [],
      );
    const times = (range.times ?? []).flatMap(({ start_time, end_time }, place) => {
      const start = attempt(['times', place, 'start_time'], () => parseTime(start_time));
      const end = attempt(['times', place, 'end_time'], () => parseTime(end_time));
      if (start === undefined || end === undefined) return [];
      return attempt(['times', place], () => requireOrder(start, end)) ?? [];
    });
    if (!IANAZone.isValidZone(range.location)) {
      const message = `unknown time zone ${JSON.stringify(range.location)}; expected an IANA name such as Europe/London`;
      findings.push({ path: [...at, 'location'], message, severity: 'error' });
    }
    const before = findings.length;
    const compiled: TimeRange = {
      times,
      weekdays: parsed('weekdays'),
      daysOfMonth: parsed('days_of_month'),
      months: parsed('months'),
      years: parsed('years'),
      zone: range.location,
    };
    if (findings.length === before && !everComes(compiled)) {
      const message = 'no day matches: weekdays, days_of_month, months and years exclude each other';
      findings.push({ path: at, message, severity: 'error' });
    }
    return compiled;
  });
  return { name: document.name, ranges };
}

function parseRange(text: string, unit: Unit): NumberRange[] {
  const parts = text.split(':');
  if (parts.length > 2) throw new RangeProblem(`expected a ${unit.what}, or two separated by a colon`);
  const [from, to] = [parseValue(parts[0]!, unit), parseValue(parts.at(-1)!, unit)];
  if (from <= to) {
    if (from < 0 !== to < 0) throw new RangeProblem('expected both ends counted from the same end of the month');
    return [[from, to]];
  }
  if (from > 0 && to < 0) return [[from, to]];
  if (!unit.wraps) throw new RangeProblem(`the range ${text} is the wrong way round`);
  return [
    [from, unit.last],
    [unit.first, to],
  ];
}

function parseValue(text: string, unit: Unit): number {
  const word = text.trim().toLowerCase();
  const named = unit.names?.indexOf(word) ?? -1;
  if (named !== -1) return named + unit.first;
  const value = /^-?\d{1,4}$/.test(word) ? Number(word) : Number.NaN;
  const inRange = value >= unit.first && value <= unit.last;
  if (unit.what !== 'weekday' && (inRange || (unit.negative && value <= -1 && value >= -unit.last))) return value;
  throw new RangeProblem(`${JSON.stringify(text)} is not a ${unit.what}${didYouMean(word, unit.names ?? [])}`);
}

/** Minutes of the day. */
function parseTime(text: string): number {
  const match = /^(\d{2}):(\d{2})$/.exec(text);
  const [hour, minute] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || minute > 59 || hour * 60 + minute > 24 * 60) {
    throw new RangeProblem(`${JSON.stringify(text)} is not a time of day; expected 00:00 to 24:00, in quotation marks`);
  }
  return hour * 60 + minute;
}

function requireOrder(start: number, end: number): NumberRange[] {
  if (start < end) return [[start, end]];
  throw new RangeProblem('start_time must be before end_time; write two ranges to cross midnight');
}
