// Which packages of package-lock.json belong on this machine, and whether node_modules has them, whoever installed them. Plain JavaScript
// for the host's Node (18 or newer).
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folders that `npm ci` makes here: those that are reached from the root without a package for other machines.
 * @param {Record<string, any>} packages of the lock file, by folder; '' is the root
 * @param {{ os: string, cpu: string, libc: string | undefined }} [machine]
 * @returns {string[]}
 */
export function foldersHere(packages, machine = thisMachine()) {
  const reached = new Set();
  const next = [''];
  for (let folder = next.pop(); folder !== undefined; folder = next.pop()) {
    const { dependencies, devDependencies, optionalDependencies, peerDependencies } = packages[folder];
    const kinds = [dependencies, optionalDependencies, peerDependencies, folder === '' ? devDependencies : undefined];
    for (const name of kinds.flatMap((kind) => Object.keys(kind ?? {}))) {
      const found = folderOf(packages, folder, name);
      if (found === undefined || reached.has(found) || !isFor(packages[found], machine)) continue;
      reached.add(found);
      next.push(found);
    }
  }
  return [...reached];
}

/** Where Node finds the package `name` for a module in `folder`. */
function folderOf(packages, folder, name) {
  for (let parent = folder; ; parent = parent.slice(0, Math.max(0, parent.lastIndexOf('/node_modules/')))) {
    const candidate = parent === '' ? `node_modules/${name}` : `${parent}/node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (parent === '') return undefined;
  }
}

/** As npm decides: each list names what is meant, or with "!" what is not. */
function isFor({ os, cpu, libc }, machine) {
  const allows = (list, value) => {
    if (list === undefined) return true;
    const all = [list].flat();
    if (value === undefined || all.includes(`!${value}`)) return false;
    return all.includes(value) || all.includes('any') || all.every((each) => each.startsWith('!'));
  };
  return allows(os, machine.os) && allows(cpu, machine.cpu) && allows(libc, machine.libc);
}

function thisMachine() {
  const glibc = process.platform === 'linux' && process.report?.getReport().header.glibcVersionRuntime;
  const libc = process.platform !== 'linux' ? undefined : glibc ? 'glibc' : 'musl';
  return { os: process.platform, cpu: process.arch, libc };
}

/**
 * Whether node_modules is what `npm ci` would make of the lock file. npm records what it has installed, as its last step, in
 * node_modules/.package-lock.json. https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json#hidden-lockfiles
 * @param {string} root the folder of package-lock.json
 * @param {Record<string, any>} packages of the lock file
 */
export function isInstalled(root, packages) {
  const here = foldersHere(packages);
  const recorded = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (recorded === undefined) return false;
  const same = (folder) =>
    recorded[folder]?.version === packages[folder].version &&
    recorded[folder]?.integrity === packages[folder].integrity;
  const onDisk = (folder) => manifestOf(join(root, folder))?.version === packages[folder].version;
  // npm may have been told to link no commands.
  const linked = (folder) =>
    folder.lastIndexOf('node_modules/') !== 0 ||
    Object.keys(packages[folder].bin ?? {}).every((name) => existsSync(join(root, 'node_modules', '.bin', name)));
  return (
    Object.keys(recorded).length === here.length &&
    here.every((folder) => same(folder) && onDisk(folder) && linked(folder))
  );
}

/** How many of `folders` are unpacked. */
export function unpacked(root, folders) {
  return folders.filter((folder) => existsSync(join(root, folder, 'package.json'))).length;
}

function packagesOf(file) {
  const { packages } = parsed(file) ?? {};
  return typeof packages === 'object' && packages !== null ? packages : undefined;
}

const manifestOf = (folder) => parsed(join(folder, 'package.json'));

function parsed(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Not there, or half-written.
    return undefined;
  }
}
