// The slates of the documents, pasted into the file that `ivs-autopilot init` writes: they work when they are needed most.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Engine } from '#test/support/engine.ts';

const root = join(import.meta.dirname, '..');
const textOf = (path: string) => readFileSync(join(root, path), 'utf8');

/** The rule `slate` of a document, indented as a rule of a file. */
function slateOf(path: string): string {
  const [rule] = /^ *- name: slate\n(?: +\S.*\n)+/m.exec(textOf(path)) ?? expect.fail(`${path} has no slate`);
  const indent = rule.search(/\S/);
  return rule.replaceAll(new RegExp(`^ {${indent}}`, 'gm'), '  ');
}

test.each(['docs/recipes.md', 'docs/first-hour.md'])(
  'two of eight live channels starve: the slate of %s comes, whatever cap the file has for the other rules',
  async (path) => {
    const starter = textOf('config/autopilot.starter.yaml').replace('version: 1\n', '');
    expect(starter).toContain('max_live_percent: 20');
    const engine = new Engine(starter.replace('\nrules:\n', `\nrules:\n${slateOf(path)}`));
    const names = Array.from({ length: 8 }, (_, index) => `c${index}`);
    for (const name of names) await engine.channel(name);
    for (const name of names) await engine.goLive(name);
    for (const name of ['c1', 'c5']) await engine.health(name, 'STARVING');
    await engine.goTo(20);

    expect(engine.log).toEqual(['10 put_metadata c1', '10 put_metadata c5']);
  },
);
