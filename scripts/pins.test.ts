import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commitOf, pinsOf, unpinned, withCommits, withDigest } from './pins.ts';

const commit = 'a'.repeat(40);
const other = 'b'.repeat(40);
const workflow = `steps:
  - uses: actions/checkout@${commit} # v5.0.0
  - uses: github/codeql-action/init@${commit} # v4.32.3
  - uses: ./.github/actions/own
  - uses: actions/cache@v4
  - uses: actions/cache@${commit}
  - uses: actions/cache@${commit} # v4
`;

test('finds what is pinned by commit with its tag, and names what is not', () => {
  expect(pinsOf(workflow).map(({ action, tag }) => `${action} ${tag}`)).toEqual([
    'actions/checkout v5.0.0',
    'github/codeql-action/init v4.32.3',
  ]);
  expect(unpinned(workflow)).toEqual([
    '- uses: actions/cache@v4',
    `- uses: actions/cache@${commit}`,
    `- uses: actions/cache@${commit} # v4`,
  ]);
});

test('writes another commit for one action and leaves the others unchanged', () => {
  const written = withCommits(workflow, new Map([['actions/checkout v5.0.0', other]]));

  expect(pinsOf(written).map((pin) => pin.commit)).toEqual([other, commit]);
});

test('writes a digest, replacing an existing one', () => {
  const digest = `sha256:${'1'.repeat(64)}`;
  const once = withDigest('ARG BASE=node:24-bookworm-slim\nFROM ${BASE}\n', digest);

  expect(once).toBe(`ARG BASE=node:24-bookworm-slim@${digest}\nFROM \${BASE}\n`);
  expect(withDigest(once, `sha256:${'2'.repeat(64)}`)).toContain('2'.repeat(64));
});

test('asks git for the commit behind a tag, lightweight or annotated, and reports when there is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'autopilot-pins-'));
  const repository = join(folder, 'acme', 'build');
  mkdirSync(repository, { recursive: true });
  const options: ExecFileSyncOptions = { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] };
  const git = (...args: string[]) =>
    String(execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], options)).trim();
  const before = { ...process.env };
  try {
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '--no-gpg-sign', '-m', 'one');
    git('tag', 'v1.0.0');
    git('tag', '--no-sign', '-a', 'v1.1.0', '-m', 'annotated');
    const head = git('rev-parse', 'HEAD');
    // Git asks this folder instead of the network.
    process.env['GIT_CONFIG_COUNT'] = '1';
    process.env['GIT_CONFIG_KEY_0'] = `url.file://${folder}/.insteadOf`;
    process.env['GIT_CONFIG_VALUE_0'] = 'https://github.com/';
    const pin = { action: 'acme/build/sub', commit, tag: 'v1.0.0' };

    expect([commitOf(pin), commitOf({ ...pin, tag: 'v1.1.0' })]).toEqual([head, head]);
    expect(() => commitOf({ ...pin, tag: 'v2.0.0' })).toThrow('acme/build/sub has no tag v2.0.0');
    expect(() => commitOf({ ...pin, action: 'acme/none' })).toThrow('git could not ask for acme/none');
  } finally {
    for (const name of ['GIT_CONFIG_COUNT', 'GIT_CONFIG_KEY_0', 'GIT_CONFIG_VALUE_0'])
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    rmSync(folder, { recursive: true, force: true });
  }
});
