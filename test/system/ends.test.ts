// Crashing and ending: an uncaught error is one line and exit code 1; every command ends by itself, or at the first SIGTERM.
import { openSync, symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbeddedRedis } from '#runtime/embedded-redis.ts';
import { broadcast } from '#test/support/broadcast.ts';
import { allCommands, commandLines } from '#test/support/command-lines.ts';
import { lastingPort } from '#test/support/ports.ts';
import { eventually } from '#test/support/quiet.ts';
import { testRedisUrl } from '#test/support/redis.ts';
import { type RunOptions, runProcess } from '#test/support/run-process.ts';
import { isThorough } from '#test/support/thorough.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autopilot-ends-'));
  await writeFile(join(folder, 'autopilot.yaml'), 'version: 1\nrules: []\n');
  await writeFile(join(folder, 'autopilot.test.yaml'), 'tests: []\n');
  await writeFile(join(folder, 'recording.jsonl'), '');
});

afterAll(() => rm(folder, { recursive: true }));

const env = () => ({ AUTOPILOT_CONFIG: join(folder, 'autopilot.yaml'), AUTOPILOT_HTTP_PORT: '0', HOME: folder });

/** Runs some at a time: the machine is small. */
async function inTurns<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await run(item);
  };
  await Promise.all([worker(), worker(), worker()]);
}

describe('an uncaught error', () => {
  const kinds = ['timer', 'rejection', 'handler', 'nothing', 'null', 'symbol', 'circular', 'a circle of causes'];
  const worse = ['without a prototype', 'unreadable', 'large number', 'fails while it is told'];

  test('prints one scrubbed line and exits with 1, whatever was thrown and wherever', async () => {
    await inTurns([...kinds, ...worse, 'throws again while it is told'], async (kind) => {
      const { end, stdout, stderr } = await runProcess('test/support/uncaught-child.ts', [kind]);
      const lines = stdout.split('\n').filter((line) => line !== '');
      const isTold = !kind.includes('while it is told');
      expect({ kind, end, lines: lines.length }).toEqual({ kind, end: 1, lines: isTold ? 1 : 0 });
      if (isTold) expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'fatal', code: 'UNCAUGHT' });
      expect(stdout + stderr).not.toContain('hidden-by-value');
    });
  });

  test('in the daemon and in a command', async () => {
    // Not a key: the shape of one, which must not appear.
    const shape = ['sk', 'us-west-2', 'AbCdEf', 'GhIjKl'].join('_');
    const onSignal = (what: string) => ({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2',()=>{${what}})`)}`,
    });
    const when = (text: string): Pick<RunOptions, 'during'> => ({
      during: ({ said, kill }) => {
        if (said.includes(text)) kill('SIGUSR2');
      },
    });
    const [daemon, command] = await Promise.all([
      runProcess('src/main.ts', [], {
        env: {
          ...env(),
          ...onSignal(`throw new Error("${shape}")`),
          REDIS_URL: testRedisUrl(),
          AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
        },
        cwd: folder,
        ...when('ivs-autopilot runs'),
      }),
      runProcess('src/cli/main.ts', ['simulator', '--port', '0'], {
        env: { ...env(), ...onSignal(`Promise.reject(new Error("${shape}"))`) },
        ...when('Ctrl-C ends it'),
      }),
    ]);
    const fatal = daemon.stdout.split('\n').filter((line) => line.includes('"level":"fatal"'));
    expect({ end: daemon.end, fatal }).toEqual({ end: 1, fatal: [expect.stringContaining('UNCAUGHT')] });
    expect(command.end).toBe(1);
    expect(command.stderr.trimEnd().split('\n')).toEqual([expect.stringContaining('This is a bug; report it')]);
    expect(daemon.stdout + daemon.stderr + command.stderr).not.toContain(shape);
  });
});

/** Accepts connections and never answers. */
async function silentServer(onConnection: () => void): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    onConnection();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** One for each way in which a command waits: for a signal, Redis, AWS, the daemon, or nothing. */
const oneOfAKind = ['run', 'simulator', 'doctor', 'bootstrap', 'status', 'metadata send', 'validate'];

describe('every command as a process', () => {
  test('ends at the first SIGTERM while Redis, AWS and the daemon are silent, or by itself', async () => {
    const names = allCommands();
    await inTurns(isThorough ? names : names.filter((name) => oneOfAKind.includes(name)), async (name) => {
      let kill: (() => void) | undefined;
      let connected = false;
      await using silent = await silentServer(() => {
        connected = true;
        kill?.();
      });
      const url = `http://127.0.0.1:${silent.port}`;
      const { end } = await runProcess('src/cli/main.ts', [...name.split(' '), ...commandLines[name]!], {
        cwd: folder,
        env: { ...env(), REDIS_URL: `redis://127.0.0.1:${silent.port}`, AUTOPILOT_URL: url, AWS_ENDPOINT_URL: url },
        during: ({ said, kill: send }) => {
          if (said.includes('Ctrl-C ends it')) send('SIGTERM');
        },
        started: (send) => {
          kill = () => send('SIGTERM');
          if (connected) kill();
        },
      });
      expect({ name, end }).not.toEqual({ name, end: 'still running' });
    });
  });

  test('doctor ends by itself with a Redis and with one that is silent', async () => {
    await using silent = await silentServer(() => undefined);
    await inTurns([testRedisUrl(), `redis://127.0.0.1:${silent.port}`], async (url) => {
      const { end, stdout } = await runProcess('src/cli/main.ts', ['doctor'], {
        cwd: folder,
        env: {
          ...env(),
          REDIS_URL: url,
          AUTOPILOT_URL: 'http://127.0.0.1:9',
          AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
        },
      });
      expect({ url, end }).toEqual({ url, end: 1 });
      expect(stdout).toContain('Redis: ');
    });
  });
});

describe('a full disk', () => {
  test('under the output of a command is reported in one sentence', async () => {
    const full = openSync('/dev/full', 'w');
    const { end, stderr } = await runProcess('src/cli/main.ts', ['schema'], { stdout: full });
    expect({ end, stderr }).toEqual({
      end: 1,
      stderr: expect.stringMatching(/^The output cannot be written: .*ENOSPC.*\n$/),
    });
  });

  test('under the log and the recording leaves the daemon working, and it ends orderly', async () => {
    const full = openSync('/dev/full', 'w');
    const port = await lastingPort();
    const run = runProcess('src/main.ts', [], {
      cwd: folder,
      stdout: full,
      env: {
        ...env(),
        REDIS_URL: testRedisUrl(),
        AUTOPILOT_HTTP_PORT: String(port),
        AUTOPILOT_RECORD: '/dev/full',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      },
      started: (send) => void alive(port).finally(() => send('SIGTERM')),
    });
    expect((await run).end).toBe(0);
  });

  test('under Redis is a 503 that says so, in time', async () => {
    const directory = join(folder, 'redis');
    await mkdir(join(directory, 'appendonlydir'), { recursive: true });
    symlinkSync('/dev/full', join(directory, 'appendonlydir', 'appendonly.aof.1.incr.aof'));
    const redis = await startEmbeddedRedis({
      program: process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server',
      directory,
    });
    try {
      await using platform = await broadcast();
      await using daemon = await platform.daemon({ rules: 'rules: []\n', redisUrl: redis.url, cold: true });
      const answer = await eventually(async () => {
        const tried = await daemon.ask('POST', '/v1/silences', {
          matchers: ['rule="none"'],
          reason: 'disk',
          duration: '1h',
        });
        return tried.body.code === 'REDIS_REFUSES' && tried;
      });
      expect(answer).toMatchObject({ status: 503, body: { detail: expect.stringMatching(/MISCONF .*No space left/) } });
      expect((await daemon.ask('GET', '/readyz')).body.checks.redis).toContain('MISCONF');
    } finally {
      await redis.kill();
    }
  });
});

async function alive(port: number): Promise<void> {
  await eventually(() =>
    fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}
