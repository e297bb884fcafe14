// The command `simulator`: only its options, and nothing needed to run a simulator, so that the program's command line is small and works
// where the simulator itself was left out (the daemon's image). Signals, exit codes and streams are passed in, so the program's command
// line and main.ts share it.

import { Command, InvalidArgumentError, Option } from 'commander';
import { builtInScenarios, type Flags, SimulatorCommandError, type SimulatorIo } from './flags.ts';

export { SimulatorCommandError } from './flags.ts';

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function speed(text: string): number {
  const parsed = Number(text);
  if (!(parsed >= 0)) throw new InvalidArgumentError('It must be a number, 0 or more.');
  return parsed;
}

/** The command, to be added to a program or parsed alone. Its action resolves when `io.signal` is aborted. */
export function simulatorCommand(io: SimulatorIo): Command {
  return new Command('simulator')
    .description('run a local Amazon IVS: control plane, quotas, virtual encoders, events')
    .option('--port <n>', 'port to listen on; 0 takes a free one', whole, 4599)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--region <name>', 'Region it pretends to be', 'us-west-2')
    .option('--account <id>', 'account it pretends to be', '111122223333')
    .option('--channels <n>', 'channels to make at the start; with a scenario, the size of its first group', whole)
    .option('--live <n>', 'how many of them go live at once', whole)
    .option('--scenario <name or file>', `play a scenario: a YAML file, or ${builtInScenarios().join(', ')}`)
    .option('--queue-url <url>', 'SQS queue that gets every IVS event')
    .option('--sqs-endpoint <url>', 'SQS endpoint for queues on a stand-in (default: from the queue URL, else AWS)')
    .option('--sqs', 'start an SQS stand-in with a queue `ivs-events` in this process')
    .option('--sqs-port <port>', 'where it listens, on the same host (0: a free one)', whole, 0)
    .addOption(
      new Option('--quota <how>', 'how call rates are enforced')
        .choices(['sliding-window', 'token-bucket', 'off'])
        .default('sliding-window'),
    )
    .option('--concurrent-streams <n>', 'how many streams may be live at once (default: 100, the service quota)', whole)
    .addOption(
      new Option('--timings <which>', 'how long things take').choices(['realistic', 'quick']).default('realistic'),
    )
    .option('--speed <x>', 'simulated seconds per real one; 0 is a clock that only the control API moves', speed, 1)
    .option('--seed <text>', 'repeat a run: all ids and dice come from it')
    .option('--json', 'print the addresses as one line of JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ ivs-autopilot simulator --channels 200 --live 40 --sqs --scenario mass-starvation\n',
    )
    .action(async (flags: Flags) => (await loadRun()).runSimulator(flags, io));
}

/** @throws SimulatorCommandError if the simulator was left out */
async function loadRun(): Promise<typeof import('./run.ts')> {
  try {
    return await import('./run.ts');
  } catch (error) {
    const { code, url } = error as NodeJS.ErrnoException & { readonly url?: string };
    if (code !== 'ERR_MODULE_NOT_FOUND' || !url?.endsWith('/run.ts')) throw error;
    throw new SimulatorCommandError(
      'the simulator is not part of this image: use the image ivs-autopilot-simulator (target `simulator` of the Dockerfile), or `npx ivs-autopilot simulator`',
    );
  }
}
