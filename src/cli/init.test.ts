import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from './main.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'autopilot-init-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(['node', 'ivs-autopilot', ...args], {
    print: (line) => void out.push(line),
    printError: (line) => void err.push(line),
    env: {},
    signal: new AbortController().signal,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

it('writes a configuration that is valid without warnings, and the schema that its first line names', async () => {
  const file = join(folder, 'new', 'autopilot.yaml');

  expect(await run('init', file)).toMatchObject({ code: 0, err: '' });

  const text = readFileSync(file, 'utf8');
  const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
  expect(JSON.parse(readFileSync(join(folder, 'new', schema), 'utf8'))).toMatchObject({ required: ['version'] });
  expect(text.split('\n').filter((line) => line.trimStart().startsWith('#')).length).toBeGreaterThan(20);
  expect(text).not.toContain('mode: enforce\n');
  expect(await run('validate', '--strict', file)).toMatchObject({ code: 0, err: '' });
});

it('does not change an existing file, whatever it contains', async () => {
  const file = join(folder, 'mine.yaml');
  writeFileSync(file, 'mine');
  writeFileSync(join(folder, 'autopilot.schema.json'), '{}');

  expect(await run('init', file)).toMatchObject({ code: 1, out: '', err: expect.stringContaining('already exists') });
  expect(await run('init', join(folder, 'other.yaml'))).toMatchObject({
    code: 0,
    out: expect.stringContaining('already exists and is not changed'),
  });
  expect([readFileSync(file, 'utf8'), readFileSync(join(folder, 'autopilot.schema.json'), 'utf8')]).toEqual([
    'mine',
    '{}',
  ]);
});

it.each(['config.json', 'config', ''])('refuses a file name that is not YAML: "%s"', async (name) => {
  const file = join(folder, name);

  expect(await run('init', file)).toMatchObject({ code: 2, out: '' });
  expect(name === '' || existsSync(file)).toBe(name === '');
});
