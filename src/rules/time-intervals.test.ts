import { describe, expect, it } from 'vitest';
import type { Finding } from '#config/problem.ts';
import { compileTimeInterval } from '#config/time-range.ts';
import type { TimeInterval } from '#domain/rule.ts';
import { activeAt, nextBoundary } from './time-intervals.ts';

type Range = Parameters<typeof compileTimeInterval>[0]['time_intervals'][number];

function interval(...ranges: Partial<Range>[]): TimeInterval {
  const findings: Finding[] = [];
  const document = { name: 'x', time_intervals: ranges.map((range) => ({ location: 'UTC', ...range })) };
  const compiled = compileTimeInterval(document, [], findings);
  if (findings.length > 0) throw new Error(findings.map(({ message }) => message).join('\n'));
  return compiled;
}

const at = (iso: string) => Date.parse(iso);
/** The boundaries after an instant, with what is true from each on. */
function boundaries(given: TimeInterval, from: string, count: number): string[] {
  const found: string[] = [];
  for (let now: number | undefined = at(from); found.length < count; ) {
    now = nextBoundary(given, now);
    if (now === undefined) return [...found, 'none'];
    found.push(`${new Date(now).toISOString().slice(0, 16)}Z ${activeAt(given, now) ? 'on' : 'off'}`);
  }
  return found;
}

const evening = { times: [{ start_time: '18:00', end_time: '23:30' }] };

describe('a time interval', () => {
  it('covers prime time in London, over the week and the end of summer time', () => {
    const primeTime = interval({ ...evening, weekdays: ['friday:sunday'], location: 'Europe/London' });

    expect(boundaries(primeTime, '2026-10-22T12:00:00Z', 6)).toEqual([
      '2026-10-23T17:00Z on',
      '2026-10-23T22:30Z off',
      '2026-10-24T17:00Z on',
      '2026-10-24T22:30Z off',
      '2026-10-25T18:00Z on',
      '2026-10-25T23:30Z off',
    ]);
  });

  it('includes its start and not its end', () => {
    const given = interval(evening);

    expect(
      ['17:59:59.999', '18:00', '23:29:59.999', '23:30'].map((time) => activeAt(given, at(`2026-01-01T${time}Z`))),
    ).toEqual([false, true, true, false]);
  });

  it('does not occur in the hour that summer time skips', () => {
    const given = interval({ times: [{ start_time: '01:15', end_time: '01:45' }], location: 'Europe/London' });

    expect(boundaries(given, '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-30T00:15Z on', '2026-03-30T00:45Z off']);
  });

  it('that begins in the skipped hour begins when the clock has passed it', () => {
    const given = interval({ times: [{ start_time: '01:30', end_time: '03:00' }], location: 'Europe/London' });

    expect(boundaries(given, '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:00Z on', '2026-03-29T02:00Z off']);
  });

  it('in the hour that comes twice occurs twice', () => {
    const given = interval({ times: [{ start_time: '01:15', end_time: '01:45' }], location: 'Europe/London' });

    expect(boundaries(given, '2026-10-24T12:00:00Z', 4)).toEqual([
      '2026-10-25T00:15Z on',
      '2026-10-25T00:45Z off',
      '2026-10-25T01:15Z on',
      '2026-10-25T01:45Z off',
    ]);
  });

  it('of whole days starts at midnight of its place', () => {
    const given = interval({ weekdays: ['saturday'], location: 'Asia/Tokyo' });

    expect(boundaries(given, '2026-11-20T00:00:00Z', 2)).toEqual(['2026-11-20T15:00Z on', '2026-11-21T15:00Z off']);
  });

  it('up to 24:00 continues if the next day begins with it', () => {
    const given = interval({
      times: [
        { start_time: '22:00', end_time: '24:00' },
        { start_time: '00:00', end_time: '02:00' },
      ],
    });

    expect(boundaries(given, '2026-01-01T12:00:00Z', 2)).toEqual(['2026-01-01T22:00Z on', '2026-01-02T02:00Z off']);
  });

  it('of the last three days of a month knows how long the month is', () => {
    const given = interval({ days_of_month: ['-3:-1'], months: ['february'] });

    expect(boundaries(given, '2028-01-01T00:00:00Z', 2)).toEqual(['2028-02-27T00:00Z on', '2028-03-01T00:00Z off']);
  });

  it('of several ranges is active when any is', () => {
    const given = interval(
      { times: [{ start_time: '10:00', end_time: '12:00' }] },
      { times: [{ start_time: '11:00', end_time: '13:00' }], location: 'UTC' },
    );

    expect(boundaries(given, '2026-01-01T00:00:00Z', 2)).toEqual(['2026-01-01T10:00Z on', '2026-01-01T13:00Z off']);
  });

  it('that is always or never active has no boundary', () => {
    expect(boundaries(interval({}), '2026-01-01T00:00:00Z', 1)).toEqual(['none']);
    expect(boundaries(interval({ years: ['2020'] }), '2026-01-01T00:00:00Z', 1)).toEqual(['none']);
  });

  it('has its boundaries where it changes, minute by minute, even in odd zones', () => {
    for (const location of ['Australia/Lord_Howe', 'Asia/Kathmandu']) {
      const given = interval({
        times: [
          { start_time: '00:30', end_time: '02:15' },
          { start_time: '23:00', end_time: '24:00' },
        ],
        location,
      });
      const from = at('2026-04-03T00:00:00Z');
      const changes: number[] = [];
      for (let ms = from + 60_000; ms < from + 3 * 86_400_000; ms += 60_000) {
        if (activeAt(given, ms) !== activeAt(given, ms - 60_000)) changes.push(ms);
      }
      const found: number[] = [];
      for (
        let now = nextBoundary(given, from);
        now !== undefined && found.length < changes.length;
        now = nextBoundary(given, now)
      ) {
        found.push(now);
      }

      expect(found, location).toEqual(changes);
    }
  });
});

it.each<[Partial<Range>, RegExp]>([
  [{ times: [{ start_time: '18', end_time: '23:30' }] }, /is not a time of day/],
  [{ times: [{ start_time: '18:00', end_time: '24:01' }] }, /is not a time of day/],
  [{ times: [{ start_time: '18:00', end_time: '02:00' }] }, /cross midnight/],
  [{ weekdays: ['1:5'] }, /is not a weekday/],
  [{ weekdays: ['monday:tuesday:friday'] }, /two separated by a colon/],
  [{ days_of_month: ['0'] }, /is not a day/],
  [{ days_of_month: ['10:5'] }, /wrong way round/],
  [{ days_of_month: ['-3:5'] }, /same end/],
  [{ months: ['13'] }, /is not a month/],
  [{ months: ['Septembr'] }, /did you mean september/],
  [{ years: ['2026:2025'] }, /wrong way round/],
  [{ location: 'Mars/Base' }, /unknown time zone/],
])('%j is refused', (range, message) => {
  expect(() => interval(range)).toThrow(message);
});
