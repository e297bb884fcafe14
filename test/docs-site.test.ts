// The documents as a site, checked without installing its generator: packages without hosts, and the check of the built site. That every
// document is in the navigation, and that links lead there, is checked by test/docs.test.ts.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { problemsOf } from '../docs-site/check.mjs';
import { anchorOf, sitePath, targetOf } from '../docs-site/navigation.mjs';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('its packages', () => {
  const manifest = JSON.parse(read('docs-site/package.json')) as { devDependencies: Record<string, string> };
  const lock = JSON.parse(read('docs-site/package-lock.json')) as {
    packages: Record<string, { version: string; resolved?: string; integrity?: string; devDependencies?: object }>;
  };

  test('are pinned, and are not packages of the main install', () => {
    const main = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
    for (const [name, version] of Object.entries(manifest.devDependencies)) {
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
      expect(lock.packages[`node_modules/${name}`]?.version).toBe(version);
      expect({ ...main['dependencies'], ...main['devDependencies'] }).not.toHaveProperty([name]);
    }
    expect(lock.packages['']!.devDependencies).toEqual(manifest.devDependencies);
  });

  test('each have a digest in the lock file, and no host', () => {
    const packages = Object.entries(lock.packages).filter(([folder]) => folder !== '');
    expect(packages.length).toBeGreaterThan(50);
    expect(packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([name]) => name)).toEqual([]);
    expect(read('docs-site/package-lock.json')).not.toMatch(
      /"resolved"|https?:\/\/(?!opencollective|github|paypal)[^"]*\.tgz/,
    );
  });
});

describe('a link of a document', () => {
  const site = {
    pages: new Set(['README.md', 'docs/rules.md', 'docs/decisions/README.md']),
    isFile: (path: string) => ['deploy/compose.yaml', 'docs/draft.md'].includes(path),
  };

  test.each([
    ['docs/rules.md', '#guards', { page: 'docs/rules.md', hash: '#guards' }],
    ['docs/rules.md', '../README.md', { page: 'README.md', hash: '' }],
    ['README.md', 'docs/rules.md#a', { page: 'docs/rules.md', hash: '#a' }],
    ['docs/decisions/README.md', '../rules.md', { page: 'docs/rules.md', hash: '' }],
    ['docs/rules.md', '../deploy/compose.yaml', { file: 'deploy/compose.yaml' }],
    // A document without a page would be a dead link.
    ['docs/rules.md', 'draft.md', undefined],
    ['docs/rules.md', 'gone.md', undefined],
    ['docs/rules.md', '../../elsewhere.md', undefined],
  ])('of %s to %s', (from, href, target) => {
    expect(targetOf(from, href, site)).toEqual(target);
  });

  test('leads to the index of a folder, and to headings by GitHub’s anchors', () => {
    expect([sitePath('README.md'), sitePath('docs/decisions/README.md'), sitePath('docs/rules.md')]).toEqual([
      'index.md',
      'docs/decisions/index.md',
      'docs/rules.md',
    ]);
    expect(anchorOf('States of a job, `x_y` & more')).toBe('states-of-a-job-x_y--more');
  });
});

describe('the check of the built site', () => {
  function built(files: Readonly<Record<string, string>>): string[] {
    const folder = mkdtempSync(join(tmpdir(), 'autopilot-site-'));
    try {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
      return problemsOf(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const whole = {
    'index.html':
      '<a href="/docs/rules.html#a&amp;b">r</a><link href="/style.css"><a href="https://example.com/">e</a>',
    'docs/rules.html': '<h2 id="a&amp;b">x</h2><a href="../">home</a><img src="data:image/png;base64,AA">',
    'style.css': 'a { background: url(/x.png) }',
  };

  test('has no findings if all links are valid and nothing is loaded from elsewhere', () => {
    expect(built(whole)).toEqual([]);
  });

  test.each([
    ['a page that is not there', { 'docs/a.html': '<a href="/gone.html">x</a>' }, 'docs/a.html leads to /gone.html'],
    ['a heading that is not there', { 'a.html': '<a href="/docs/rules.html#c">x</a>' }, 'there is no such heading'],
    ['a file that is not there', { 'a.html': '<a href="deploy/compose.yaml">x</a>' }, 'which is not there'],
    ['a script of another host', { 'a.html': '<script src="https://cdn.example.com/x.js"></script>' }, 'a.html loads'],
    ['a font of another host', { 'a.html': '<link rel="preconnect" href="//fonts.example.com">' }, 'a.html loads'],
    ['a picture of another host', { 'a.html': '<img alt="" src="https://example.com/x.png">' }, 'a.html loads'],
    [
      'an index of the search without a document',
      { 'assets/@localSearchIndexroot.1.js': 'const e=\'{"documentCount":0,"nextId":0}\'' },
      'the search finds nothing',
    ],
    ['a style that loads a font', { 'a.css': '@font-face { src: url("https://example.com/x.woff2") }' }, 'a.css loads'],
  ])('names %s', (_, files, problem) => {
    expect(built({ ...whole, ...files })).toEqual([expect.stringContaining(problem)]);
  });

  test('does not accept an empty folder as a site', () => {
    expect(built({ 'x.txt': '' })).toEqual([expect.stringContaining('has no page')]);
  });
});
