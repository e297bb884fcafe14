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
