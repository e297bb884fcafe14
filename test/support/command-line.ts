// The command line, run in the process of a test.
import { runCli } from '#src/cli/main.ts';
import type { CliIo } from '#src/cli/support.ts';

export interface Ran {
  readonly code: number;
  /** What was printed to standard output, and to standard error. */
  readonly out: string;
  readonly err: string;
  /** Both, in the order in which they came. */
  readonly text: string;
}

/** Runs `ivs-autopilot <args>` to its end, without a terminal and with only the environment that `io` contains. */
export async function commandLine(args: readonly string[], io: Partial<CliIo> = {}): Promise<Ran> {
  const lines: { readonly line: string; readonly isError: boolean }[] = [];
  const code = await runCli(['node', 'ivs-autopilot', ...args], {
    print: (line) => void lines.push({ line, isError: false }),
    printError: (line) => void lines.push({ line, isError: true }),
    env: {},
    signal: new AbortController().signal,
    ...io,
  });
  const textOf = (some: typeof lines) => some.map(({ line }) => line).join('\n');
  return {
    code,
    out: textOf(lines.filter(({ isError }) => !isError)),
    err: textOf(lines.filter(({ isError }) => isError)),
    text: textOf(lines),
  };
}
