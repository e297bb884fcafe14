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

test.each(['Dockerfile', 'scripts/run.mjs', 'bin/ivs-autopilot.mjs', 'test/support/daemon-process.ts'])(
  '%s starts the daemon with the flags and the variable that belong to this',
  (file) => {
    const text = readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8');

    for (const setting of [/--max-semi-space-size=4\b/, /--v8-pool-size=1\b/, /\bMALLOC_ARENA_MAX\W+1\b/])
      expect(text).toMatch(setting);
  },
);
