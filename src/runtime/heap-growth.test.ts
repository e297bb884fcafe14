import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { growthPercent } from './heap-growth.ts';

const minute = 60_000;

test.each([
  [0, 20, 225],
  [0, 50, 30],
  [0, 75, 10],
  [minute, 50, 120],
  [minute, 60, 83],
  [minute, 61, 80],
  [minute, 80, 38],
  [minute, 100, 10],
  [minute, 110, 10],
  [minute, 400, 10],
])('%i ms after the start, a heap with %i MB alive may grow by %i percent', (ageMs, liveMb, percent) => {
  expect(growthPercent(liveMb, ageMs)).toBe(percent);
});

/** Makes objects, keeps every tenth for a while, and prints how large the young generation became during four full collections. */
const churn = `
const { getHeapSpaceStatistics } = await import('node:v8');
const { constants, PerformanceObserver } = await import('node:perf_hooks');
const { tendHeap } = await import('./src/runtime/heap-growth.ts');
let full = 0;
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full += 1;
}).observe({ entryTypes: ['gc'] });
tendHeap();
const kept = [];
let largest = 0;
for (let round = 0; full < 4; round += 1) {
  for (let index = 0; index < 2_000; index += 1) {
    const made = { round, index, texts: [String(round), String(index)], more: { index } };
    if (index % 10 === 0) kept[(round * 200 + index / 10) % 300_000] = made;
  }
  largest = Math.max(largest, getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);
  if (round % 20 === 0) await new Promise(setImmediate);
}
console.log(largest / 1_048_576);
`;

test('the young generation keeps its size, also while a full collection is under way', () => {
  const flags = ['--max-semi-space-size=4', '--v8-pool-size=1', '--input-type=module', '--eval', churn];
  const { stdout, stderr } = spawnSync(process.execPath, flags, {
    cwd: join(import.meta.dirname, '..', '..'),
    encoding: 'utf8',
  });

  expect(stderr).toBe('');
  expect(Number(stdout)).toBeGreaterThan(0);
  // Two halves of 4 MB, and some pages.
  expect(Number(stdout)).toBeLessThanOrEqual(10);
});

test.each([
  'Dockerfile',
  'deploy/systemd/ivs-autopilot.service',
  'scripts/run.mjs',
  'bin/ivs-autopilot.mjs',
  'test/support/daemon-process.ts',
])('%s starts the daemon with the flags and the variable that belong to this', (file) => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8');

  for (const setting of [/--max-semi-space-size=4\b/, /--v8-pool-size=1\b/, /\bMALLOC_ARENA_MAX\W+1\b/])
    expect(text).toMatch(setting);
});
