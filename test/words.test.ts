// What people read follows simple rules: help of commands, errors and reasons, metrics. test/docs.test.ts checks the documents.
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { decisionReasons } from '#domain/decision.ts';
import { errorCatalog } from '#domain/error-catalog.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createProgram } from '#src/cli/main.ts';
import { type Text, textsOf, tooLong, unwanted } from '#test/support/plain-words.ts';

const io = { print: () => undefined, printError: () => undefined, env: {}, signal: new AbortController().signal };

/** Every text of a command's help, including its subcommands. */
function helpOf(command: Command, path: string): Text[] {
  return [
    [path, command.description()],
    ...command.options.map(({ long, description }): Text => [`${path} ${long}`, description]),
    ...command.registeredArguments.map((each): Text => [`${path} <${each.name()}>`, each.description]),
    ...command.commands.flatMap((inner) => helpOf(inner, `${path} ${inner.name()}`)),
  ];
}
const help = helpOf(createProgram(io), 'ivs-autopilot');
const catalog = Object.entries({ ...errorCatalog, ...decisionReasons });
const meanings = catalog.map(([code, { meaning }]): Text => [code, meaning]);
const remedies = catalog.flatMap(([code, { remedy }]): Text[] => (remedy === '' ? [] : [[code, remedy]]));
const metrics = (await createMetrics().registry.getMetricsAsJSON()).map(({ name, help: text }): Text => [name, text]);

const wrong = (texts: readonly Text[], judge: (text: string) => boolean) =>
  texts.filter(([, text]) => judge(text)).map(([place, text]) => `${place}: ${text}`);

describe('help', () => {
  test('describes every command, option and argument, in at most 140 characters', () => {
    expect(help.length).toBeGreaterThan(300);
    expect(wrong(help, (text) => text.trim() === '')).toEqual([]);
    expect(wrong(help, (text) => text.length > 140)).toEqual([]);
  });

  test('begins with a small letter and ends without a full stop, as one phrase', () => {
    const [, ...below] = help;
    expect(
      wrong(below, (text) => /^[A-Z][a-z]+ (?!it )/.test(text) && !/^(?:Region|Amazon|Redis)\b/.test(text)),
    ).toEqual([]);
    expect(wrong(below, (text) => /[^.]\.$/.test(text))).toEqual([]);
  });
});

describe('errors and reasons', () => {
  test('say what to do, in whole sentences', () => {
    expect(remedies.length).toBeGreaterThan(110);
    expect(Object.entries(errorCatalog).filter(([, { remedy }]) => remedy.trim() === '')).toEqual([]);
    expect(wrong([...remedies, ...meanings], (text) => !/^[A-Z`]/.test(text) || !/[.`)]$/.test(text))).toEqual([]);
  });

  test('begin a remedy with what the reader does, or with “No action needed”', () => {
    const passive = /^(?:It|The|This|That|These|Nothing|There|An?|If|When|While|In|During|Without|Until|All|Some)\b/;
    expect(wrong(remedies, (text) => passive.test(text))).toEqual([]);
  });
});

describe('every text', () => {
  const texts = [...help, ...meanings, ...remedies, ...metrics];

  test('has short sentences', () => {
    expect(texts.flatMap(tooLong)).toEqual([]);
  });

  test('has no placeholder, no empty word and no phrase that reads as translated', () => {
    expect(texts.flatMap(unwanted)).toEqual([]);
  });
});

test('the rules find their violations, with the place', () => {
  const [first, second, cell] = textsOf(
    'a.md',
    '# T\n\nOne\ntwo.\n\n```sh\nall the same\n```\n- three\n\n| a | b |\n|---|---|\n',
  );
  expect([first, second, cell]).toEqual([
    ['a.md:3', 'One two.'],
    ['a.md:9', 'three'],
    ['a.md:11', ''],
  ]);
  expect(tooLong(['a.md:3', `${'word '.repeat(41)}end. Short (${'aside '.repeat(50)}).`])).toHaveLength(1);
  expect(tooLong(['a.md:3', `${'word, '.repeat(60)}end.`])).toEqual([]);
  expect(unwanted(['a.md:3', 'The receiver is told of it. `goes on`'])).toEqual([
    expect.stringMatching(/^a\.md:3: “is told of”, write /),
  ]);
});
