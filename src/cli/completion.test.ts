import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scriptFor, shells } from './completion-scripts.ts';
import { completionTable } from './completion-table.ts';
import { createProgram, runCli } from './main.ts';

const program = createProgram({
  print: () => undefined,
  printError: () => undefined,
  env: {},
  signal: new AbortController().signal,
});

function commandsOf(command: Command, path: readonly string[]): { words: readonly string[]; command: Command }[] {
  return [{ words: path, command }, ...command.commands.flatMap((inner) => commandsOf(inner, [...path, inner.name()]))];
}
const commands = commandsOf(program, ['ivs-autopilot']);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'autopilot-completion-'));
  // Replaces the program when a script asks it for names; no part of a channel's name may be executed.
  writeFileSync(
    join(folder, 'ivs-autopilot'),
    `#!/bin/sh
echo "$*" >> '${folder}/asked'
case "$*" in
  *channels*) printf '%s\\n' 'studio-a AbC' 'studio-b DeF' '$(touch\${IFS}${folder}/run) x' '\`touch\${IFS}${folder}/run\` x' ;;
  *rules*) printf '%s\\n' 'starving-slate enforce' ;;
esac
`,
  );
  chmodSync(join(folder, 'ivs-autopilot'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs each line's words through a shell, with the cursor at the last word; returns what the shell offers for each. */
function offers(shell: string, lines: readonly (readonly string[])[]): string[][] {
  const script = join(folder, `completion.${shell}`);
  writeFileSync(script, scriptFor(shell, completionTable(program)));
  const drivers: Record<string, string> = {
    bash: `source '${script}'
${lines
  .map((words) => {
    // Split as readline does.
    const cut = words.flatMap((word) => word.split(/([=:])/).filter((part, index) => part !== '' || index === 0));
    return `COMP_WORDS=(${cut.map(quote).join(' ')}); COMP_CWORD=${cut.length - 1}; _ivs_autopilot; printf '%s\\t' "\${COMPREPLY[@]}"; echo`;
  })
  .join('\n')}`,
    zsh: `source '${script}'
compset() { prefix=1 }
_files() { print -n -- '@files\t' }
compadd() { while [[ $1 != -- ]]; do shift; done; shift; for each in "$@"; do [[ $each == "\${words[CURRENT]#--*=}"* ]] && print -n -- "$each\t"; done; }
${lines.map((words) => `words=(${words.map(quote).join(' ')}); CURRENT=${words.length}; _ivs_autopilot; print`).join('\n')}`,
    fish: `source '${script}'
${lines.map((words) => `complete -C '${words.join(' ').replaceAll("'", "\\'")}' | string replace -r '\\t.*' '' | string join \\t; or true; echo`).join('\n')}`,
  };
  const driver = join(folder, `driver.${shell}`);
  writeFileSync(driver, drivers[shell]!);
  const args = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] }[shell]!;
  const { stdout, stderr, status } = spawnSync(shell, [...args, driver], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: `${folder}:${process.env['PATH']}`, HOME: folder, LANG: 'C.UTF-8' },
  });
  expect({ shell, stderr, status }).toEqual({ shell, stderr: '', status: 0 });
  const answers = stdout.split(shell === 'fish' ? /\n(?=)/ : '\n');
  return (shell === 'fish' ? fishAnswers(answers) : answers.slice(0, lines.length)).map((line) =>
    line.split('\t').filter((word) => word !== ''),
  );
}

/** fish prints an additional line after each non-empty answer. */
function fishAnswers(lines: readonly string[]): string[] {
  return lines
    .join('\n')
    .replaceAll(/(?<=.)\n\n/g, '\n')
    .split('\n')
    .slice(0, -1);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

describe.each(shells)('completion in %s', (shell) => {
  const isInstalled = spawnSync(shell, ['--version']).status === 0;
  if (!isInstalled) {
    it(`is generated, but not tried because ${shell} is not installed`, () => {
      console.warn(`completion in ${shell} was not tried: it is not installed here`);
      expect(scriptFor(shell, completionTable(program))).toContain('completion --names');
    });
    return;
  }

  it('offers every command and every option, read from the program', () => {
    const found = offers(
      shell,
      commands.flatMap(({ words }) => [
        [...words, ''],
        [...words, '--'],
      ]),
    );

    for (const [index, { words, command }] of commands.entries()) {
      const visible = command.commands.filter((inner) => !(inner as unknown as { _hidden: boolean })._hidden);
      expect({ words, offered: found[2 * index]! }).toEqual({
        words,
        offered: expect.arrayContaining(visible.map((inner) => inner.name())),
      });
      const options = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long);
      expect({ words, offered: found[2 * index + 1]! }).toEqual({
        words,
        offered: expect.arrayContaining([...options, '--help', '--url', '--token-file', '--as']),
      });
    }
  });

  it('offers the words that an option takes, names from the daemon, and files', () => {
    const found = offers(shell, [
      ['ivs-autopilot', 'run', '--role', ''],
      ['ivs-autopilot', 'run', '--role=a'],
      ['ivs-autopilot', 'hold', 'st'],
      ['ivs-autopilot', 'explain', ''],
      ['ivs-autopilot', 'explain', 'starving-slate', 's'],
      ['ivs-autopilot', '--url', 'http://x:1', 'metadata', 'send', '--lane', 'urgent', '--channel', 'studio-a', 's'],
      ['ivs-autopilot', 'metadata', 'send', '--channel', 'studio-a', '--la'],
      ['ivs-autopilot', 'report', 's'],
      ['ivs-autopilot', 'hold', 'studio-a', '--reason', ''],
      ['ivs-autopilot', 'completion', 'f'],
    ]);

    const withoutPrefix = found.map((words) => words.map((word) => word.replace('--role=', '')));
    expect(withoutPrefix).toEqual([
      expect.arrayContaining(['all', 'api', 'worker']),
      expect.arrayContaining(['all', 'api']),
      ['studio-a', 'studio-b'],
      ['starving-slate'],
      ['studio-a', 'studio-b'],
      ['studio-a', 'studio-b'],
      ['--lane'],
      ['studio-a', 'studio-b'],
      [],
      ['fish'],
    ]);
  });

  it('offers files where a file is expected', () => {
    const [found] = offers(shell, [['ivs-autopilot', 'validate', shell === 'zsh' ? '' : 'dri']]);

    expect(found).toContain(shell === 'zsh' ? '@files' : `driver.${shell}`);
  });

  it('never executes the name of a channel', () => {
    offers(shell, [['ivs-autopilot', 'hold', '']]);

    expect(() => rmSync(join(folder, 'run'))).toThrow('ENOENT');
  });
});

describe('the names that the scripts ask for', () => {
  const channel = (id: string, name: string) => ({ arn: `arn:aws:ivs:us-west-2:111122223333:channel/${id}`, name });
  const server = createServer((request, response) => {
    if (request.url!.startsWith('/silent')) return;
    if (request.url!.startsWith('/v1/channels'))
      response.end(
        JSON.stringify({
          channels: [
            channel('a1', 'studio-a'),
            channel('b1', 'twice'),
            channel('b2', 'twice'),
            channel('c1', 'x; rm y'),
          ],
        }),
      );
    else response.end(JSON.stringify({ rules: [{ name: 'starving-slate', mode: 'enforce' }] }));
  });
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const run = async (...args: string[]) => {
    const lines: string[] = [];
    const code = await runCli(['node', 'ivs-autopilot', 'completion', ...args], {
      print: (line) => void lines.push(line),
      printError: (line) => void lines.push(line),
      env: {},
      signal: new AbortController().signal,
    });
    return { code, lines: lines.filter((line) => line !== '') };
  };

  it('are names, or ids for ambiguous names, and contain nothing that a shell could interpret', async () => {
    expect(await run('--names', 'channels', '--url', url)).toEqual({
      code: 0,
      lines: ['studio-a a1', 'b1 twice', 'b2 twice', 'c1 x; rm y'],
    });
    expect(await run('--names', 'rules', '--url', url)).toEqual({ code: 0, lines: ['starving-slate enforce'] });
  });

  it('are empty if no daemon answers, or it answers slowly', async () => {
    expect(await run('--names', 'channels', '--url', 'http://127.0.0.1:9')).toEqual({ code: 0, lines: [] });
    expect(await run('--names', 'channels', '--url', `${url}/silent`)).toEqual({ code: 0, lines: [] });
  });

  it('refuses an unknown shell and names the nearest one', async () => {
    const { code, lines } = await run('fissh');

    expect(code).toBe(2);
    expect(lines.join(' ')).toContain('did you mean fish?');
  });
});
