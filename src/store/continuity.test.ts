import { describe, expect, test } from 'vitest';
import { continuityOf, type Observed } from './continuity.ts';
import { newHeadPrefix, parseHead } from './head.ts';

const head = (number: number, { lineage = 'line', fields = 10 } = {}) =>
  `2|${lineage}|${number}|x|1700000000000|${fields}`;
const observed = (text: string, more: Partial<Observed> = {}): Observed => ({
  head: text,
  fields: 10,
  logged: 5,
  found: false,
  ...more,
});

describe('what Redis holds, compared with a copy of commit 100,', () => {
  const known = parseHead(head(100));

  test.each([
    ['is the same when the commit is in the list', head(104), { found: true }, 'continuous'],
    ['may have a field that was added by hand', head(104), { found: true, fields: 11 }, 'continuous'],
    ['is damaged when fields are missing', head(104), { found: true, fields: 9 }, 'damaged'],
    ['is damaged when the head alone is missing', '', { fields: 1 }, 'damaged'],
    ['is emptied when there is nothing', '', { fields: 0 }, 'emptied'],
    ['is another state when its lineage is another', head(104, { lineage: 'other' }), {}, 'emptied'],
    ['went back when its number is lower', head(99), {}, 'rolled_back'],
    ['went back when its number is the same and the commit another', head(100), {}, 'rolled_back'],
    ['went back when the commit would have to be in the list', head(104), {}, 'rolled_back'],
    ['may continue from it when the list is too short to tell', head(105), {}, 'unproven'],
    ['proves nothing when its version did not count commits', '8d3b5a0e-1c1e-4c62-9d0c-4a1f6a2f7b11', {}, 'unproven'],
  ] as const)('%s', (_, text, more, continuity) => {
    expect(continuityOf(known, observed(text, more))).toBe(continuity);
  });

  test('is not compared by lineage if the copy does not know its own', () => {
    expect(continuityOf({ ...known, lineage: undefined }, observed(head(200)))).toBe('unproven');
  });
});

describe('a head', () => {
  test('is read as it was written', () => {
    expect(parseHead(`${newHeadPrefix('line', 7)}|1700000000000|12`)).toMatchObject({
      lineage: 'line',
      number: 7,
      atMs: 1_700_000_000_000,
      fields: 12,
    });
  });

  test.each(['', 'a-uuid', '1|line|7|x|8|9', '2|line|seven|x|8|9', '2|line|7|x||nine', '2|line|1.5|x|8|9'])(
    'that contains nothing useful (%j) is read anyway',
    (text) => {
      expect(parseHead(text)).toEqual({
        text,
        lineage: undefined,
        number: undefined,
        atMs: undefined,
        fields: undefined,
      });
    },
  );

  test('of a newer version is refused', () => {
    expect(() => parseHead('3|line|7|x|8|9')).toThrow(expect.objectContaining({ code: 'STATE_TOO_NEW' }));
  });
});
