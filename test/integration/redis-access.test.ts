// How connections authenticate: passwords in files, tokens, and certificates, including those of a cluster that names bare addresses.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { assertRedisUsable, connectRedis, disconnectRedis, keyPrefix, triedOnce } from '#runtime/redis.ts';
import { accessFromEnvironment } from '#runtime/redis-environment.ts';
import { authority } from '#test/support/certificates.ts';
import { eventually, quietLogger } from '#test/support/quiet.ts';
import { ownRedis } from '#test/support/redis.ts';
import { redisCluster } from '#test/support/redis-cluster.ts';

const logger = quietLogger();
const onSecret = () => undefined;

async function folderOf(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-access-'));
  const paths = Object.fromEntries(Object.keys(files).map((name) => [name, join(folder, name)]));
  for (const [name, text] of Object.entries(files)) await writeFile(paths[name]!, text);
  return { paths, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

test('reads a password from its file for each connection, and survives a file that is gone for a moment', async () => {
  await using server = await ownRedis();
  await using files = await folderOf({ password: 'word-one\n' });
  const admin = new Redis(server.url);
  const url = `redis://${new URL(server.url).host}`;
  const user = (...words: string[]) =>
    admin.call('ACL', 'SETUSER', 'app', 'on', 'resetpass', ...words.map((word) => `>${word}`), '~*', '&*', '+@all');
  await user('word-one');
  const secrets: unknown[] = [];
  const access = await accessFromEnvironment({
    env: { REDIS_USERNAME: 'app', REDIS_PASSWORD_FILE: files.paths['password'] },
    url,
    logger,
    onSecret: (...told) => secrets.push(told),
  });
  const redis = connectRedis({ url, access, role: 'worker', logger });
  const again = async () => {
    await admin.client('KILL', 'USER', 'app');
    await eventually(() => redis.status !== 'ready');
    await eventually(() => redis.status === 'ready');
    return redis.ping();
  };
  expect(await redis.ping()).toBe('PONG');

  await user('word-two');
  await writeFile(files.paths['password']!, 'word-two');
  expect(await again()).toBe('PONG');
  await rm(files.paths['password']!);
  expect(await again()).toBe('PONG');

  expect(secrets).toEqual([
    ['word-one', undefined],
    ['word-two', 'word-one'],
  ]);
  await disconnectRedis(redis);
  admin.disconnect();
});

test('tokens replace a password, and a long connection authenticates again with a new one', async () => {
  await using server = await ownRedis();
  const admin = new Redis(server.url);
  await admin.call('ACL', 'SETUSER', 'iam', 'on', '>token-1', '>token-2', '~*', '&*', '+@all');
  const shown: string[] = [];
  const token = async () => {
    const next = `token-${Math.min(2, shown.length + 1)}`;
    shown.push(next);
    return next;
  };
  const access = {
    credentials: async () => ({ username: 'iam', password: await token() }),
    sentinelCredentials: async () => undefined,
    tls: async () => ({}),
    renewMs: 20,
  };
  const redis = connectRedis({ url: server.url, access, role: 'store', logger });
  await redis.connect();
  await eventually(() => shown.length >= 3);

  // The same connection all the time.
  const list = String(await admin.client('LIST'));
  expect(list.split('\n').filter((line) => line.includes('user=iam'))).toHaveLength(1);
  expect(await redis.ping()).toBe('PONG');
  await disconnectRedis(redis);
  admin.disconnect();
});

describe('invalid access settings in the environment', () => {
  test.each([
    [
      { REDIS_PASSWORD_FILE: '/nowhere/password' },
      'redis://h',
      /^REDIS_PASSWORD_FILE names a file that cannot be read/,
    ],
    [{ REDIS_TLS_SERVERNAME: 'h' }, 'redis://h', /^REDIS_TLS_… is set, and REDIS_URL does not begin with rediss/],
    [{ REDIS_TLS_CERT_FILE: import.meta.filename }, 'rediss://h', /go together/],
    [{ REDIS_SENTINEL_PASSWORD_FILE: import.meta.filename }, 'redis://h', /redis\+sentinel/],
    [{ REDIS_IAM_CACHE: 'c' }, 'rediss://h', /REDIS_USERNAME/],
    [{ REDIS_IAM_CACHE: 'c', REDIS_USERNAME: 'u' }, 'redis://h', /TLS/],
    [{ REDIS_IAM_CACHE: 'c', REDIS_USERNAME: 'u' }, 'rediss://:p@h', /no password/],
    [{ REDIS_IAM_CACHE: 'c', REDIS_USERNAME: 'u' }, 'rediss://h', /AWS_REGION/],
    [
      { REDIS_IAM_CACHE: 'c', REDIS_USERNAME: 'u', AWS_REGION: 'us-west-2', REDIS_IAM_SERVICE: 'dax' },
      'rediss://h',
      /elasticache or memorydb/,
    ],
  ])('%j with %s', async (env, url, says) => {
    await expect(accessFromEnvironment({ env, url, logger, onSecret })).rejects.toMatchObject({
      code: 'REDIS_URL_INVALID',
      message: expect.stringMatching(says),
    });
  });
});

test('a cluster with TLS that names bare addresses is checked against the host in REDIS_URL, with a private authority and a client certificate', async () => {
  const ours = authority();
  const { cert, key } = ours.issue('localhost');
  await using files = await folderOf({ ca: ours.certificate, cert, key });
  const { paths } = files;
  const tls = [`tls-ca-cert-file ${paths['ca']}`, `tls-cert-file ${paths['cert']}`, `tls-key-file ${paths['key']}`];
  await using cluster = await redisCluster({
    scheme: 'rediss',
    extra: [...tls, 'tls-auth-clients yes', 'tls-replication yes', 'tls-cluster yes'],
    client: { tls: { ca: ours.certificate, cert, key, servername: 'localhost' } },
  });
  const env = {
    REDIS_TLS_CA_FILE: paths['ca'],
    REDIS_TLS_CERT_FILE: paths['cert'],
    REDIS_TLS_KEY_FILE: paths['key'],
  };
  const prefix = keyPrefix('tls', 'main');
  const owner = await cluster.ownerOf(prefix);
  const other = cluster.nodes.slice(0, 3).find((node) => node !== owner)!;
  const url = `rediss://localhost:${other.port}`;
  const accessOf = (more: Readonly<Record<string, string | undefined>>) =>
    accessFromEnvironment({ env: { ...env, ...more }, url, logger, onSecret });

  const redis = connectRedis({ url, prefix, access: await accessOf({}), role: 'store', logger });
  redis.connect().catch(() => undefined);
  await triedOnce(redis);
  await eventually(() => redis.status === 'ready');
  expect(await redis.set(`${prefix}:a`, '1')).toBe('OK');
  await disconnectRedis(redis);

  const bare = `rediss://127.0.0.1:${other.port}`;
  const usable = async (address: string, more: Readonly<Record<string, string | undefined>>) =>
    assertRedisUsable({ url: address, prefix, access: await accessOf(more), logger, withinMs: 60_000 });
  await expect(usable(bare, {})).rejects.toMatchObject({
    code: 'REDIS_UNUSABLE',
    message: expect.stringMatching(/certificate is for another host.*REDIS_TLS_SERVERNAME/),
  });
  await expect(usable(bare, { REDIS_TLS_SERVERNAME: 'localhost' })).resolves.toBeUndefined();
  await expect(usable(url, { REDIS_TLS_CA_FILE: undefined })).rejects.toMatchObject({
    code: 'REDIS_UNUSABLE',
    message: expect.stringContaining('REDIS_TLS_CA_FILE or NODE_EXTRA_CA_CERTS names authorities to trust'),
  });
});
