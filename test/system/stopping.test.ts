// Signals at awkward moments: while the daemon starts, through the launcher, to a whole process group, with several accounts. Nothing stays
// behind, including its own Redis.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { quickSettings } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const root = join(import.meta.dirname, '..', '..');
const redisServer = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';

interface Started extends AsyncDisposable {
  readonly pid: number;
  readonly messages: string[];
  /** Every line of the log. */
  readonly lines: string[];
  /** Exit code, or the signal's name. */
  readonly exit: Promise<number | string>;
  /** Where the note of its own Redis is written. */
  readonly note: string;
  said(start: string): Promise<unknown>;
}

/** A daemon with its own Redis in an empty folder; AWS does not answer there. */
async function started(
  command: readonly string[],
  { config = 'rules: []\n', env = {}, program = process.execPath } = {},
): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-stopping-'));
  await writeFile(join(folder, 'autopilot.yaml'), quickSettings + config);
  const child = spawn(program, [...command], {
    cwd: folder,
    // A separate process group, as a shell or a supervisor makes it.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      AUTOPILOT_CONFIG: join(folder, 'autopilot.yaml'),
      AUTOPILOT_REDIS_SERVER: redisServer,
      AUTOPILOT_HTTP_PORT: '0',
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      ...env,
    },
  });
  const messages: string[] = [];
  const log: string[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop()!;
    log.push(...lines);
    for (const line of lines) {
      const { message, err } = JSON.parse(line) as { message: string; err?: { code?: string } };
      // On a busy machine a part may need more than the few seconds that it has.
      messages.push(err?.code === 'STOP_TIMED_OUT' ? `too slow: ${message}` : message);
    }
  });
  const exit = new Promise<number | string>((done) => child.once('close', (code, signal) => done(code ?? signal!)));
  return {
    pid: child.pid!,
    messages,
    lines: log,
    exit,
    note: join(folder, 'data', 'redis', 'autopilot-redis.json'),
    said: (start) => eventually(() => messages.some((message) => message.startsWith(start))),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const daemon = [join(root, 'src', 'main.ts')];
const launcher = [join(root, 'scripts', 'run.mjs'), '--redis', 'src/main.ts'];

const redisOf = async ({ note }: Started) =>
  JSON.parse(await readFile(note, 'utf8')) as { readonly port: number; readonly password: string };
const redisPort = async (run: Started) => (await redisOf(run)).port;

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

const count = ({ messages }: Started, start: string) => messages.filter((each) => each.startsWith(start)).length;

describe('a signal while the daemon starts', () => {
  test.concurrent('ends it with exit code 0 while its Redis starts, and the Redis with it', async () => {
    await using run = await started(daemon);
    await eventually(() => existsSync(run.note));
    const port = await redisPort(run);

    process.kill(run.pid, 'SIGTERM');

    expect(await run.exit).toBe(0);
    expect([existsSync(run.note), await listens(port)]).toEqual([false, false]);
    expect(count(run, 'the daemon cannot run')).toBe(0);
  });

  test.concurrent('ends it with exit code 0 while its shards start', async () => {
    await using run = await started(daemon);
    await run.said('REDIS_URL is not set');
    const { port, password } = await redisOf(run);

    process.kill(run.pid, 'SIGTERM');

    expect(await run.exit).toBe(0);
    expect([existsSync(run.note), await listens(port)]).toEqual([false, false]);
    expect(password).not.toBe('');
    expect(run.lines.join('\n')).not.toContain(password);
    expect(run.lines.find((line) => line.includes('REDIS_URL is not set'))).toContain(`redis://127.0.0.1:${port}`);
  });

  test.concurrent('ends it while it waits for a Redis that is away', async () => {
    await using run = await started(daemon, { env: { REDIS_URL: 'redis://127.0.0.1:9' } });
    await run.said('Redis does not answer');

    process.kill(run.pid, 'SIGINT');

    expect(await run.exit).toBe(0);
  });
});

test.concurrent('SIGTERM to the launcher reaches the daemon once, and nothing stays behind', async () => {
  await using run = await started(launcher);
  await run.said('ivs-autopilot runs');
  const port = await redisPort(run);

  process.kill(run.pid, 'SIGTERM');

  expect(await run.exit).toBe(0);
  expect([count(run, 'stopping;'), count(run, 'ivs-autopilot stopped'), await listens(port)]).toEqual([1, 1, false]);
});

test.concurrent('a later second signal does not wait for a Redis that hangs; that Redis is told to end, and ends when it can', async () => {
  await using run = await started(daemon);
  await run.said('ivs-autopilot runs');
  const { port, password } = await redisOf(run);
  const redis = new Redis(port, '127.0.0.1', { password });
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  redis.disconnect();
  process.kill(pid, 'SIGSTOP');
  try {
    process.kill(run.pid, 'SIGTERM');
    await run.said('stopping;');
    await new Promise((done) => setTimeout(done, 1_100));

    process.kill(run.pid, 'SIGTERM');

    expect(await run.exit).toBe(1);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await eventually(async () => !(await listens(port)));
});

test.concurrent('SIGTERM to npm, whose shell passes nothing on, still ends the daemon and its Redis', async () => {
  // What `npm start` runs: the shell does not become the launcher, and dies alone.
  const line = [process.execPath, ...launcher].map((part) => `'${part}'`).join(' ');
  await using run = await started(['-c', `${line}; true`], { program: 'sh', env: { npm_lifecycle_event: 'start' } });
  await run.said('ivs-autopilot runs');
  const port = await redisPort(run);

  process.kill(run.pid, 'SIGTERM');

  // The last process that holds the output has ended.
  expect(await run.exit).toBe('SIGTERM');
  expect([count(run, 'ivs-autopilot stopped'), await listens(port)]).toEqual([1, false]);
});

test.concurrent('SIGTERM to the whole group of launcher and daemon is one request: two accounts stop orderly', async () => {
  const config = `rules: []
accounts:
  - {name: west, region: us-west-2}
  - {name: europe, region: eu-west-1}
`;
  await using run = await started(launcher, { config });
  await run.said('ivs-autopilot runs');
  const port = await redisPort(run);

  process.kill(-run.pid, 'SIGTERM');

  expect(await run.exit).toBe(0);
  expect([count(run, 'stopping;'), count(run, 'ivs-autopilot stopped'), await listens(port)]).toEqual([1, 1, false]);
  expect(count(run, 'could not stop a part cleanly')).toBe(0);
});
