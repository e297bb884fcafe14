import { expect, test } from 'vitest';
import { nestsDeeper } from './json-depth.ts';

const nested = (levels: number, inner = '1') => '['.repeat(levels) + inner + ']'.repeat(levels);

test.each([
  ['lists up to the limit', nested(3), false],
  ['one list more', nested(4), true],
  ['objects', '{"a":{"b":{"c":{}}}}', true],
  ['lists in objects', '{"a":[{"b":[1]}]}', true],
  ['as many lists beside each other', `[${Array(9).fill('[]').join(',')}]`, false],
  ['brackets in a text', nested(2, JSON.stringify('[{'.repeat(9))), false],
  ['a quotation mark in a text', nested(2, JSON.stringify(`"${'['.repeat(9)}`)), false],
  ['a backslash at the end of a text', nested(3, `${JSON.stringify('\\')},[]`), true],
  ['no brackets', '"a text"', false],
  ['nothing', '', false],
])('%s', (_what, text, isDeeper) => {
  expect(nestsDeeper(text, 3)).toBe(isDeeper);
});
