#!/usr/bin/env node
// The command `ivs-autopilot`. In a checkout it goes through scripts/run.mjs, which sets the checkout up; installed from the package it
// runs dist/cli.js; in the container it runs the sources. Plain JavaScript for the host's Node: what follows runs on Node 24.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { become } from './launch.mjs';
import { homebrewNode, nodePackage, verifiedNode } from './node-build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const checkout = join(root, 'scripts', 'run.mjs');
const built = join(root, 'dist', 'cli.js');

/**
 * The Node 24 that npm has put beside the package, else Homebrew's.
 * @throws {Error} when npm's is not the program that was checked
 */
function nodeBeside() {
  const name = nodePackage();
  let manifest;
  try {
    manifest = name && createRequire(import.meta.url).resolve(`${name}/package.json`);
  } catch {
    // left out
  }
  return manifest ? verifiedNode(name, dirname(manifest)) : homebrewNode();
}

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  // Asked by scripts and by people who are in a hurry: nothing else is loaded, set up or started for it.
  console.log(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
} else if (existsSync(checkout)) {
  become(process.execPath, [checkout, 'src/cli/main.ts', ...args]);
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  try {
    const node = nodeBeside();
    if (!node) throw new Error(`this is ${process.version}`);
    // src/runtime/heap-growth.ts says why.
    const env = { MALLOC_ARENA_MAX: '1', ...process.env };
    become(node, ['--max-semi-space-size=4', '--v8-pool-size=1', fileURLToPath(import.meta.url), ...args], { env });
  } catch (error) {
    const how = process.platform === 'darwin' ? ' (brew install node@24)' : '';
    console.error(`ivs-autopilot needs Node 24 or newer: ${error.message}. Install Node 24${how} and run it again.`);
    process.exitCode = 1;
  }
} else {
  const entry = existsSync(built) ? built : join(root, 'src', 'cli', 'main.ts');
  const { runCli } = await import(pathToFileURL(entry).href);
  process.exitCode = await runCli(process.argv);
}
