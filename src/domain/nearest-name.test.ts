import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

test('a misspelt name finds the one that was meant, and a different word finds none', () => {
  const known = ['targets', 'items', 'lane', 'dry_run', 'channelArns', 'key'];

  expect(nearestName('tragets', known)).toBe('targets');
  expect(nearestName('dryRun', known)).toBe('dry_run');
  expect(nearestName('channelArn', known)).toBe('channelArns');
  expect(nearestName('keys', known)).toBe('key');
  expect(nearestName('banana', known)).toBeUndefined();
  expect(nearestName('', known)).toBeUndefined();
  expect(nearestName('x'.repeat(100_000), known)).toBeUndefined();
});
