// Installs what a fresh machine lacks: npm packages, Node 24, the bundled page, a Redis-compatible server, Chromium (for the page's tests).
// Plain JavaScript for the host's Node (18 or newer). Each function is quick if there is nothing to do.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homebrewNode, nodeBuilds, nodePackage, verifiedNode } from '../bin/node-build.mjs';

/** The folder that holds package.json. */
export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** A problem that a person can solve; its message says how. */
export class SetupError extends Error {}

const say = (text) => console.error(`set-up: ${text}`);

/** How often progress is printed while the packages are installed. */
const progressMs = 5_000;

/** Runs `npm ci` if node_modules is missing or was made from another lock file; prints its progress. */
export async function ensurePackages() {
  const lockFile = join(packageRoot, 'package-lock.json');
  // An installed package (npm pack) has no lock file: npm has installed its packages already.
  if (!existsSync(lockFile)) return;
  const stamp = join(packageRoot, 'node_modules', '.package-lock.sha256');
  const lock = readFileSync(lockFile);
  const wanted = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('installing npm packages (npm ci), which takes a minute or two');
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const child = spawn(
    npm[0],
    [...npm.slice(1), 'ci', '--include=dev', '--include=optional', '--no-fund', '--no-audit', '--loglevel=error'],
    {
      cwd: packageRoot,
      // Standard output is reserved for the command.
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32' && npm.length === 1,
    },
  );
  const startedAt = Date.now();
  const progress = setInterval(
    () => say(`installing npm packages: ${installed(lock)}, ${Math.round((Date.now() - startedAt) / 1000)} s`),
    progressMs,
  );
  const status = await new Promise((resolve) => {
    child.on('error', () => resolve(undefined));
    child.on('exit', resolve);
  });
  clearInterval(progress);
  if (status !== 0)
    throw new SetupError(
      'npm ci failed (see above): check the network and the npm registry settings, then run this again.',
    );
  checkNode(join(packageRoot, 'node_modules'));
  writeFileSync(stamp, wanted);
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

/** @returns {string} the path of Node 24: npm's, else the one that runs this, else Homebrew's, installed if need be. */
export function ensureNode24() {
  const npms = join(packageRoot, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(npms)) return npms;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  return (
    homebrewNode() ??
    install({ brew: 'node@24' }, homebrewNode) ??
    fail(
      `Node 24 is needed, this is ${process.version}, and there is no build of it to install for ${process.platform} ${process.arch}: install Node 24 and run this again.`,
    )
  );
}

/** How many of the packages of a lock file have a folder already; those for other machines never will. */
function installed(lock) {
  const folders = Object.keys(JSON.parse(String(lock)).packages).filter((folder) => folder !== '');
  const there = folders.filter((folder) => existsSync(join(packageRoot, folder, 'package.json')));
  return `${there.length} of ${folders.length} are there`;
}

/**
 * Bundles the operator's page into dist/web when its sources, or the packages it is made with, have changed since.
 * @param {string} node24 the Node that runs TypeScript
 */
export function ensurePage(node24) {
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
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('bundling the operator’s page');
  const result = spawnSync(node24, [script, folder], { stdio: ['ignore', 2, 2] });
  if (result.status !== 0) fail('The operator’s page could not be bundled (see above).');
  writeFileSync(stamp, wanted);
}

/** @returns {string} the path of a Redis-compatible server program, installed if need be. */
export function ensureRedisServer() {
  const found = () => onPath('redis-server') ?? onPath('valkey-server');
  return (
    found() ??
    install({ apt: 'redis-server', dnf: 'valkey', apk: 'redis', pacman: 'valkey', brew: 'redis' }, found) ??
    fail(
      'No Redis-compatible server: install redis-server or valkey-server, or set REDIS_URL to a running one, then run this again.',
    )
  );
}

/** @returns {string} the path of a Chromium-compatible browser, installed if need be. */
export function ensureChromium() {
  const given = process.env.CHROME_PATH;
  if (given) return existsSync(given) ? given : fail(`CHROME_PATH names ${given}, which does not exist.`);
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  const found = () =>
    onPath('chromium') ?? onPath('chromium-browser') ?? onPath('google-chrome') ?? (existsSync(mac) ? mac : undefined);
  return (
    found() ??
    install({ apt: 'chromium', dnf: 'chromium', apk: 'chromium', pacman: 'chromium', brew: 'chromium' }, found) ??
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

/** Tries the system's package manager, if it has the package; `found` says whether the program exists afterwards. */
function install(packageBy, found) {
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
        ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', packageBy.apt],
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
  say(`installing ${manager.name} with ${manager.program}`);
  for (const step of manager.steps) {
    const [command, ...rest] = manager.asRoot ? [...sudo, ...step] : step;
    spawnSync(command, rest, { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  }
  return found();
}
