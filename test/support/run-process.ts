// Runs one of the programs as a separate process, to its end.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

export interface Ended {
  /** Exit code, or the signal that ended it; `still running` if it had to be killed. */
  readonly end: number | NodeJS.Signals | 'still running';
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Against hanging only. */
  readonly withinMs?: number;
  /** Called with what was written so far; may send signals. */
  readonly during?: (process: { readonly said: string; readonly kill: (signal: NodeJS.Signals) => void }) => void;
  /** A file that standard output goes to. */
  readonly stdout?: number;
  /** Called at once, with a function that sends signals. */
  readonly started?: (kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs a TypeScript file of the checkout. */
export function runProcess(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { env = {}, cwd = root, withinMs = 500_000, during, stdout: into } = options;
  const child = spawn(process.execPath, [join(root, file), ...args], {
    cwd,
    stdio: ['ignore', into ?? 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules', '.cache', 'node-compile'),
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      ...env,
    },
  });
  options.started?.((signal) => void child.kill(signal));
  let stdout = '';
  let stderr = '';
  const tell = () => during?.({ said: stdout + stderr, kill: (signal) => void child.kill(signal) });
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    tell();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    tell();
  });
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, withinMs);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ end: late ? 'still running' : (code ?? signal!), stdout, stderr });
    });
  });
}
