import { expect, test } from 'vitest';
import { growthPercent } from './heap-growth.ts';

const minute = 60_000;

test.each([
  [0, 20, 225],
  [0, 50, 30],
  [0, 75, 10],
  [minute, 48, 150],
  [minute, 60, 100],
  [minute, 61, 10],
  [minute, 400, 10],
])('%i ms after the start, a heap with %i MB alive may grow by %i percent', (ageMs, liveMb, percent) => {
  expect(growthPercent(liveMb, ageMs)).toBe(percent);
});
