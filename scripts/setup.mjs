// Installs what a fresh machine lacks: npm packages, Node 24, the bundled page, a Redis-compatible server, Chromium (for the page's tests).
// Plain JavaScript for the host's Node (18 or newer). Each function is quick if there is nothing to do; otherwise it waits until no other
// process sets this checkout up, and then looks again what is left to do.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homebrewNode, nodeBuilds, nodePackage, verifiedNode } from '../bin/node-build.mjs';
import { foldersHere, isInstalled, unpacked } from './installed-packages.mjs';
import { SetupLock } from './setup-lock.mjs';

/** The folder that holds package.json. */
export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** A problem that a person can solve; its message says how. */
export class SetupError extends Error {}

const say = (text) => console.error(`set-up: ${text}`);

/** How often progress is printed while the packages are installed. */
const progressMs = 5_000;

const lock = new SetupLock(packageRoot);

/** Waits for its turn to change this checkout. */
async function turn() {
  try {
    await lock.hold((pid) => say(`another command is setting up (process ${pid}); waiting for it`));
  } catch (error) {
    fail(`${packageRoot} cannot be set up: ${error.message}`);
  }
}

/** Lets another command set this checkout up. */
export function endSetup() {
  lock.release();
}

/** Runs `npm ci` unless node_modules is what the lock file asks for, whoever installed it. */
export async function ensurePackages() {
  const lockFile = join(packageRoot, 'package-lock.json');
  // An installed package (npm pack) has no lock file: npm has installed its packages already.
  if (!existsSync(lockFile)) return;
  const modules = join(packageRoot, 'node_modules');
  const stamp = join(modules, '.package-lock.sha256');
  const text = readFileSync(lockFile);
  const wanted = createHash('sha256').update(text).digest('hex');
  if (holds(stamp, wanted)) return;
  await turn();
  if (holds(stamp, wanted)) return;
  const { packages } = JSON.parse(String(text));
  if (!isInstalled(packageRoot, packages)) {
    rmSync(stamp, { force: true });
    await installPackages(foldersHere(packages));
  }
  checkNode(modules);
  writeFileSync(stamp, wanted);
}

/** Whether a stamp says that the thing beside it was made from what is there now. */
function holds(stamp, wanted) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
}

/** Runs `npm ci`, and prints how many of the packages that belong in `folders` are unpacked. */
async function installPackages(folders) {
  say('installing npm packages (npm ci), which takes a minute or two');
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const startedAt = Date.now();
  const progress = setInterval(() => {
    const count = unpacked(packageRoot, folders);
    // npm asks the registry about all of them before it unpacks the first.
    const done = count === 0 ? `npm looks up ${folders.length}` : `${count} of ${folders.length} are there`;
    say(`installing npm packages: ${done}, ${Math.round((Date.now() - startedAt) / 1000)} s`);
  }, progressMs);
  const { failure, said } = await step(
    npm[0],
    [...npm.slice(1), 'ci', '--include=dev', '--include=optional', '--no-fund', '--no-audit', '--loglevel=error'],
    { cwd: packageRoot, shell: process.platform === 'win32' && npm.length === 1 },
  );
  clearInterval(progress);
  if (failure) fail(`npm ci failed (${failure}): ${npmAdvice(said)}, then run this again.`);
}

/** What to do about the error that npm names in what it wrote. */
export function npmAdvice(said) {
  const code = /npm (?:error|ERR!) code (\w+)/.exec(said)?.[1] ?? '';
  if (
    /^(ENOTFOUND|EAI_|ECONN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET|E[45]\d\d$|ETARGET)|CERT|SIGNATURE/.test(code)
  )
    return `${code} above: check the network and the npm registry settings`;
  if (code === 'ENOSPC') return `${code} above: free some disk space`;
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return `${code} above: check who may write in ${packageRoot}`;
  return 'mend what is said above';
}

/**
 * Runs a program as a step of the set-up. Standard output is reserved for the command that the set-up is for.
 * @returns {Promise<{ failure?: string, said: string }>} how it failed, if it did; the end of what it wrote to standard error
 */
async function step(program, args, options = {}) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 2, 'pipe'] });
  const unshare = child.pid === undefined ? () => undefined : lock.share(child.pid);
  let said = '';
  child.stderr?.on('data', (chunk) => {
    process.stderr.write(chunk);
    said = (said + String(chunk)).slice(-10_000);
  });
  const failure = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) =>
      resolve(code === 0 ? undefined : signal ? `ended by ${signal}` : `exit code ${code}`),
    );
  });
  unshare();
  return { failure, said };
}

/**
 * Deletes the Node that npm has just installed if it is not the program recorded in bin/node-builds.json, before anything runs on it.
 * @param {string} folder the node_modules that it is in
 * @throws {SetupError} then
 */
export function checkNode(folder, name = nodePackage(), builds = nodeBuilds()) {
  if (!name || !existsSync(join(folder, name))) return;
  try {
    verifiedNode(name, join(folder, name), builds);
  } catch (error) {
    for (const each of [name, '.bin/node', '.bin/node.cmd', '.bin/node.ps1'])
      rmSync(join(folder, each), { recursive: true, force: true });
    throw new SetupError(
      `${error.message}. It was deleted and has not been started. Do not use what npm brought here before you know why: docs/security.md says where this Node comes from.`,
    );
  }
}

/** @returns {Promise<string>} the path of Node 24: npm's, else the one that runs this, else Homebrew's, installed if need be. */
export async function ensureNode24() {
  const npms = join(packageRoot, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(npms)) return npms;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  return (
    homebrewNode() ??
    (await install({ brew: 'node@24' }, homebrewNode)) ??
    fail(
      `Node 24 is needed, this is ${process.version}, and there is no build of it to install for ${process.platform} ${process.arch}: install Node 24 and run this again.`,
    )
  );
}

/**
 * Bundles the operator's page into dist/web when its sources, or the packages it is made with, have changed since.
 * @param {string} node24 the Node that runs TypeScript
 */
export async function ensurePage(node24) {
  const sources = join(packageRoot, 'web');
  const script = join(packageRoot, 'scripts', 'page.ts');
  // An installed package contains the bundled page.
  if (!existsSync(join(sources, 'main.tsx')) || !existsSync(script)) return;
  const hash = createHash('sha256');
  const files = readdirSync(sources, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  const runbook = join(packageRoot, 'docs', 'operations.md');
  for (const file of [...files, script, runbook, join(packageRoot, 'package-lock.json')]) {
    if (existsSync(file)) hash.update(`${file}\0`).update(readFileSync(file));
  }
  const wanted = hash.digest('hex');
  const folder = join(packageRoot, 'dist', 'web');
  const stamp = join(folder, '.sources.sha256');
  if (holds(stamp, wanted)) return;
  await turn();
  if (holds(stamp, wanted)) return;
  say('bundling the operator’s page');
  const { failure } = await step(node24, [script, folder]);
  if (failure) fail(`The operator’s page could not be bundled (${failure}, see above).`);
  writeFileSync(stamp, wanted);
}

/** @returns {Promise<string>} the path of a Redis-compatible server program, installed if need be. */
export async function ensureRedisServer() {
  const found = () => onPath('redis-server') ?? onPath('valkey-server');
  return (
    found() ??
    (await install({ apt: 'redis-server', dnf: 'valkey', apk: 'redis', pacman: 'valkey', brew: 'redis' }, found)) ??
    fail(
      'No Redis-compatible server: install redis-server or valkey-server, or set REDIS_URL to a running one, then run this again.',
    )
  );
}

/** @returns {Promise<string>} the path of a Chromium-compatible browser, installed if need be. */
export async function ensureChromium() {
  const given = process.env.CHROME_PATH;
  if (given) return existsSync(given) ? given : fail(`CHROME_PATH names ${given}, which does not exist.`);
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  const found = () =>
    onPath('chromium') ?? onPath('chromium-browser') ?? onPath('google-chrome') ?? (existsSync(mac) ? mac : undefined);
  return (
    found() ??
    (await install(
      { apt: 'chromium', dnf: 'chromium', apk: 'chromium', pacman: 'chromium', brew: 'chromium' },
      found,
    )) ??
    fail(
      'No Chromium for the tests of the page: install chromium or google-chrome, or set CHROME_PATH, then run this again.',
    )
  );
}

function fail(message) {
  throw new SetupError(message);
}

function onPath(program) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not here
    }
  }
  return undefined;
}

/** Tries the system's package manager, if it has the package; `found` says whether the program exists, before and afterwards. */
async function install(packageBy, found) {
  const root = process.getuid?.() === 0;
  const sudo = root ? [] : onPath('sudo') ? ['sudo', '-n'] : undefined;
  const managers = [
    { program: 'brew', name: packageBy.brew, asRoot: false, steps: [['brew', 'install', packageBy.brew]] },
    {
      program: 'apt-get',
      name: packageBy.apt,
      asRoot: true,
      steps: [
        ['apt-get', 'update', '-qq'],
        // Another checkout may be using apt.
        ['apt-get', 'install', '-y', '-qq', '-o', 'DPkg::Lock::Timeout=600', '--no-install-recommends', packageBy.apt],
      ],
    },
    { program: 'dnf', name: packageBy.dnf, asRoot: true, steps: [['dnf', 'install', '-y', packageBy.dnf]] },
    { program: 'apk', name: packageBy.apk, asRoot: true, steps: [['apk', 'add', packageBy.apk]] },
    {
      program: 'pacman',
      name: packageBy.pacman,
      asRoot: true,
      steps: [['pacman', '-Sy', '--noconfirm', packageBy.pacman]],
    },
  ];
  const manager = managers.find(
    ({ program, name, asRoot }) => name !== undefined && onPath(program) && (!asRoot || sudo),
  );
  if (!manager) return undefined;
  await turn();
  if (found()) return found();
  say(`installing ${manager.name} with ${manager.program}`);
  for (const commandLine of manager.steps) {
    const [command, ...rest] = manager.asRoot ? [...sudo, ...commandLine] : commandLine;
    const { failure } = await step(command, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
    if (failure) say(`${commandLine.join(' ')} failed (${failure}, see above)`);
  }
  return found();
}
