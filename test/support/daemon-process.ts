// A daemon as a separate operating system process, so that it can be killed: `node src/main.ts` with an environment.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..', '..');

export interface DaemonProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** The last log lines. */
  readonly log: readonly string[];
  /** kill -9 */
  kill(): Promise<void>;
  ask(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; body: any }>;
}

/** Starts a daemon and waits until its API listens. Use with `await using`: it is ended by SIGTERM, then by force. */
export async function daemonProcess(options: {
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
  /** Arguments of `ivs-autopilot run`. */
  readonly flags?: readonly string[];
}): Promise<DaemonProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-daemon-'));
  await writeFile(join(folder, 'autopilot.yaml'), options.config);
  const child: ChildProcess = spawn(
    process.execPath,
    [
      '--max-semi-space-size=4',
      '--v8-pool-size=1',
      ...(options.flags
        ? [join(root, 'src', 'cli', 'main.ts'), 'run', ...options.flags]
        : [join(root, 'src', 'main.ts')]),
    ],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        MALLOC_ARENA_MAX: '1',
        HOME: folder,
        AUTOPILOT_DATA_DIR: join(folder, 'data'),
        AUTOPILOT_CONFIG: join(folder, 'autopilot.yaml'),
        AUTOPILOT_HTTP_PORT: '0',
        AWS_REGION: 'us-west-2',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules', '.cache', 'node-compile'),
        ...options.env,
      },
    },
  );
  const log: string[] = [];
  const gone = once(child, 'exit').catch(() => undefined);
  const listening = Promise.withResolvers<string>();
  for (const stream of [child.stdout!, child.stderr!])
    createInterface(stream).on('line', (line) => {
      log.push(line);
      if (log.length > 200) log.shift();
      const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
      if (url && line.includes('the API listens')) listening.resolve(url);
    });
  void gone.then(() => listening.reject(new Error(`the daemon ended:\n${log.join('\n')}`)));
  listening.promise.catch(() => undefined);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await Promise.race([gone, new Promise((done) => setTimeout(done, 12_000))]);
    child.kill('SIGKILL');
    await gone;
    await rm(folder, { recursive: true, force: true });
  };
  let url: string;
  try {
    url = await Promise.race([
      listening.promise,
      new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error(`the daemon does not listen:\n${log.join('\n')}`)), 300_000).unref(),
      ),
    ]);
  } catch (error) {
    await end('SIGKILL');
    throw error;
  }
  return {
    url,
    pid: child.pid!,
    log,
    kill: () => end('SIGKILL'),
    async ask(method, path, body, headers = {}) {
      const answer = await fetch(url + path, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  };
}
