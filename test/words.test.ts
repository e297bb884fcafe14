// What people read in a hurry keeps to simple rules: help of every command, and what errors and reasons say to do.
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { decisionReasons } from '#domain/decision.ts';
import { errorCatalog } from '#domain/error-catalog.ts';
import { createProgram } from '#src/cli/main.ts';

const io = { print: () => undefined, printError: () => undefined, env: {}, signal: new AbortController().signal };

/** Every text of a command's help with its place, its subcommands' included. */
function helpOf(command: Command, path: string): [place: string, text: string][] {
  return [
    [path, command.description()],
    ...command.options.map(({ long, description }): [string, string] => [`${path} ${long}`, description]),
    ...command.registeredArguments.map((each): [string, string] => [`${path} <${each.name()}>`, each.description]),
    ...command.commands.flatMap((inner) => helpOf(inner, `${path} ${inner.name()}`)),
  ];
}
const help = helpOf(createProgram(io), 'ivs-autopilot');
const remedies = Object.entries(errorCatalog).map(([code, { remedy }]): [string, string] => [code, remedy]);
const meanings = Object.entries({ ...errorCatalog, ...decisionReasons }).map(
  ([code, { meaning }]): [string, string] => [code, meaning],
);

/** Words that stand for text somebody meant to write, and those that our glossary replaced. */
const unwanted = /\b(?:TODO|TBD|FIXME|XXX|lorem|foo|bar|baz|blah|asdf|stuff|Gives|simply|obviously)\b/;
const longestSentence = (text: string) =>
  Math.max(...text.split(/(?<=[.!?])\s+/).map((one) => one.split(/\s+/).length));
const wrong = (texts: readonly (readonly [string, string])[], judge: (text: string) => boolean) =>
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

describe('errors', () => {
  test('say what to do, in sentences of at most 50 words that begin with a capital and end', () => {
    expect(remedies.length).toBeGreaterThan(80);
    expect(wrong(remedies, (text) => text.trim() === '')).toEqual([]);
    expect(wrong([...remedies, ...meanings], (text) => longestSentence(text) > 50)).toEqual([]);
    expect(wrong(remedies, (text) => !/^[A-Z`]/.test(text) || !/[.`)]$/.test(text))).toEqual([]);
  });

  test('do not pass the reader on or apologise: no "please", no "contact support", no "something went wrong"', () => {
    const empty =
      /\b(?:please|sorry|oops|contact (?:support|your administrator)|something went wrong|unexpected error|try again later\.)/i;
    expect(wrong([...remedies, ...meanings], (text) => empty.test(text))).toEqual([]);
  });
});

test('no text has a placeholder, or a word that says nothing', () => {
  expect(wrong([...help, ...remedies, ...meanings], (text) => unwanted.test(text))).toEqual([]);
});
