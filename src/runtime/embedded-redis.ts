// A Redis server of our own, on loopback: for `npm start` without REDIS_URL, for the demo and for tests. Other users of the machine can
// reach its port, so it has a random password, and only this user may read its files.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { AppError, messageOf } from '#domain/errors.ts';
import { isSameProcessAlive, processBirth } from './process-identity.ts';

export interface EmbeddedRedis {
  /** redis://:<password>@127.0.0.1:<port> */
  readonly url: string;
  /** True if a server that an earlier process left running was adopted. */
  readonly adopted: boolean;
  readonly pid: number;
  /** Ends the server, with its data safely on disk. */
  stop(): Promise<void>;
  /** Tells the server to end without waiting, for a process that exits at this instant; its data is written to disk anyway. */
  abandon(): void;
  /** Kills the server at once (-9), for tests of the consequences. */
  kill(): Promise<void>;
}

export interface EmbeddedRedisOptions {
  /** redis-server or valkey-server. */
  readonly program: string;
  readonly directory: string;
  /** Default: a free one. With port and password, a restarted server keeps its address. */
  readonly port?: number;
  /** Default: a random one. */
  readonly password?: string;
  /** Default: append-only file, synced every second. */
  readonly persistence?: boolean;
  /** Ends a start that is under way, including the server: reading a long append-only file takes time. */
  readonly signal?: AbortSignal;
}

const noteName = 'autopilot-redis.json';

/**
 * Starts a server with its data in `directory`, or adopts the one that already runs there: after a crash of the daemon its
 * Redis stays running, and two servers must never write one append-only file.
 * @throws AppError REDIS_NOT_CONFIGURED, REDIS_UNREACHABLE, INTERRUPTED
 */
export async function startEmbeddedRedis({
  program,
  directory: folder,
  port,
  password = randomBytes(24).toString('base64url'),
  persistence = true,
  signal,
}: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // One that is there already may be open to others.
  await chmod(folder, 0o700);
  // As the server itself names it, so that a symlinked folder is recognised.
  const directory = await realpath(folder);
  const note = join(directory, noteName);
  const running = await findRunning(note, directory, signal);
  if (running) {
    if (running.owner !== process.pid && isSameProcessAlive(running.owner, running.ownerBirth)) {
      throw new AppError(
        'REDIS_NOT_CONFIGURED',
        `process ${running.owner} runs with the Redis in ${directory}: stop it first, or set REDIS_URL for this one`,
      );
    }
    const { port: itsPort, password: itsPassword, pid, url, birth } = running;
    await writeNote(note, { port: itsPort, password: itsPassword, pid, birth, ...owner() });
    const signalIt = (name: NodeJS.Signals) => {
      if (isSameProcessAlive(pid, birth)) process.kill(pid, name);
    };
    return {
      url,
      pid,
      adopted: true,
      async stop() {
        await rm(note, { force: true });
        await ask(url, (redis) => redis.shutdown());
        for (let tries = 0; tries < 200 && isSameProcessAlive(pid, birth); tries += 1) await pause(25);
        signalIt('SIGKILL');
      },
      abandon: () => signalIt('SIGTERM'),
      kill: async () => signalIt('SIGKILL'),
    };
  }

  for (let attempt = 0; ; attempt += 1) {
    if (signal?.aborted) throw new AppError('INTERRUPTED', `${program} is not started: the process stops`);
    const chosen = port ?? (await freePort());
    const child = spawnPrivately(program, [
      `port ${chosen}`,
      'bind 127.0.0.1',
      `requirepass ${password}`,
      `dir ${JSON.stringify(directory)}`,
      'maxmemory-policy noeviction',
      'daemonize no',
      'save ""',
      ...(persistence ? ['appendonly yes', 'appendfsync everysec'] : ['appendonly no']),
    ]);
    const url = urlOf({ port: chosen, password });
    const output = collect(child);
    await hasSpawned(child, program);
    // Before it is ready: if we die meanwhile, the next start finds it.
    const pid = child.pid!;
    await writeNote(note, { port: chosen, password, pid, birth: processBirth(pid), ...owner() });
    if (await becomesReady(child, url, signal)) {
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      return {
        url,
        adopted: false,
        pid,
        async stop() {
          await rm(note, { force: true });
          await ended(child, () => ask(url, (redis) => redis.shutdown()));
        },
        abandon: () => void child.kill('SIGTERM'),
        kill: () => ended(child, () => child.kill('SIGKILL')),
      };
    }
    await ended(child, () => child.kill(signal?.aborted ? 'SIGTERM' : 'SIGKILL'));
    await rm(note, { force: true });
    if (signal?.aborted) continue;
    if (attempt >= 4 || port !== undefined) {
      throw new AppError(
        'REDIS_UNREACHABLE',
        `${program} did not start in ${directory}: ${output().trim().split('\n').at(-1) ?? 'no output'}`,
      );
    }
  }
}

/**
 * Starts a server of which only this user can read the files. Its configuration comes on standard input, because every user can read
 * a command line.
 */
function spawnPrivately(program: string, config: readonly string[]): ChildProcess {
  const before = process.umask(0o077);
  try {
    // A process group of its own: Ctrl-C in a terminal reaches only us, and we end the server after our own work.
    const child = spawn(program, ['-'], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    // A program that ends without reading is noticed by its end.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(`${config.join('\n')}\n`);
    return child;
  } finally {
    process.umask(before);
  }
}

const urlOf = ({ port, password }: Pick<Note, 'port' | 'password'>) =>
  `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`;

/** Where a server of this folder runs, and which process started or adopted it. A pid is reused after its process has ended. */
interface Note {
  readonly port: number;
  /** Undefined: an earlier version started it, without one. */
  readonly password?: string | undefined;
  /** Of the server; undefined in the note of an earlier version. */
  readonly pid?: number | undefined;
  readonly birth?: string | undefined;
  readonly owner: number;
  /** Undefined: this system does not say. */
  readonly ownerBirth?: string | undefined;
}

const owner = () => ({ owner: process.pid, ownerBirth: processBirth(process.pid) });

async function writeNote(file: string, note: Note): Promise<void> {
  await rm(`${file}.new`, { force: true });
  await writeFile(`${file}.new`, JSON.stringify(note), { mode: 0o600, flag: 'wx' });
  await rename(`${file}.new`, file);
}

function parseNote(text: string): Note | undefined {
  try {
    return JSON.parse(text) as Note;
  } catch {
    // Half-written: it identifies no server.
    return undefined;
  }
}

interface Running extends Note {
  readonly url: string;
  readonly pid: number;
  readonly birth: string | undefined;
}

/**
 * The server that the note names, but only if it still runs and uses this folder: another server may have got its port.
 * @throws AppError REDIS_UNREACHABLE if it runs but cannot be used: a second server must not write its files
 */
async function findRunning(file: string, directory: string, signal?: AbortSignal): Promise<Running | undefined> {
  const note = existsSync(file) ? parseNote(await readFile(file, 'utf8')) : undefined;
  if (!note) return undefined;
  const url = urlOf(note);
  const refusals: string[] = [];
  for (const until = performance.now() + longestSilenceMs; refusals.length === 0 && performance.now() < until; ) {
    // Nobody else may hear the password, or pass for our server.
    if (signal?.aborted || (note.pid !== undefined && !isSameProcessAlive(note.pid, note.birth))) return undefined;
    const server = await ask(url, placeOf, { commandTimeout: 1000, onRefusal: (text) => void refusals.push(text) });
    if (server) {
      if (server.directory !== directory || (note.pid ?? server.pid) !== server.pid) return undefined;
      return { ...note, url, pid: server.pid, birth: processBirth(server.pid) };
    }
    // It is not certain that it is our server.
    if (note.pid === undefined || note.birth === undefined) return undefined;
    // It may be starting or ending.
    await pause(25);
  }
  throw new AppError(
    'REDIS_UNREACHABLE',
    `the Redis of ${directory} still runs (process ${note.pid}) but cannot be used (${refusals[0] ?? 'it does not answer'}): end that process, then start again`,
  );
}

/** A server that runs is waited for this long. */
const longestSilenceMs = 5000;

async function placeOf(redis: Redis): Promise<{ readonly directory: string | undefined; readonly pid: number }> {
  return {
    directory: (await redis.config('GET', 'dir'))[1],
    pid: Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]),
  };
}

/** @throws AppError REDIS_NOT_CONFIGURED when the system cannot run the program. */
async function hasSpawned(child: ChildProcess, program: string): Promise<void> {
  try {
    await once(child, 'spawn');
    // The only error that can still come is a signal that could not be sent: then it has ended by itself.
    child.on('error', () => undefined);
  } catch (error) {
    throw new AppError(
      'REDIS_NOT_CONFIGURED',
      `${program} cannot be run (${messageOf(error)}): install redis-server or valkey-server, or set REDIS_URL`,
      { cause: error },
    );
  }
}

async function becomesReady(child: ChildProcess, url: string, signal: AbortSignal | undefined): Promise<boolean> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (signal?.aborted || child.exitCode !== null || child.signalCode !== null) return false;
    const answer = await ask(url, (redis) => redis.ping().catch(({ message }: Error) => message));
    if (answer === 'PONG') return !signal?.aborted;
    // Reading a long append-only file takes as long as it takes.
    if (answer?.startsWith('LOADING')) tries = 0;
    await pause(25);
  }
  return false;
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/**
 * Asks a server something; undefined if nothing answers there, or if the answer is an error, which `onRefusal` is told. Without
 * `commandTimeout` (ms), a server that hangs is waited for.
 */
async function ask<T>(
  url: string,
  question: (redis: Redis) => Promise<T>,
  { commandTimeout, onRefusal }: { commandTimeout?: number; onRefusal?: (text: string) => void } = {},
): Promise<T | undefined> {
  const failed = (error: unknown) => {
    if (error instanceof Error && error.name === 'ReplyError') onRefusal?.(error.message);
  };
  const redis = new Redis(url, {
    lazyConnect: true,
    // A server that is still loading its data answers too.
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    ...(commandTimeout === undefined ? {} : { commandTimeout }),
  });
  redis.on('error', failed);
  try {
    await redis.connect();
    return await question(redis);
  } catch (error) {
    failed(error);
    return undefined;
  } finally {
    redis.disconnect();
  }
}

async function ended(child: ChildProcess, end: () => unknown): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((done) => child.once('exit', () => done()));
  child.ref();
  await end();
  const hardStop = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exit;
  clearTimeout(hardStop);
}

function collect(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: Buffer) => (text = (text + chunk.toString()).slice(-4000));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => text;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
