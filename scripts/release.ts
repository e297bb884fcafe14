// `node scripts/release.ts version`: writes the version of package.json into deploy/ and gives the changelog's Unreleased part its
// heading (npm runs it within `npm version`). `node scripts/release.ts notes v0.2.0`: prints that version's part of the changelog.
// `node scripts/release.ts npm-tag`: prints `next` for a prerelease such as 0.2.0-rc.1, and an empty line for every other version.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEntry } from '#runtime/entry.ts';

const root = join(import.meta.dirname, '..');
const semver = String.raw`\d+\.\d+\.\d+(?:-[\w.]+)?`;

/** Where files of deploy/ contain our own version: a tag of our images, the chart's version and its appVersion. */
const ownVersion = new RegExp(
  String.raw`((?:ivs-autopilot(?:-simulator)?:|^(?:version|appVersion): "?|newTag: "?))${semver}`,
  'gm',
);

/** The text of a file of deploy/ with this version. */
export function withVersion(text: string, version: string): string {
  return text.replace(ownVersion, `$1${version}`);
}

/** Our versions in a file of deploy/. */
export function versionsIn(text: string): string[] {
  return Array.from(text.matchAll(ownVersion), ([found, before]) => found.slice(before!.length));
}

/**
 * The changelog with the unreleased entries under a heading of their own, below an empty Unreleased.
 * @throws Error if there is no Unreleased part, nothing in it, or already a part for this version
 */
export function released(changelog: string, version: string, date: string): string {
  if (notesOf(changelog, version) !== undefined) throw new Error(`CHANGELOG.md has a part ${version} already`);
  if (!notesOf(changelog, 'Unreleased')) throw new Error('CHANGELOG.md has nothing under Unreleased to release');
  return changelog.replace(/^## Unreleased$/m, `## Unreleased\n\n## ${version} - ${date}`);
}

/** Whether a version is a prerelease, such as 0.2.0-rc.1; what follows a `+` names a build. */
export function isPrerelease(version: string): boolean {
  return version.split('+')[0]!.includes('-');
}

/**
 * The tag under which npm offers a version: `next` for a prerelease, which `npm install ivs-autopilot` must not install. Otherwise none is
 * named, so that npm itself refuses to make an older version the latest.
 */
export function npmTag(version: string): string {
  return isPrerelease(version) ? 'next' : '';
}

/** The heading of the changelog that contains a version's entries: those of a prerelease stay under Unreleased. */
export function headingOf(version: string): string {
  return isPrerelease(version) ? 'Unreleased' : version;
}

/** The changelog's text for a version, or undefined if it has no such heading. */
export function notesOf(changelog: string, version: string): string | undefined {
  const parts = changelog.split(/^## /m).slice(1);
  const part = parts.find((text) => text.split(/[ \n]/)[0] === version);
  return part?.slice(part.indexOf('\n')).trim();
}

/** Files below deploy/ that are text. */
export function deployFiles(): string[] {
  const folder = join(root, 'deploy');
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((file) => statSync(file).isFile() && !file.includes(join(folder, 'secrets')));
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

function main([what, tag]: readonly string[]): number {
  const version = packageVersion();
  const changelogFile = join(root, 'CHANGELOG.md');
  const changelog = readFileSync(changelogFile, 'utf8');
  if (what === 'version') {
    if (!isPrerelease(version))
      writeFileSync(changelogFile, released(changelog, version, new Date().toISOString().slice(0, 10)));
    for (const file of deployFiles()) {
      const text = readFileSync(file, 'utf8');
      if (withVersion(text, version) !== text) writeFileSync(file, withVersion(text, version));
    }
    return 0;
  }
  if (what === 'notes' && tag !== undefined) {
    const notes = notesOf(changelog, headingOf(version));
    if (tag === `v${version}` && notes) {
      console.log(notes);
      return 0;
    }
    console.error(
      tag === `v${version}`
        ? `CHANGELOG.md has nothing under ${headingOf(version)}: \`npm version\` gives Unreleased the heading of a release`
        : `the tag ${tag} is not the version ${version} of package.json: tag the commit that \`npm version\` made`,
    );
    return 1;
  }
  if (what === 'npm-tag') {
    console.log(npmTag(version));
    return 0;
  }
  console.error('usage: node scripts/release.ts version | notes <tag> | npm-tag');
  return 2;
}

if (isEntry(process.argv[1], import.meta.filename)) process.exitCode = main(process.argv.slice(2));
