import { expect, test } from 'vitest';
import { growthPercent } from './heap-growth.ts';

test.each([
  [28, 300],
  [56, 100],
  [90, 24],
  [112, 20],
  [400, 20],
])('a heap of which %i MB live may grow by %i percent', (liveMb, percent) => {
  expect(growthPercent(liveMb)).toBe(percent);
});
