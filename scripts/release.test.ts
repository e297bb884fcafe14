import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deployFiles, headingOf, notesOf, npmTag, released, versionsIn, withVersion } from './release.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const changelog = '# Changelog\n\n## Unreleased\n\n- **New**: a thing.\n\n## 0.1.0 - 2026-11-01\n\nFirst version.\n';

describe('a release', () => {
  test('moves the unreleased entries under its own heading, and leaves an empty Unreleased', () => {
    const after = released(changelog, '0.2.0', '2026-12-01');

    expect([notesOf(after, 'Unreleased'), notesOf(after, '0.2.0'), notesOf(after, '0.1.0')]).toEqual([
      '',
      '- **New**: a thing.',
      'First version.',
    ]);
  });

  test('is refused a second time, and without anything to release', () => {
    expect(() => released(changelog, '0.1.0', '2026-12-01')).toThrow('has a part 0.1.0 already');
    const empty = released(changelog, '0.2.0', '2026-12-01');
    expect(() => released(empty, '0.3.0', '2026-12-02')).toThrow('nothing under Unreleased');
  });

  test('does not confuse a version with one that begins with it', () => {
    expect(notesOf('## 0.10.0 - 2026-12-01\n\nten\n', '0.1.0')).toBeUndefined();
    expect(notesOf('## 0.1.0-rc.1 - 2026-12-01\n\nrc\n', '0.1.0')).toBeUndefined();
  });

  test.each([
    ['0.2.0', '', '0.2.0'],
    ['0.2.0-rc.1', 'next', 'Unreleased'],
    ['1.0.0-0', 'next', 'Unreleased'],
    ['1.0.0+build-5', '', '1.0.0+build-5'],
  ])('%s goes to npm under the tag "%s", with the notes of %s', (version, tag, heading) => {
    expect([npmTag(version), headingOf(version)]).toEqual([tag, heading]);
  });

  test('writes only our own version into manifests', () => {
    const text =
      'image: registry.example.com/ivs-autopilot:0.1.0\nimage: redis:7.4.1\nversion: 0.1.0\nappVersion: "0.1.0"\napiVersion: 1.2.3\n';

    expect(withVersion(text, '0.2.0-rc.1')).toBe(
      'image: registry.example.com/ivs-autopilot:0.2.0-rc.1\nimage: redis:7.4.1\nversion: 0.2.0-rc.1\nappVersion: "0.2.0-rc.1"\napiVersion: 1.2.3\n',
    );
  });
});

describe('this checkout', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };

  test('has the same version everywhere in deploy/', () => {
    const found = deployFiles().flatMap((file) =>
      versionsIn(readFileSync(file, 'utf8')).map((one) => [relative(root, file), one]),
    );

    expect(found.length).toBeGreaterThan(3);
    expect(found.filter(([, one]) => one !== version)).toEqual([]);
  });

  test('has a changelog that begins with Unreleased', () => {
    expect(/^## (.*)$/m.exec(read('CHANGELOG.md'))?.[1]).toBe('Unreleased');
  });
});
