import { expect, test } from 'vitest';
import { growthPercent } from './heap-growth.ts';

test.each([
  [20, 500],
  [48, 150],
  [60, 100],
  [61, 15],
  [400, 15],
])('a heap of which %i MB live may grow by %i percent', (liveMb, percent) => {
  expect(growthPercent(liveMb)).toBe(percent);
});
