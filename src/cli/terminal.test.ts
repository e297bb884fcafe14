import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { cut, painted, plainText, table, toned } from './terminal.ts';

const rows = [
  ['NAME', 'STATE', 'CAUSE'],
  ['studio-a', toned('STARVING'), 'the encoder sends less than the channel takes, since a quarter of an hour'],
  ['ライブ配信スタジオ', toned('HEALTHY'), ''],
];

test('a table is as wide as it gets where there is no terminal', () => {
  expect(table(rows).map(plainText)).toEqual([
    'NAME                STATE     CAUSE',
    'studio-a            STARVING  the encoder sends less than the channel takes, since a quarter of an hour',
    'ライブ配信スタジオ  HEALTHY',
  ]);
});

test.each([200, 100, 80, 60, 40, 30, 20])('no line of a table is wider than a terminal of %d', (columns) => {
  const lines = table(rows, { columns }).map(plainText);

  expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(columns);
  expect(lines.join('\n')).toContain('STARVING');
});

test('a row is a block of lines where its columns do not fit, and nothing of it is lost', () => {
  const lines = table([rows[0]!, rows[1]!], { columns: 24 }).map(plainText);

  expect(lines[0]).toBe('NAME   studio-a');
  expect(
    lines
      .slice(2)
      .map((line) => line.slice(7))
      .join(''),
  ).toBe(plainText([rows[1]![2]!]));
});

test('a text is cut between characters, not within them', () => {
  expect([cut('abcdef', 4), cut('ライブ', 4), cut('👩‍👩‍👧‍👧👩‍👩‍👧‍👧', 3), cut('abc', 3)]).toEqual([
    'abc…',
    'ラ…',
    '👩‍👩‍👧‍👧…',
    'abc',
  ]);
});

test('what is worst is red, and a text of a stranger stays a text', () => {
  expect(painted([toned('STARVING')])).toBe('\u001b[31mSTARVING\u001b[39m');
  expect(painted([{ text: '\u001b[2Jx', tone: 'bad' }])).toBe('\u001b[31m\\u001b[2Jx\u001b[39m');
  expect(painted([{ text: 'HEALTHY' }])).toBe('HEALTHY');
});
