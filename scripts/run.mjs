#!/usr/bin/env node
// Makes this checkout ready to run, then runs one command on Node 24: `node scripts/run.mjs [--redis] [--chromium] <file.ts | tool> [args]`.
// Plain JavaScript for the host's Node (18 or newer): it runs before any package is installed.
import { delimiter, dirname, join } from 'node:path';
import { become } from '../bin/launch.mjs';
import {
  endSetup,
  ensureChromium,
  ensureNode24,
  ensurePackages,
  ensurePage,
  ensureRedisServer,
  packageRoot,
  SetupError,
} from './setup.mjs';

const args = process.argv.slice(2);
const wants = { redis: false, chromium: false };
while (args[0] === '--redis' || args[0] === '--chromium') wants[args.shift().slice(2)] = true;

const bin = join(packageRoot, 'node_modules', '.bin');
const runsDaemon = (target) => ['src/main.ts', 'src/cli/main.ts'].includes(target);

/** @returns {string[]} the command line to start, Node 24 first where the target is a script of ours. */
function commandLine(node24) {
  const [target, ...rest] = args;
  // src/runtime/heap-growth.ts says why.
  const flags = runsDaemon(target) ? ['--max-semi-space-size=4', '--v8-pool-size=1'] : [];
  if (/\.(ts|mjs)$/.test(target)) return [node24, ...flags, join(packageRoot, target), ...rest];
  return [node24, join(bin, target), ...rest];
}

/** Whether the target runs a daemon, which serves the page. */
function servesPage(target) {
  return target === 'vitest' || /^(src|demo|bench)\//.test(target);
}

try {
  if (args.length === 0)
    throw new SetupError('usage: node scripts/run.mjs [--redis] [--chromium] <file.ts | tool> [args]');
  await ensurePackages();
  const node24 = await ensureNode24();
  if (servesPage(args[0])) await ensurePage(node24);
  // Child processes of the command that start `node` get Node 24 too, wherever it came from.
  const env = { ...process.env, PATH: [...new Set([bin, dirname(node24)]), process.env.PATH].join(delimiter) };
  // The demo runs a Redis of its own in any case.
  if (wants.redis && (!env.REDIS_URL || args[0] === 'demo/main.ts'))
    env.AUTOPILOT_REDIS_SERVER = await ensureRedisServer();
  if (wants.chromium) env.CHROME_PATH = await ensureChromium();
  endSetup();
  // Sources are compiled once, not at every start: this is faster, and saves the daemon the compiler's memory.
  env.NODE_COMPILE_CACHE ||= join(packageRoot, 'node_modules', '.cache', 'node-compile');
  if (runsDaemon(args[0])) env.MALLOC_ARENA_MAX ||= '1';
  const [command, ...rest] = commandLine(node24);
  // Our own programs treat a signal that arrives twice at once as one; a tool may not.
  become(command, rest, { env, countsRepeats: /\.(ts|mjs)$/.test(args[0]) });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exit(1);
}
