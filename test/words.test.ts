// What people read keeps to simple rules: help of commands, errors and reasons, metrics, settings, and every document.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { decisionReasons } from '#domain/decision.ts';
import { errorCatalog } from '#domain/error-catalog.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createProgram } from '#src/cli/main.ts';

/** One text and the place where somebody can correct it. */
type Text = readonly [place: string, text: string];

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

const root = join(import.meta.dirname, '..');
/** Documents for people; the changelog is a list of short notes and is left out. */
const documents = ['.', 'docs', 'docs/decisions', 'simulator', 'src/client', 'src/player', 'deploy/helm/ivs-autopilot']
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
  .filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md');

/** The paragraphs, items and cells of a document, each with its place; code blocks and headings are left out. */
function textsOf(path: string, markdown: string): Text[] {
  const texts: { line: number; parts: string[] }[] = [];
  let isCode = false;
  let open: { line: number; parts: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const isFence = /^\s*```/.test(line);
    if (isFence) isCode = !isCode;
    const starts = /^\s*(?:[-*]|\d+\.) /.test(line);
    if (isFence || isCode || starts || /^\s*(?:$|#|<!--|\|)/.test(line)) open = undefined;
    if (isFence || isCode || /^\s*(?:$|#|<!--|\|[-|]+$)/.test(line)) continue;
    if (line.startsWith('|')) {
      for (const cell of line.split(/(?<!\\)\|/)) texts.push({ line: index + 1, parts: [cell.trim()] });
      continue;
    }
    if (!open) texts.push((open = { line: index + 1, parts: [] }));
    open.parts.push(line.replace(/^\s*(?:[-*]|\d+\.) /, '').trim());
  }
  return texts.map(({ line, parts }) => [`${path}:${line}`, parts.join(' ')]);
}
const paragraphs = documents.flatMap((path) => textsOf(path, readFileSync(join(root, path), 'utf8')));

/** Without code, addresses and remarks in brackets, which a reader may skip. */
function plain(text: string): string {
  return text
    .replaceAll(/`[^`]*`/g, 'X')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .replaceAll(/ \([^()]*\)/g, '');
}

/** A reader has to keep this many words in mind at most, up to the next full stop, colon or semicolon. */
const mostWords = 40;
/** A list of things is read item by item. */
const mostWordsOfList = 65;

function tooLong([place, text]: Text): string[] {
  return plain(text)
    .split(/(?<=[.!?;:][)*”"]*)\s+/)
    .flatMap((sentence) => {
      const words = sentence.split(/\s+/).length;
      const most = sentence.split(', ').length > 5 ? mostWordsOfList : mostWords;
      return words > most ? [`${place}: ${words} words (at most ${most}), split it: ${sentence}`] : [];
    });
}

/** Phrases that read as translated, or that say nothing, each with what to write instead. */
const phrases: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/\b(?:TODO|TBD|FIXME|XXX|lorem|asdf|blah)\b/, 'the text itself'],
  [/\b(?:simply|obviously|of course|please|sorry|oops)\b/i, 'nothing: leave it out'],
  [/\b(?:something went wrong|unexpected error|contact support|try again later\.)/i, 'what failed, and what to do'],
  [/^Gives\b|\. Gives\b/, '“Returns”'],
  [/\b(?:is|are|was|were|be) told (?:of|about|by|from)\b/i, '“gets a message”, “is reported”'],
  [/\btells? of\b/i, '“reports”'],
  [/\banew\b/i, '“again”'],
  [/\bmend(?:s|ed|ing)?\b/i, '“repair”, “fix”, “correct”'],
  [/\ball the same\b/i, '“anyway”, “still”'],
  [/\b(?:goes|go|went|going) on\b(?! hold)/i, '“continues”'],
  [/\bas it should be\b/i, 'what is right about it'],
  [/\bnot (?:any more|any longer)\b|\bany more\b/i, '“no longer”'],
  [/\bin the way of\b|\bby way of\b|\bthe way of\b/i, '“through”, “path”'],
  [/\bas far as (?:there|it|they|is)\b/i, '“if there is”'],
  [/\bis for (?:good|ever)\b|\bfor ever\b/i, '“final”, “forever”'],
  [/\bit is seen to that\b|\bbe seen to\b/i, 'who does it'],
  [/\bwhat is more\b|\bthe which\b|\bhereby\b|\btherein\b/i, 'a shorter sentence'],
];

const unwanted = ([place, text]: Text): string[] =>
  phrases.flatMap(([phrase, instead]) => {
    const [found] = phrase.exec(text.replaceAll(/`[^`]*`/g, 'X')) ?? [];
    return found === undefined ? [] : [`${place}: “${found}”, write ${instead}: ${text}`];
  });

const wrong = (texts: readonly Text[], judge: (text: string) => boolean) =>
  texts.filter(([, text]) => judge(text)).map(([place, text]) => `${place}: ${text}`);

describe('help', () => {
  test('describes every command, option and argument, in at most 140 characters', () => {
    expect(help.length).toBeGreaterThan(300);
    expect(wrong(help, (text) => text.trim() === '')).toEqual([]);
    expect(wrong(help, (text) => text.length > 140)).toEqual([]);
  });

  test('begins small and ends without a full stop, as one phrase', () => {
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
  const texts = [...help, ...meanings, ...remedies, ...metrics, ...paragraphs];

  test('are some', () => {
    expect(documents.length).toBeGreaterThan(35);
    expect(paragraphs.length).toBeGreaterThan(3000);
  });

  test('has short sentences', () => {
    expect(texts.flatMap(tooLong)).toEqual([]);
  });

  test('has no placeholder, no empty word and no phrase that reads as translated', () => {
    // The guide names the phrases that it forbids.
    const judged = texts.filter(([place, text]) => !(place.startsWith('CONTRIBUTING.md') && /[“"]/.test(text)));
    expect(judged.flatMap(unwanted)).toEqual([]);
  });
});

test('the rules find what they are for, with its place', () => {
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
