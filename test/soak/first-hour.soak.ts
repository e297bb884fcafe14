// Runs docs/first-hour.md: every command in its order, against a real simulator and a real daemon with its own Redis, in an initially empty
// folder. Ports and the folder are this test's; what the document shows of an answer must be in the answer.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lastingPort } from '#test/support/ports.ts';

const root = join(import.meta.dirname, '..', '..');

interface Fence {
  readonly language: string;
  readonly text: string;
}

/** A command, and the lines that the document shows of its answer. */
interface Command {
  readonly command: string;
  readonly shown: readonly string[];
}

function commandsOf(text: string): Command[] {
  return text
    .replaceAll(/\\\n\s*/g, ' ')
    .split(/^\$ /m)
    .slice(1)
    .map((each) => {
      const [command = '', ...shown] = each.trimEnd().split('\n');
      return { command: command.replace(/\s+#\s.*$/, '').trim(), shown };
    });
}

const literal = (text: string) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);

/** Whether the shown lines are among the printed ones, in order; `…` stands for anything. */
function isIn(shown: readonly string[], said: string): boolean {
  const lines = said.split('\n');
  let from = 0;
  for (const line of shown.filter((each) => each.trim() !== '…' && each.trim() !== '')) {
    const parts = line
      .trim()
      .split(/…/)
      .map((part) => part.trim().split(/\s+/).map(literal).join(String.raw`\s+`));
    const pattern = new RegExp(parts.join('.*'));
    const at = lines.findIndex((one, index) => index >= from && pattern.test(one));
    if (at < 0) return false;
    from = at + 1;
  }
  return true;
}

/** A command that only reads may be repeated until it shows what the document shows. */
const looks =
  /^(?:ivs-autopilot (?:stream|decision|alert|channel) (?:list|show)|ivs-autopilot (?:explain|status)|curl -s [^-])/;
/** A command that runs until it is stopped. */
const stays = /^(?:ivs-autopilot simulator|npm start)/;
/** What was done before: this checkout has its packages. */
const before = /^(?:git clone|cd |npm run demo)/;

test('every command of the tutorial does what the tutorial says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-first-hour-'));
  const ports = new Map<string, number>();
  for (const port of ['4599', '4566', '8080']) ports.set(port, await lastingPort());
  const here = (text: string) => text.replaceAll(/\b(4599|4566|8080)\b/g, (port) => String(ports.get(port)));
  const document = await readFile(join(root, 'docs', 'first-hour.md'), 'utf8');
  const fences: Fence[] = Array.from(
    document.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm),
    ([, language = '', text = '']) => ({
      language,
      text,
    }),
  );
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: folder };
  const config = join(folder, 'data', 'first-hour', 'autopilot.yaml');
  const staying: { child: ChildProcess; said: string[] }[] = [];
  const real = (command: string) =>
    here(command)
      .replace(/^ivs-autopilot /, `'${process.execPath}' '${join(root, 'bin', 'ivs-autopilot.mjs')}' `)
      .replace(/^npm start/, `'${process.execPath}' '${join(root, 'scripts', 'run.mjs')}' --redis src/main.ts`);
  const start = (command: string) => {
    const child = spawn('bash', ['-c', `exec ${real(command)}`], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(String(chunk)));
    return { child, said };
  };
  let done = 0;
  try {
    for (const { language, text } of fences) {
      if (language === 'sh') {
        for (const [, name, value] of text.matchAll(/\b([A-Z_]+)=(\S+)/g))
          env[name!] = here(value!).replaceAll(/\$([A-Z_]+)/g, (_, other: string) => env[other]!);
      } else if (language === 'yaml rule') {
        const whole = await readFile(config, 'utf8');
        await writeFile(config, whole.replace(/^rules:\n/m, `rules:\n${text.replaceAll(/^(?=.)/gm, '  ')}\n`));
      } else if (language.startsWith('yaml test')) {
        await writeFile(config.replace(/\.yaml$/, '.test.yaml'), text);
      } else if (language === 'console') {
        for (const { command, shown } of commandsOf(text)) {
          if (before.test(command)) continue;
          done += 1;
          if (stays.test(command)) {
            const one = start(command);
            staying.push(one);
            await expect
              .poll(() => isIn(shown.map(here), one.said.join('')), { message: command, timeout: 120_000 })
              .toBe(true);
            continue;
          }
          const run = async () => {
            const { child, said } = start(command);
            const [code] = (await once(child, 'close')) as [number | null];
            return { code, said: said.join('') };
          };
          let last = await run();
          const deadline = performance.now() + 300_000;
          while (looks.test(command) && !isIn(shown.map(here), last.said) && performance.now() < deadline) {
            await new Promise((wait) => setTimeout(wait, 1_000));
            last = await run();
          }
          expect([command, last.code, isIn(shown.map(here), last.said) ? 'as shown' : last.said]).toEqual([
            command,
            0,
            'as shown',
          ]);
        }
      }
    }
    expect(done).toBeGreaterThan(15);
  } finally {
    for (const { child } of staying.toReversed()) {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  }
});
