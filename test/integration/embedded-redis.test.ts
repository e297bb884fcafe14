import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startEmbeddedRedis } from '#runtime/embedded-redis.ts';
import { isSameProcessAlive, processBirth } from '#runtime/process-identity.ts';
import { eventually } from '#test/support/quiet.ts';

const program = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';

async function folder() {
  const directory = await mkdtemp(join(tmpdir(), 'autopilot-embedded-'));
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

/** Writes into the note that another process owns the server. */
async function giveTo(owner: number, directory: string, ownerBirth = processBirth(owner)): Promise<void> {
  const note = join(directory, 'autopilot-redis.json');
  await writeFile(note, JSON.stringify({ ...JSON.parse(await readFile(note, 'utf8')), owner, ownerBirth }));
}

const isAlive = (pid: number) => isSameProcessAlive(pid, undefined);

test('a second start is refused while the first daemon runs, and its Redis stays up', async () => {
  await using place = await folder();
  const first = await startEmbeddedRedis({ program, directory: place.directory });
  await giveTo(process.ppid, place.directory);

  await expect(startEmbeddedRedis({ program, directory: place.directory })).rejects.toMatchObject({
    code: 'REDIS_NOT_CONFIGURED',
  });
  expect(process.kill(first.pid, 0)).toBe(true);
  await first.stop();
});

test('adopts the Redis of a dead daemon, also through a symlink', async () => {
  await using place = await folder();
  const real = join(place.directory, 'real');
  await mkdir(real);
  await symlink(real, join(place.directory, 'link'));
  const first = await startEmbeddedRedis({ program, directory: join(place.directory, 'link') });
  await giveTo(2 ** 22 + 1, real);

  const second = await startEmbeddedRedis({ program, directory: join(place.directory, 'link') });

  expect([second.adopted, second.pid]).toEqual([true, first.pid]);
  await second.stop();
  expect(isAlive(first.pid)).toBe(false);
});

test('adopts the Redis of a dead daemon although another process has got its pid', async () => {
  await using place = await folder();
  const first = await startEmbeddedRedis({ program, directory: place.directory });
  await giveTo(process.ppid, place.directory, 'another time');

  const second = await startEmbeddedRedis({ program, directory: place.directory });

  expect([second.adopted, second.pid]).toEqual([true, first.pid]);
  second.abandon();
  await eventually(() => !isAlive(first.pid));
});

test('names a program that cannot be run, with what to do', async () => {
  await using place = await folder();
  const notExecutable = join(place.directory, 'redis-server');
  await writeFile(notExecutable, '');

  for (const bad of [join(place.directory, 'nothing'), notExecutable])
    await expect(startEmbeddedRedis({ program: bad, directory: place.directory })).rejects.toMatchObject({
      code: 'REDIS_NOT_CONFIGURED',
      message: expect.stringMatching(/cannot be run .*set REDIS_URL/),
    });
});

test('an interrupted start leaves no server and no note', async () => {
  await using place = await folder();
  const stopping = new AbortController();
  // A slow server, so that the note is written well before it answers.
  const slow = join(place.directory, 'slow-redis.sh');
  await writeFile(slow, `#!/bin/sh\nsleep 0.5\nexec "${program}" "$@"\n`, { mode: 0o755 });
  const start = startEmbeddedRedis({ program: slow, directory: place.directory, signal: stopping.signal });
  const note = join(place.directory, 'autopilot-redis.json');
  await eventually(() => existsSync(note));
  const { port } = JSON.parse(await readFile(note, 'utf8')) as { port: number };

  stopping.abort();

  await expect(start).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(existsSync(note)).toBe(false);
  await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});

test('starts despite a half-written note', async () => {
  await using place = await folder();
  await writeFile(join(place.directory, 'autopilot-redis.json'), '{"pid": 12');

  const redis = await startEmbeddedRedis({ program, directory: place.directory });

  expect(redis.adopted).toBe(false);
  await redis.stop();
});

test('nobody else on the machine can use the server or read its files', async () => {
  await using place = await folder();
  const directory = join(place.directory, 'my "own" redis');
  // As earlier versions have made it.
  await mkdir(directory);
  await chmod(directory, 0o755);
  const before = process.umask();
  const server = await startEmbeddedRedis({ program, directory });
  const redis = new Redis(server.url);
  await redis.set('key', 'value');

  const { port, password } = new URL(server.url);
  const stranger = new Redis(Number(port), '127.0.0.1', { retryStrategy: () => null });
  stranger.on('error', () => undefined);
  await expect(stranger.get('key')).rejects.toThrow('NOAUTH');
  stranger.disconnect();
  const files = await readdir(directory, { recursive: true });
  const open = [];
  for (const file of ['.', ...files]) if (((await stat(join(directory, file))).mode & 0o077) !== 0) open.push(file);
  expect(open).toEqual([]);
  expect(files.filter((file) => file.endsWith('.aof'))).not.toEqual([]);
  expect(password).toMatch(/^[\w-]{32}$/);
  expect(process.umask()).toBe(before);
  if (process.platform === 'linux')
    expect(await readFile(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain(password);
  redis.disconnect();
  await server.stop();
});

test('a server that has got the port of a dead one is neither adopted nor told the password', async () => {
  await using place = await folder();
  const directory = join(place.directory, 'redis');
  const first = await startEmbeddedRedis({ program, directory });
  await first.kill();
  const heard: string[] = [];
  const impostor = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => void heard.push(String(data)));
  });
  impostor.listen(Number(new URL(first.url).port), '127.0.0.1');
  await once(impostor, 'listening');

  const second = await startEmbeddedRedis({ program, directory });

  expect([second.adopted, heard]).toEqual([false, []]);
  expect(new URL(second.url).password).not.toBe(new URL(first.url).password);
  await second.stop();
  impostor.close();
});

test('adopts a server of an earlier version, which has no password', async () => {
  await using place = await folder();
  const { port } = new URL((await startEmbeddedRedis({ program, directory: place.directory })).url);
  const note = join(place.directory, 'autopilot-redis.json');
  const { password, owner, ownerBirth } = JSON.parse(await readFile(note, 'utf8')) as Record<string, string>;
  const redis = new Redis(Number(port), '127.0.0.1', { password: password! });
  await redis.config('SET', 'requirepass', '');
  redis.disconnect();
  await writeFile(note, JSON.stringify({ port: Number(port), owner, ownerBirth }));

  const adopted = await startEmbeddedRedis({ program, directory: place.directory });

  expect([adopted.adopted, adopted.url]).toEqual([true, `redis://127.0.0.1:${port}`]);
  await adopted.stop();
});

test('a server that runs but refuses the password gets no second one beside it that writes its files', async () => {
  await using place = await folder();
  const first = await startEmbeddedRedis({ program, directory: place.directory });
  const redis = new Redis(first.url);
  await redis.config('SET', 'requirepass', 'changed by hand');

  await expect(startEmbeddedRedis({ program, directory: place.directory })).rejects.toMatchObject({
    code: 'REDIS_UNREACHABLE',
    message: expect.stringMatching(new RegExp(`process ${first.pid}\\) but cannot be used \\((NOAUTH|WRONGPASS)`)),
  });

  expect(isAlive(first.pid)).toBe(true);
  redis.disconnect();
  await first.kill();
});

test('a start ends when the server that runs hangs', async () => {
  await using place = await folder();
  const first = await startEmbeddedRedis({ program, directory: place.directory });
  process.kill(first.pid, 'SIGSTOP');

  try {
    await expect(startEmbeddedRedis({ program, directory: place.directory })).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
      message: expect.stringContaining(`process ${first.pid}) but cannot be used (it does not answer)`),
    });
  } finally {
    await first.kill();
  }
});
