// A Redis server of our own, on loopback: for `npm start` without REDIS_URL, for the demo and for tests.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { AppError } from '#domain/errors.ts';

export interface EmbeddedRedis {
  /** redis://127.0.0.1:<port> */
  readonly url: string;
  /** True when a server that an earlier process left running was taken over. */
  readonly adopted: boolean;
  readonly pid: number;
  /** Ends the server, data safely on disk. */
  stop(): Promise<void>;
  /** Kills the server at once (-9), for tests of what follows. */
  kill(): Promise<void>;
}

export interface EmbeddedRedisOptions {
  /** redis-server or valkey-server. */
  readonly program: string;
  readonly directory: string;
  /** Default: a free one. Given, a restarted server keeps its address. */
  readonly port?: number;
  /** Default: append-only file, synced every second. */
  readonly persistence?: boolean;
}

const noteName = 'autopilot-redis.json';

/**
 * Starts a server with its data in `directory`, or adopts the one that runs there already: after a crash of the daemon its
 * Redis lives on, and two servers must never write one append-only file.
 */
export async function startEmbeddedRedis({
  program,
  directory: folder,
  port,
  persistence = true,
}: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  await mkdir(folder, { recursive: true });
  // As the server itself names it, so that a symlinked folder is recognised.
  const directory = await realpath(folder);
  const note = join(directory, noteName);
  const running = await findRunning(note, directory);
  if (running) {
    if (running.owner !== process.pid && isAlive(running.owner)) {
      throw new AppError(
        'REDIS_NOT_CONFIGURED',
        `process ${running.owner} runs with the Redis in ${directory}: stop it first, or set REDIS_URL for this one`,
      );
    }
    await writeNote(note, { pid: running.pid, port: running.port, owner: process.pid });
    return {
      url: running.url,
      pid: running.pid,
      adopted: true,
      stop: () => shutDown(running.url, note),
      kill: async () => void process.kill(running.pid, 'SIGKILL'),
    };
  }

  for (let attempt = 0; ; attempt += 1) {
    const chosen = port ?? (await freePort());
    const child = spawn(
      program,
      [
        '--port',
        String(chosen),
        '--bind',
        '127.0.0.1',
        '--dir',
        directory,
        '--maxmemory-policy',
        'noeviction',
        '--daemonize',
        'no',
        ...(persistence
          ? ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '']
          : ['--appendonly', 'no', '--save', '']),
      ],
      // A process group of its own: Ctrl-C in a terminal reaches us, and we end the server when our work is done.
      { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    );
    const url = `redis://127.0.0.1:${chosen}`;
    const output = collect(child);
    // Before it is ready: should we die meanwhile, the next start finds it.
    if (child.pid !== undefined) await writeNote(note, { pid: child.pid, port: chosen, owner: process.pid });
    if (await becomesReady(child, url)) {
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      return {
        url,
        adopted: false,
        pid: child.pid!,
        stop: () => shutDown(url, note, child),
        kill: () => ended(child, () => child.kill('SIGKILL')),
      };
    }
    child.kill('SIGKILL');
    await rm(note, { force: true });
    if (attempt >= 4 || port !== undefined) {
      throw new AppError(
        'REDIS_UNREACHABLE',
        `${program} did not start in ${directory}: ${output().trim().split('\n').at(-1) ?? 'no output'}`,
      );
    }
  }
}

/** Which server runs in the folder, and which process started or adopted it. */
interface Note {
  readonly pid: number;
  readonly port: number;
  readonly owner: number;
}

async function writeNote(file: string, note: Note): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(note));
  await rename(`${file}.new`, file);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function parseNote(text: string): Note | undefined {
  try {
    return JSON.parse(text) as Note;
  } catch {
    // Half-written: it leads to no server.
    return undefined;
  }
}

async function findRunning(file: string, directory: string): Promise<(Note & { url: string }) | undefined> {
  const note = existsSync(file) ? parseNote(await readFile(file, 'utf8')) : undefined;
  if (!note) return undefined;
  const { port } = note;
  const url = `redis://127.0.0.1:${port}`;
  const itsDirectory = await ask(url, async (redis) => (await redis.config('GET', 'dir'))[1]);
  return itsDirectory === directory ? { ...note, url } : undefined;
}

async function becomesReady(child: ChildProcess, url: string): Promise<boolean> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    const answer = await ask(url, (redis) => redis.ping().catch(({ message }: Error) => message));
    if (answer === 'PONG') return true;
    // Reading a long append-only file takes as long as it takes.
    if (answer?.startsWith('LOADING')) tries = 0;
    await new Promise((done) => setTimeout(done, 25));
  }
  return false;
}

/** Asks a server one question; undefined when nothing answers there. */
async function ask<T>(url: string, question: (redis: Redis) => Promise<T>): Promise<T | undefined> {
  const redis = new Redis(url, {
    lazyConnect: true,
    // A server that still loads its data answers too.
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await question(redis);
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}

async function shutDown(url: string, note: string, child?: ChildProcess): Promise<void> {
  await rm(note, { force: true });
  const ask1 = () => ask(url, (redis) => redis.shutdown());
  if (child) await ended(child, ask1);
  else await ask1();
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
