import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { cut, painted, plainText, table, toned } from './terminal.ts';

const rows = [
  ['NAME', 'STATE', 'CAUSE'],
  ['studio-a', toned('STARVING'), 'the encoder sends less than the channel takes, since a quarter of an hour'],
  ['ライブ配信スタジオ', toned('HEALTHY'), ''],
];

test('does not limit the width of a table without a terminal', () => {
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

test('a row becomes a block of lines if its columns do not fit, and loses nothing', () => {
  const lines = table([rows[0]!, rows[1]!], { columns: 24 }).map(plainText);

  expect(lines[0]).toBe('NAME   studio-a');
  expect(
    lines
      .slice(2)
      .map((line) => line.slice(7))
      .join(''),
  ).toBe(plainText([rows[1]![2]!]));
});

test('cuts a text between characters, not within them', () => {
  expect([cut('abcdef', 4), cut('ライブ', 4), cut('👩‍👩‍👧‍👧👩‍👩‍👧‍👧', 3), cut('abc', 3)]).toEqual([
    'abc…',
    'ラ…',
    '👩‍👩‍👧‍👧…',
    'abc',
  ]);
});

test('shows the most severe in red, and prints text from strangers as plain text', () => {
  expect(painted([toned('STARVING')])).toBe('\u001b[31mSTARVING\u001b[39m');
  expect(painted([{ text: '\u001b[2Jx', tone: 'bad' }])).toBe('\u001b[31m\\u001b[2Jx\u001b[39m');
  expect(painted([{ text: 'HEALTHY' }])).toBe('HEALTHY');
});
