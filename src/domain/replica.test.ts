import { expect, test } from 'vitest';
import { clockToleranceMs, differencesOf, type Replica } from './replica.ts';

const replica = (id: string, more: Partial<Replica> = {}): Replica => ({
  id,
  version: '0.1.0',
  configHash: 'aaaa',
  role: 'all',
  startedAtMs: 0,
  clockOffsetMs: 0,
  atMs: 0,
  ...more,
});

test('equal replicas do not differ, whatever their roles and start times, and neither does a single one', () => {
  expect(differencesOf([replica('a'), replica('b', { role: 'api', startedAtMs: 9, atMs: 7 })]).size).toBe(0);
  expect(differencesOf([replica('a')]).size).toBe(0);
  expect(differencesOf([]).size).toBe(0);
});

test('names the replicas of each configuration and version, with the same text from every replica', () => {
  const replicas = [replica('a'), replica('b', { configHash: 'bbbb', version: '0.2.0' }), replica('c')];

  const differences = differencesOf(replicas);

  expect(Object.fromEntries(differences)).toEqual({
    configuration: expect.stringContaining('aaaa (a, c), bbbb (b)'),
    version: 'Replicas run different versions: 0.1.0 (a, c), 0.2.0 (b).',
  });
  expect(differencesOf(replicas.toReversed())).toEqual(differences);
});

test('reports a clock beyond the tolerance, ahead or behind, even of a single replica, and never an unknown one', () => {
  const off = (clockOffsetMs: number | undefined) => differencesOf([replica('a', { clockOffsetMs })]).get('clock');
  expect(off(clockToleranceMs)).toBeUndefined();
  expect(off(undefined)).toBeUndefined();
  expect(off(3_600_000)).toContain('a ahead by 3600 s');
  expect(off(-3_600_000)).toContain('a behind by 3600 s');
});
