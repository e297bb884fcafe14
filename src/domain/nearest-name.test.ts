import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

test('finds the meant name for a misspelt one, and none for a different word', () => {
  const known = ['targets', 'items', 'lane', 'dry_run', 'channelArns', 'key'];

  expect(nearestName('tragets', known)).toBe('targets');
  expect(nearestName('dryRun', known)).toBe('dry_run');
  expect(nearestName('channelArn', known)).toBe('channelArns');
  expect(nearestName('keys', known)).toBe('key');
  expect(nearestName('banana', known)).toBeUndefined();
  expect(nearestName('', known)).toBeUndefined();
  expect(nearestName('x'.repeat(100_000), known)).toBeUndefined();
});
