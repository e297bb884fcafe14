// How soon is it useful? `npm run adoption`: from `git clone` to the first decision of the demo, with an empty npm cache and with a full
// one, and to the first rule of one's own that passes its test. The clones and the cache are in a temporary folder: the user's own cache is
// neither used nor emptied. It clones the last commit of this checkout, from disk.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeResult } from './report/results.ts';

const root = join(import.meta.dirname, '..');
const goalSeconds = { firstDecision: 90, firstRule: 600 };

/** A person's share is assumed: nobody was measured. */
const person = { wordsReadPerMinute: 200, charactersTypedPerMinute: 200, secondsPerPaste: 15 };

interface Figure {
  readonly what: string;
  readonly seconds: number;
  readonly goalSeconds?: number;
}

export async function run(args: string[]): Promise<void> {
  if (args.length > 0) throw new Error('usage: npm run adoption');
  const folder = mkdtempSync(join(tmpdir(), 'autopilot-adoption-'));
  const env = newcomer(join(folder, 'npm-cache'));
  const machine = machineOf(env);
  console.log(`npm run adoption: ${machine}`);
  const loads = [loadavg()[0]!];
  const figures: Figure[] = [];
  const took = (what: string, seconds: number, goal?: number) => {
    figures.push({ what, seconds, ...(goal === undefined ? {} : { goalSeconds: goal }) });
    loads.push(loadavg()[0]!);
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${goal === undefined ? '' : `(goal ${goal} s) `}${what}`);
  };
  // A terminal's Ctrl-C does not reach other process groups: the running command is ended, which ends the bench and removes its folder.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      isInterrupted = true;
      running.forEach(interrupt);
    });
  try {
    took(
      'clone to first decision, empty npm cache',
      await firstDecision(join(folder, 'cold'), env),
      goalSeconds.firstDecision,
    );
    took(
      'clone to first decision, packages in npm’s cache',
      await firstDecision(join(folder, 'cached'), env),
      goalSeconds.firstDecision,
    );
    const { machineSeconds, readSeconds, typedSeconds, pastedSeconds } = await firstRule(join(folder, 'rule'), env);
    took('clone to a tested rule of one’s own, commands alone, packages in npm’s cache', machineSeconds);
    took(
      `assumed: reading the README’s beginning and the tutorial up to the rule, ${person.wordsReadPerMinute} words a minute`,
      readSeconds,
    );
    took(`assumed: typing the commands, ${person.charactersTypedPerMinute} characters a minute`, typedSeconds);
    took(`assumed: pasting the rule and its test, ${person.secondsPerPaste} s each`, pastedSeconds);
    took(
      'clone to a tested rule of one’s own, in all',
      machineSeconds + readSeconds + typedSeconds + pastedSeconds,
      goalSeconds.firstRule,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const load = loads.map((one) => one.toFixed(1)).join(', ');
  console.log(`load of the machine (1 min) before and after each: ${load}`);
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim();
  const result = {
    at: new Date().toISOString(),
    command: 'npm run adoption',
    commit,
    machine,
    load,
    assumed: person,
    figures,
  };
  console.log(`figures in ${writeResult('adoption.json', result)}`);
  const missed = figures.filter(({ seconds, goalSeconds: goal }) => goal !== undefined && seconds > goal);
  for (const { what } of missed) console.error(`goal missed: ${what}`);
  if (missed.length > 0) process.exitCode = 1;
}

/** The environment of a newcomer: nothing of this checkout, an npm cache of its own, no Redis. */
function newcomer(cache: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_registry)|NODE_COMPILE_CACHE$|REDIS_URL$|AUTOPILOT_|INIT_CWD$)/i.test(name),
  );
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((each) => !each.includes('node_modules') && !each.includes('node-gyp-bin'))
    .join(delimiter);
  return { ...Object.fromEntries(own), PATH: path, npm_config_cache: cache };
}

async function firstDecision(clone: string, env: NodeJS.ProcessEnv): Promise<number> {
  const startedAt = performance.now();
  await done(start('git', ['clone', '--quiet', root, clone], { cwd: tmpdir(), env }));
  const demo = start('npm', ['run', 'demo'], { cwd: clone, env });
  const gone = done(demo).catch(() => undefined);
  const lines: string[] = [];
  const decided = Promise.withResolvers<number>();
  createInterface(demo.stdout!).on('line', (line) => {
    lines.push(line);
    if (/ s {2}decides /.test(line)) decided.resolve((performance.now() - startedAt) / 1000);
  });
  void gone.then(() => decided.reject(new Error(`the demo ended without a decision:\n${lines.join('\n')}`)));
  try {
    return await decided.promise;
  } finally {
    // As Ctrl-C does: every process of the demo's group.
    interrupt(demo);
    await gone;
  }
}

/** Runs the commands for the tutorial's rule in a new clone, and counts what a person reads, types and pastes. */
async function firstRule(
  clone: string,
  env: NodeJS.ProcessEnv,
): Promise<{ machineSeconds: number; readSeconds: number; typedSeconds: number; pastedSeconds: number }> {
  let machineSeconds = 0;
  let typed = 0;
  const execute = async (command: string, cwd: string) => {
    const startedAt = performance.now();
    await done(start('sh', ['-c', command], { cwd, env }));
    machineSeconds += (performance.now() - startedAt) / 1000;
    typed += command.length;
  };
  await execute(`git clone --quiet '${root}' '${clone}'`, tmpdir());
  const config = 'data/first-hour/autopilot.yaml';
  const program = 'npm run --silent cli --';
  await execute(`${program} init ${config}`, clone);
  const tutorial = readFileSync(join(clone, 'docs', 'first-hour.md'), 'utf8');
  const block = (kind: string) =>
    new RegExp(`^\`\`\`yaml ${kind}[^\\n]*\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(tutorial)![1]!;
  const pasted = [block('rule'), block('test')] as const;
  const [rule, tests] = pasted;
  const file = join(clone, config);
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(/^rules:\n/m, `rules:\n${rule.replaceAll(/^(?=.)/gm, '  ')}\n`),
  );
  mkdirSync(join(clone, 'data', 'first-hour'), { recursive: true });
  writeFileSync(file.replace(/\.yaml$/, '.test.yaml'), tests);
  await execute(`${program} validate ${config}`, clone);
  await execute(`${program} test ${config}`, clone);
  // Up to the commands to start with, and up to the rule.
  const readme = readFileSync(join(clone, 'README.md'), 'utf8');
  const end = readme.indexOf('## What else you could use');
  if (end === -1) throw new Error('README.md no longer has the heading that ends its beginning');
  const introduction = readme.slice(0, end);
  const words = `${introduction} ${tutorial.split('## 8.')[0]}`.split(/\s+/).length;
  return {
    machineSeconds,
    readSeconds: (words / person.wordsReadPerMinute) * 60,
    typedSeconds: (typed / person.charactersTypedPerMinute) * 60,
    pastedSeconds: pasted.length * person.secondsPerPaste,
  };
}

const running = new Set<ChildProcess>();
let isInterrupted = false;

function interrupt(child: ChildProcess): void {
  if (running.has(child)) process.kill(-child.pid!, 'SIGINT');
}

/** A command in a process group of its own. */
function start(
  command: string,
  args: readonly string[],
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): ChildProcess {
  if (isInterrupted) throw new Error('interrupted');
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  child.once('spawn', () => running.add(child)).once('exit', () => running.delete(child));
  return child;
}

/**
 * Resolves when the command and all processes that hold its output have ended.
 * @throws Error with its output if it failed
 */
async function done(child: ChildProcess): Promise<void> {
  const said: string[] = [];
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => said.push(String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code}:\n${said.join('').slice(-4_000)}`);
}

function machineOf(env: NodeJS.ProcessEnv): string {
  const said = (command: string, args: readonly string[]) =>
    spawnSync(command, args, { encoding: 'utf8', env }).stdout?.trim();
  const redis = /v=(\S+)/.exec(said('redis-server', ['--version']) ?? '')?.[1];
  return [
    `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    `${Math.round(totalmem() / 1024 ** 3)} GB`,
    `${process.platform} ${process.arch}`,
    `Node ${said('node', ['--version'])} with npm ${said('npm', ['--version'])} to begin with`,
    redis ? `Redis ${redis} installed before` : 'no Redis installed before',
  ].join(', ');
}
