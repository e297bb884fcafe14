import { expect, test } from 'vitest';
import { growthPercent } from './heap-growth.ts';

const minute = 60_000;

test.each([
  [0, 20, 300],
  [0, 40, 100],
  [0, 75, 15],
  [minute, 48, 150],
  [minute, 60, 100],
  [minute, 61, 15],
  [minute, 400, 15],
])('%i ms after the start a heap of which %i MB live may grow by %i percent', (ageMs, liveMb, percent) => {
  expect(growthPercent(liveMb, ageMs)).toBe(percent);
});
