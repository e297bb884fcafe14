#!/usr/bin/env node
// The command `ivs-autopilot`. In a checkout it goes through scripts/run.mjs, which sets the checkout up; installed from the package it
// runs dist/cli.js; in the container it runs the sources. Plain JavaScript for the host's Node: what follows runs on Node 24.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const checkout = join(root, 'scripts', 'run.mjs');
const built = join(root, 'dist', 'cli.js');

/** Runs a command line in this one's place. */
function become(command, args) {
  const child = spawn(command, args, { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // From a terminal the child gets it by itself, as a member of the same process group.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('error', (error) => {
    console.error(`could not start ${command}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)));
}

if (existsSync(checkout)) {
  become(process.execPath, [checkout, 'src/cli/main.ts', ...process.argv.slice(2)]);
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  // npm has put a Node 24 beside the package where there is a build of it for this machine.
  const name = process.platform === 'win32' ? 'node.cmd' : 'node';
  const node = [join(root, 'node_modules', '.bin', name), join(root, '..', '.bin', name)].find(existsSync);
  if (node) become(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
  else {
    console.error(
      `ivs-autopilot needs Node 24 or newer, and this is ${process.version}: install Node 24 and run it again.`,
    );
    process.exitCode = 1;
  }
} else {
  const entry = existsSync(built) ? built : join(root, 'src', 'cli', 'main.ts');
  const { runCli } = await import(pathToFileURL(entry).href);
  process.exitCode = await runCli(process.argv);
}
