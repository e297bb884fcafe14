// The simulator as a process of its own: `node simulator/main.ts --help`.

import { CommanderError } from 'commander';
import { SimulatorCommandError, simulatorCommand } from './cli.ts';

/** A signal to the process group arrives twice, from the group and from the launcher: that is one request to end. */
const SAME_SIGNAL_MS = 1_000;

const ending = new AbortController();
let endingSince = Number.POSITIVE_INFINITY;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second signal does not wait for anything.
    if (performance.now() - endingSince > SAME_SIGNAL_MS) process.exit(130);
    if (ending.signal.aborted) return;
    endingSince = performance.now();
    ending.abort();
  });
}

const command = simulatorCommand({
  print: (line) => process.stdout.write(`${line}\n`),
  signal: ending.signal,
}).exitOverride();

try {
  await command.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof SimulatorCommandError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else throw error;
}
