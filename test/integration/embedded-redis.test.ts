import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEmbeddedRedis } from '#runtime/embedded-redis.ts';

const program = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';

async function folder() {
  const directory = await mkdtemp(join(tmpdir(), 'autopilot-embedded-'));
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

/** Says in the note that another process owns the server. */
async function giveTo(owner: number, directory: string): Promise<void> {
  const note = join(directory, 'autopilot-redis.json');
  await writeFile(note, JSON.stringify({ ...JSON.parse(await readFile(note, 'utf8')), owner }));
}

test('a second start is refused while the first daemon lives, and its Redis goes on', async () => {
  await using place = await folder();
  const first = await startEmbeddedRedis({ program, directory: place.directory });
  await giveTo(process.ppid, place.directory);

  await expect(startEmbeddedRedis({ program, directory: place.directory })).rejects.toMatchObject({
    code: 'REDIS_NOT_CONFIGURED',
  });
  expect(process.kill(first.pid, 0)).toBe(true);
  await first.stop();
});

test('the Redis of a dead daemon is adopted, also through a symlink', async () => {
  await using place = await folder();
  const real = join(place.directory, 'real');
  await mkdir(real);
  await symlink(real, join(place.directory, 'link'));
  const first = await startEmbeddedRedis({ program, directory: join(place.directory, 'link') });
  await giveTo(2 ** 22 + 1, real);

  const second = await startEmbeddedRedis({ program, directory: join(place.directory, 'link') });

  expect([second.adopted, second.pid]).toEqual([true, first.pid]);
  await first.stop();
});

test('a half-written note does not keep it from starting', async () => {
  await using place = await folder();
  await writeFile(join(place.directory, 'autopilot-redis.json'), '{"pid": 12');

  const redis = await startEmbeddedRedis({ program, directory: place.directory });

  expect(redis.adopted).toBe(false);
  await redis.stop();
});
