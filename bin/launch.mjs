// Runs a command line in this one's place: its output, its exit code, its signals. Plain JavaScript for the host's Node (18 or newer).
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A signal to the process group, or a launcher before this one that hands it on, brings it several times at once. */
const sameSignalMs = 1_000;

/**
 * Starts the command and ends when it ends. Each signal is handed on once, however often it comes within a second; the child may
 * still get it from its process group as well.
 * @param {{ countsRepeats?: boolean, env?: Record<string, string | undefined> }} [options] countsRepeats: the child takes a signal
 *   that comes twice at once for one. A tool that does not would be forced to end by a Ctrl-C, which the terminal gives it anyway.
 */
export function become(command, args, { countsRepeats = true, env = process.env } = {}) {
  const child = spawn(command, args, { stdio: 'inherit', env });
  const handedOnAt = new Map();
  const handOn = (signal) => {
    if (performance.now() - (handedOnAt.get(signal) ?? Number.NEGATIVE_INFINITY) < sameSignalMs) return;
    handedOnAt.set(signal, performance.now());
    if (signal === 'SIGINT' && !countsRepeats && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, handOn);
  if (process.env.npm_lifecycle_event) {
    // npm tells its shell to end, and the shell tells nobody: that our parent is gone is all that is seen of it.
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      if (handedOnAt.size === 0) handOn('SIGTERM');
    }, 250).unref();
  }
  child.on('error', (error) => {
    console.error(`could not start ${command}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)));
}
