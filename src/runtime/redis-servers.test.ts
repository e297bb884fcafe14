import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { redisOfFile } from './redis-servers.ts';

const setting = 'accounts[1].redis_url_file (eu)';
const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function fileOf(text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-redis-url-'));
  folders.push(folder);
  const path = join(folder, 'redis_url');
  await writeFile(path, text);
  const told: string[] = [];
  const secrets: string[] = [];
  return {
    path,
    told,
    secrets,
    read: () =>
      redisOfFile({
        path,
        setting,
        logger: { warn: (...said: unknown[]) => void told.push(said.join(' ')) },
        onSecret: (secret) => void secrets.push(secret),
      }),
  };
}

describe('an address in a file', () => {
  test.each([
    ['a server', 'redis://one:6380/2\n', 'redis://one:6380/2'],
    ['with TLS, user and password', 'rediss://app:pw%40@one', 'rediss://one:6379/0'],
    ['nodes of a cluster', 'redis://one,two:7000\r\n', 'redis://one:6379,two:7000/0'],
    ['sentinels', 'redis+sentinel://:pw@h1,h2:26380/mymaster', 'redis+sentinel://h1:26379,h2:26380/mymaster/0'],
  ])('may be that of %s', async (_, text, address) => {
    const { read } = await fileOf(text);
    expect(read()).toMatchObject({ url: text.trimEnd(), address, noteAddress: address, setting });
  });

  test('uses the current password for each connection', async () => {
    const { path, read, secrets } = await fileOf('redis://app:first@one');
    const { access } = read();
    expect(await access!.credentials()).toEqual({ username: 'app', password: 'first' });
    await writeFile(path, 'redis://app:second@one\n');
    expect(await access!.credentials()).toEqual({ username: 'app', password: 'second' });
    await writeFile(path, 'redis://one');
    expect(await access!.credentials()).toEqual({ username: undefined, password: undefined });
    expect(secrets).toEqual(['first', 'second']);
  });

  test('keeps its last content while it cannot be read or names another server, and reports that once', async () => {
    const { path, read, told, secrets } = await fileOf('redis://:first@one');
    const { access } = read();
    await writeFile(path, 'redis://:other@two');
    for (let turn = 0; turn < 2; turn += 1)
      expect(await access!.credentials()).toEqual({ username: undefined, password: 'first' });
    await writeFile(path, '');
    expect(await access!.credentials()).toMatchObject({ password: 'first' });
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`${setting}: the file names another server now (redis://two:6379/0): restart to use it`);
    expect(secrets).toEqual(['first']);
    await writeFile(path, 'redis://:third@one');
    expect(await access!.credentials()).toMatchObject({ password: 'third' });
    await rm(path);
    expect(await access!.credentials()).toMatchObject({ password: 'third' });
    expect(told).toHaveLength(2);
    expect(told[1]).toContain('ENOENT');
  });
});

describe('a file that cannot be used is reported with its setting, and without any part of the address', () => {
  const refusal = (message: RegExp) =>
    expect.objectContaining({ code: 'REDIS_URL_INVALID', message: expect.stringMatching(message) });

  test.each([
    ['is empty', '\n', /^accounts\[1\]\.redis_url_file \(eu\) names a file that cannot be read: it is empty$/],
    ['is no address', 'secret-host:6379', /^accounts\[1\]\.redis_url_file \(eu\) must begin with redis:\/\//],
    [
      'has two lines',
      'redis://one\nredis://two\n',
      /^accounts\[1\]\.redis_url_file \(eu\) contains a space, a line break/,
    ],
    ['names a socket', 'unix:///run/redis.sock', /is the path of a unix socket/],
    ['is too large', `redis://${'a'.repeat(70_000)}`, /it is larger than 65536 bytes$/],
  ])('that %s', async (_, text, message) => {
    const { read } = await fileOf(text);
    expect(read).toThrow(refusal(message));
    expect(read).not.toThrow(/secret/);
  });

  test('that does not exist, is a folder, may not be read, or is a pipe that nobody writes to', async () => {
    const { path } = await fileOf('redis://one');
    const read = (name: string) => () =>
      redisOfFile({ path: name, setting, logger: { warn: () => undefined }, onSecret: () => undefined });
    expect(read(`${path}-gone`)).toThrow(refusal(/^accounts\[1\].*ENOENT/));
    expect(read(tmpdir())).toThrow(refusal(/it is not a regular file$/));
    execFileSync('mkfifo', [`${path}-pipe`]);
    expect(read(`${path}-pipe`)).toThrow(refusal(/it is not a regular file$/));
    await chmod(path, 0);
    // Root may read it anyway.
    if (process.getuid?.() !== 0) expect(read(path)).toThrow(refusal(/EACCES/));
  });
});
