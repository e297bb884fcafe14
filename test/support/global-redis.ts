// One Redis server for a whole test run, in a temporary folder, unless REDIS_URL names one. Files are separated by key prefix.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedRedis } from '#runtime/embedded-redis.ts';

export default async function setup({ vitest }: TestProject): Promise<() => Promise<void>> {
  // A run of only unit tests needs none.
  if (vitest.projects.every(({ name }) => name === 'unit')) return async () => undefined;
  if (process.env['REDIS_URL']) {
    process.env['TEST_REDIS_URL'] = process.env['REDIS_URL'];
    return async () => undefined;
  }
  const directory = await mkdtemp(join(tmpdir(), 'autopilot-test-redis-'));
  const redis = await startEmbeddedRedis({
    program: process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server',
    directory,
    persistence: false,
  });
  process.env['TEST_REDIS_URL'] = redis.url;
  // An interrupted run has no teardown: its server would stay.
  process.once('exit', () => redis.abandon());
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      redis.abandon();
      if (process.listenerCount(name) === 0) process.kill(process.pid, name);
    });
  }
  return async () => {
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
