// The Node 24 that npm brings as an optional dependency: which package has it for this machine, and whether its program is the one that
// node-builds.json names. Where npm has none that we use, Homebrew's node@24. Plain JavaScript for the host's Node (18 or newer).
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @returns {Record<string, { version: string, program: string, sha256: string }>} by the package's name: its version, the program in it,
 *   and the SHA-256 of that program
 */
export function nodeBuilds() {
  return JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), 'node-builds.json'), 'utf8'));
}

/** @returns {string | undefined} the name of the package that has Node for a machine; undefined where we use none. */
export function nodePackage(platform = process.platform, arch = process.arch) {
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
  return Object.hasOwn(nodeBuilds(), name) ? name : undefined;
}

/**
 * @param {string} name of the package
 * @param {string} folder where it is installed
 * @returns {string} the path of its program
 * @throws {Error} when the version or the program is another one than node-builds.json names
 */
export function verifiedNode(name, folder, builds = nodeBuilds()) {
  const { version, program, sha256 } = builds[name];
  const installed = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
  if (installed !== version)
    throw new Error(`${name} has version ${installed} here, and ${version} is the one that was checked`);
  const file = join(folder, program);
  const found = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (found !== sha256)
    throw new Error(`${file} has the SHA-256 ${found}, and that of ${name} ${version} is ${sha256}`);
  return file;
}

/** @returns {string | undefined} the path of Homebrew's node@24, which Homebrew keeps out of the search path. */
export function homebrewNode(path = process.env.PATH ?? '') {
  const prefixes = path
    .split(delimiter)
    .filter((folder) => folder !== '' && existsSync(join(folder, 'brew')))
    .map(dirname);
  const files = [...prefixes, '/opt/homebrew', '/usr/local'].map((prefix) =>
    join(prefix, 'opt', 'node@24', 'bin', 'node'),
  );
  return files.find((file) => existsSync(file));
}
