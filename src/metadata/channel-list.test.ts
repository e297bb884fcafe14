import { expect, test } from 'vitest';
import { packChannels } from './channel-list.ts';

test('what channels in a row have in common is said once, and the order is kept', () => {
  expect(packChannels(['a:b/1', 'a:b/2', 'c:d/3', 'a:b/4', 'plain'])).toBe('a:b/ 1 2\nc:d/ 3\na:b/ 4\n plain');
  expect(packChannels([])).toBe('');
});
