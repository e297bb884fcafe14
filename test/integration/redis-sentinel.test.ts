// What sentinels cannot lead to; how a daemon follows them is tested in test/system/redis-moves.test.ts.
import { expect, test } from 'vitest';
import { assertRedisUsable, connectRedis, disconnectRedis, keyPrefix } from '#runtime/redis.ts';
import { lastingPort } from '#test/support/ports.ts';
import { eventually, keptLogger, quietLogger } from '#test/support/quiet.ts';
import { redisSentinels } from '#test/support/redis-cluster.ts';

// Not secrets: words for this test.
const password = 'word-of-the-primary';
const prefix = keyPrefix('sentinel', 'main');
const logger = quietLogger();

test('a server that the sentinels cannot lead to is reported in one line with the reason', async () => {
  await using stand = await redisSentinels({ password });
  const { port } = stand.sentinels[0]!;
  const usable = (url: string) => assertRedisUsable({ url, logger });
  const said = async (url: string) => {
    const { logger, lines } = keptLogger();
    const redis = connectRedis({ url, prefix, role: 'store', logger });
    redis.connect().catch(() => undefined);
    await eventually(() => lines.length > 0);
    await disconnectRedis(redis);
    return lines[0];
  };

  await expect(usable(stand.url)).resolves.toBeUndefined();
  // A sentinel that has no password is used without one.
  await expect(usable(stand.url.replace(password, 'wrong'))).rejects.toMatchObject({
    code: 'REDIS_UNUSABLE',
    message: expect.stringMatching(/^REDIS_URL cannot be used: Redis refuses: WRONGPASS/),
  });
  await expect(usable(`redis+sentinel://:${password}@127.0.0.1:${port}/other`)).rejects.toMatchObject({
    code: 'REDIS_UNUSABLE',
    message: expect.stringContaining(`the sentinel at 127.0.0.1:${port} watches no primary named other`),
  });
  await expect(usable(`redis://127.0.0.1:${port}`)).rejects.toMatchObject({
    message: expect.stringContaining('write redis+sentinel://host:26379/name'),
  });

  const dead = [await lastingPort(), await lastingPort()].map((each) => `127.0.0.1:${each}`);
  expect(await said(`redis+sentinel://${dead.join(',')}/mymaster`)).toMatchObject({
    code: 'REDIS_UNREACHABLE',
    said: expect.stringContaining(`none of 2 sentinels answers (${dead.join(', ')}): connect ECONNREFUSED`),
  });

  // A single sentinel has no quorum: it keeps naming the primary that died.
  const primary = await stand.primary();
  for (const sentinel of stand.sentinels.slice(1)) await sentinel.kill();
  await primary.kill();
  expect(await said(`redis+sentinel://:${password}@127.0.0.1:${port}/mymaster`)).toMatchObject({
    code: 'REDIS_UNREACHABLE',
    said: expect.stringContaining(
      `127.0.0.1:${primary.port} (primary of mymaster, say the sentinels): connect ECONNREFUSED`,
    ),
  });
});
