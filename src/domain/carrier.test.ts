import { describe, expect, test } from 'vitest';
import { type Carrier, MissingParts, missingText } from './carrier.ts';

const process = (id: string, role: string, ...accounts: string[]): Carrier => ({
  id,
  host: `host-${id}`,
  role,
  version: '1.0.0',
  accounts,
  atMs: 0,
});
const patienceMs = 30_000;
const watching = (...accounts: string[]) => new MissingParts({ accounts, patienceMs });
const missingOf = (missing: MissingParts, nowMs: number) =>
  Object.fromEntries(
    missing.carried(nowMs).map(({ account, missing: parts }) => [account, parts.map(({ part }) => part)]),
  );

describe('a part of the work that nobody does', () => {
  test('is reported only after the time that a restart takes', () => {
    const missing = watching('a', 'b');
    const read = (nowMs: number) => missing.read([process('1', 'all', 'a')], nowMs);
    read(1_000);
    read(31_000);
    expect(missingOf(missing, 31_000)).toEqual({ a: [], b: [] });
    read(31_001);
    expect(missingOf(missing, 31_001)).toEqual({ a: [], b: ['intake', 'worker'] });
    expect(missing.carried(31_001)[1]).toMatchObject({
      carriers: [],
      missing: [{ sinceMs: 1_000 }, { sinceMs: 1_000 }],
    });
  });

  test('counts from the last time that a process was seen doing it', () => {
    const missing = watching('a');
    missing.read([process('1', 'all', 'a')], 0);
    missing.read([process('1', 'all', 'a')], 50_000);
    missing.read([], 60_000);
    missing.read([], 80_000);
    expect(missingOf(missing, 80_000)).toEqual({ a: [] });
    missing.read([], 80_001);
    expect(missing.carried(80_001)[0]?.missing).toEqual([
      { part: 'intake', sinceMs: 50_000 },
      { part: 'worker', sinceMs: 50_000 },
    ]);
    missing.read([process('2', 'all', 'a')], 90_000);
    expect(missingOf(missing, 90_000)).toEqual({ a: [] });
  });

  test('is one that no role of the carriers includes', () => {
    const missing = watching('a', 'b', 'c', 'd');
    const carriers = [
      process('1', 'intake', 'a', 'c'),
      process('2', 'worker', 'b', 'c'),
      process('3', 'api', 'a', 'b', 'c', 'd'),
    ];
    missing.read(carriers, 0);
    missing.read(carriers, 40_000);
    expect(missingOf(missing, 40_000)).toEqual({ a: ['worker'], b: ['intake'], c: [], d: ['intake', 'worker'] });
    expect(missing.carried(40_000).map(missingText)).toEqual([
      'No process acts on what is decided in a: none with the role all or worker carries it; host-1 (id 1, role intake), host-3 (id 3, role api) have the rest.',
      'No process notices what happens in b: none with the role all or intake carries it; host-2 (id 2, role worker), host-3 (id 3, role api) have the rest.',
      undefined,
      'No process notices or acts for d: host-3 (id 3, role api) have it for the API alone.',
    ]);
  });

  test('is unknown while Redis gives no answer, and counts from the start again afterwards', () => {
    const missing = watching('a');
    expect(missing.carried(1e9)).toEqual([{ account: 'a', carriers: undefined, missing: [] }]);
    missing.read([], 0);
    missing.read([], 40_000);
    expect(missing.carried(40_000).map(missingText)).toEqual(['No process carries a: nobody notices or acts there.']);
    missing.lost();
    expect(missing.carried(200_000)).toEqual([{ account: 'a', carriers: undefined, missing: [] }]);
    missing.read([], 210_000);
    missing.read([], 240_000);
    expect(missingOf(missing, 240_000)).toEqual({ a: [] });
    expect(missingOf(missing, 240_001)).toEqual({ a: ['intake', 'worker'] });
  });

  test('is not reported for accounts outside the configuration', () => {
    const missing = watching('a');
    missing.read([process('1', 'all', 'a', 'gone')], 0);
    missing.read([process('1', 'all', 'a')], 90_000);
    expect(missing.carried(90_000).map(({ account }) => account)).toEqual(['a']);
  });
});
