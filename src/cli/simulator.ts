// `simulator`: a local Amazon IVS. The command itself is the simulator's own (simulator/cli.ts).
import type { Command } from 'commander';
import { SimulatorCommandError, simulatorCommand } from '#simulator/cli.ts';
import { type CliIo, CommandFailed } from './support.ts';

export function register(program: Command, io: CliIo): void {
  program.addCommand(
    simulatorCommand({
      print: io.print,
      get signal() {
        return io.signal;
      },
    }),
  );
}

/** Returns the error for the user if it is one of the simulator's errors about usage. */
export function simulatorFailure(error: unknown): CommandFailed | undefined {
  return error instanceof SimulatorCommandError ? new CommandFailed(error.message) : undefined;
}
