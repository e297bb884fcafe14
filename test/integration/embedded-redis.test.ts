import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
