import { expect, test } from 'vitest';
import { birthInStat, isSameProcessAlive, processBirth } from './process-identity.ts';

test('finds the start time after a program name with spaces and parentheses', () => {
  const fields = ['S', ...Array.from({ length: 18 }, (_, index) => String(index)), '4711', '99'];

  expect(birthInStat(`12 (a (b) c) ${fields.join(' ')}\n`)).toBe('4711');
  expect(birthInStat(`12 (a) ${['Z', ...fields.slice(1)].join(' ')}\n`)).not.toBe('4711');
});

test('a process keeps its start time, and a reused pid is another process', () => {
  const birth = processBirth(process.pid);

  expect(birth).toMatch(/\S/);
  expect(processBirth(process.pid)).toBe(birth);
  expect(isSameProcessAlive(process.pid, birth)).toBe(true);
  expect(isSameProcessAlive(process.pid, 'another time')).toBe(false);
  expect(isSameProcessAlive(process.pid, undefined)).toBe(true);
  expect(isSameProcessAlive(2 ** 22 + 1, birth)).toBe(false);
});
