import { expect, test } from 'vitest';
import { nextChoiceAt } from './pace.ts';

test('the calls of a channel share a second and the time of one call evenly', () => {
  expect(nextChoiceAt({ takenAt: 100, dueAt: 100, endedAt: 150 }, 5)).toBe(310);
});

test('waiting for the permit’s moment is not part of the call', () => {
  expect(nextChoiceAt({ takenAt: 100, dueAt: 125, endedAt: 175 }, 5)).toBe(310);
});

test('a call that was late began when its content was chosen, and one that was given up took no time', () => {
  expect(nextChoiceAt({ takenAt: 100, dueAt: 40, endedAt: 150 }, 5)).toBe(310);
  expect(nextChoiceAt({ takenAt: 100, dueAt: 125, endedAt: 110 }, 5)).toBe(300);
});
