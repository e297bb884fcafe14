import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProgram, runCli } from './main.ts';
import type { CliIo } from './support.ts';

/** Runs a command line; returns what it printed and its exit code. */
async function run(args: readonly string[], env: Record<string, string> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const io = ioOf({ print: (line) => out.push(line), printError: (line) => err.push(line), env });
  const code = await runCli(['node', 'ivs-autopilot', ...args], io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

function ioOf(given: Partial<CliIo> = {}): CliIo {
  return { print: () => {}, printError: () => {}, env: {}, signal: new AbortController().signal, ...given };
}

function commandsOf(command: Command, path: readonly string[] = []): { name: string; command: Command }[] {
  return command.commands.flatMap((inner) => {
    const name = [...path, inner.name()];
    return [{ name: name.join(' '), command: inner }, ...commandsOf(inner, name)];
  });
}

const example = join(import.meta.dirname, '../../config/autopilot.example.yaml');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'autopilot-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the command line', () => {
  it('has a description and an example in the help of every command', async () => {
    const commands = commandsOf(createProgram(ioOf()));

    expect(commands.length).toBeGreaterThan(12);
    for (const { name, command } of commands) {
      expect(command.description(), name).toMatch(/./);
      const { out, code } = await run([...name.split(' '), '--help']);
      expect(out, name).toMatch(/Examples?:\n\s+\$ .*ivs-autopilot/);
      expect(code).toBe(0);
    }
  });

  it.each([
    [['--help'], 0],
    [['--version'], 0],
    [['valdate'], 2],
    [['validate', '--nope'], 2],
    [['run', '--role', 'boss'], 2],
    [['hold'], 2],
    [['silence'], 2],
    [['silence', 'rule="x"'], 2],
    [['silence', 'rool="x"', '--for', '1h'], 2],
    [['hold', 'x', '--for', 'ever'], 2],
    [['validate', '/nonexistent.yaml'], 1],
    [['test', '/nonexistent.yaml'], 1],
  ])('%j ends with %d', async (args, code) => {
    expect((await run(args)).code).toBe(code);
  });
});

describe('a command such as plan, which other programs have', () => {
  it.each([
    [
      ['plan'],
      /^error: unknown command 'plan'\n\(To see .* add --dry-run, as in: ivs-autopilot .* --dry-run\)\n\(see --help\)$/,
    ],
    [['metadata', 'plan'], /\n\(.* --dry-run, as in: ivs-autopilot metadata send --dry-run\)\n/],
    [['key', 'preview'], /\n\(.* --dry-run, as in: ivs-autopilot key rotate --dry-run\)\n/],
  ])('%j leads to --dry-run', async (args, hint) => {
    expect(await run(args)).toEqual({ code: 2, out: '', err: expect.stringMatching(hint) });
  });

  it('not where no command has --dry-run, nor for another word', async () => {
    expect((await run(['alert', 'plan'])).err).toBe("error: unknown command 'plan'\n(see --help)");
    expect((await run(['metadata', 'sned'])).err).toContain('(Did you mean send?)');
  });
});

describe('validate', () => {
  const write = (text: string) => {
    const file = join(folder, 'x.yaml');
    writeFileSync(file, text);
    return file;
  };

  it('says that a file is valid', async () => {
    expect(await run(['validate', example])).toEqual({ code: 0, out: `${example}: valid, 7 rules`, err: '' });
  });

  it('prints every problem on standard error, and ends with 1', async () => {
    const file = write('version: 1\nruels: []\npolling: {full_interval: 1}\n');

    const { code, out, err } = await run(['validate', file]);

    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.split('\n')).toEqual([
      `${file}:2:1 ruels: unknown key ruels (did you mean rules?)`,
      `${file}:3:26 polling.full_interval: expected a duration such as 30s, 5m or 1h30m`,
    ]);
  });

  it('prints warnings, and fails on them only with --strict', async () => {
    const file = write(
      'version: 1\nrules: [{name: r, trigger: {state: {live: [true]}}, actions: [{stop_stream: {}}], guards: {max_per_hour: 1}}]\n',
    );

    expect(await run(['validate', file])).toMatchObject({ code: 0, err: expect.stringContaining('warning: without') });
    expect(await run(['validate', file, '--strict'])).toMatchObject({ code: 1 });
    expect(JSON.parse((await run(['validate', file, '--json'])).out)).toMatchObject({
      files: [{ file, problems: [{ line: 2, severity: 'warning' }], rules: 1 }],
    });
  });
});

describe('test', () => {
  it('runs the tests next to a configuration', async () => {
    const { code, out } = await run(['test', example, '--filter', 'blip']);

    expect({ code, last: out.split('\n').at(-1) }).toEqual({ code: 0, last: '1 passed, 0 failed' });
  });

  it('prints on separate lines what a failed test expected and what happened', async () => {
    const file = join(folder, 'fails.test.yaml');
    const rule = 'starving-slate';
    writeFileSync(
      file,
      `tests:\n  - {name: fails, channels: [{arn: ch/a}], timeline: ["0s ch/a HEALTHY"], expect: [{rule: ${rule}, jobs: [put_metadata]}]}\n`,
    );
    const { code, out, err } = await run(['test', file, '--config', example]);

    expect({ code, out }).toEqual({ code: 1, out: 'FAILED fails\n0 passed, 1 failed' });
    expect(err.split('\n')).toContain('  expected jobs [put_metadata], got []');
  });
});

describe('schema', () => {
  it('prints the JSON Schema of the file, for editors', async () => {
    const file = join(folder, 'schema.json');
    const { out } = await run(['schema']);
    await run(['schema', '--output', file]);
    const schema = JSON.parse(out);
    const { trigger, actions, for: duration } = schema.properties.rules.items.properties;

    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
    expect(schema).toMatchObject({ required: ['version'], additionalProperties: false });
    expect(Object.keys(trigger.properties)).toEqual([
      'event',
      'state',
      'aggregate',
      'threshold',
      'schedule',
      'key_age',
      'http',
    ]);
    expect(Object.keys(actions.items.properties)).toContain('rotate_stream_key');
    expect('1h30m').toMatch(new RegExp(duration.pattern));
    expect('soon').not.toMatch(new RegExp(duration.pattern));
    expect(readFileSync(file, 'utf8')).toBe(`${out}\n`);
  });
});
