// A container of our image without Docker: its entry point with a container's arguments and variables, as a process of this machine.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..', '..');

export interface ContainerProcess extends AsyncDisposable {
  /** Lines of standard output, as they come. */
  readonly lines: readonly string[];
  /** The exit code; undefined if a signal ended it. */
  readonly exit: Promise<number | undefined>;
  /** Tells it to end, as `docker stop` does. */
  stop(): Promise<number | undefined>;
}

/** Use with `await using`: it is told to end, and awaited. */
export function containerProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = root,
): ContainerProcess {
  const child: ChildProcess = spawn(process.execPath, [join(root, 'src', 'cli', 'main.ts'), ...args], {
    cwd,
    env: {
      PATH: process.env['PATH'],
      // As in the image: sources are compiled once.
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules', '.cache', 'node-compile'),
      AUTOPILOT_CONTAINER: '1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit').then(([code]) => (code as number | null) ?? undefined);
  const lines: string[] = [];
  createInterface(child.stdout!).on('line', (line) => lines.push(line));
  const stop = () => {
    child.kill('SIGTERM');
    return exit;
  };
  return {
    lines,
    exit,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** The address that a daemon logs once it listens. */
export function addressIn(lines: readonly string[]): string | undefined {
  return lines.map((line) => /"url":"(http:[^"]+)","docs"/.exec(line)?.[1]).find(Boolean);
}
