import { expect, test } from 'vitest';
import { packChannels } from './channel-list.ts';

test('writes what neighbouring channels have in common only once, and keeps the order', () => {
  expect(packChannels(['a:b/1', 'a:b/2', 'c:d/3', 'a:b/4', 'plain'])).toBe('a:b/ 1 2\nc:d/ 3\na:b/ 4\n plain');
  expect(packChannels([])).toBe('');
});
