import { describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { parseRedisUrl, redisAddressText } from './redis-url.ts';

const refusal = (text: string): AppError => {
  try {
    parseRedisUrl(text);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
};

describe('addresses that can be used', () => {
  const plain = { tls: false, host: 'h', port: 6379, username: undefined, password: undefined, database: 0 };
  test.each([
    ['redis://h', plain],
    ['redis://h/', plain],
    ['REDIS://h:6380/15', { ...plain, port: 6380, database: 15 }],
    ['rediss://cache_1.example-x.com:6379', { ...plain, tls: true, host: 'cache_1.example-x.com' }],
    ['redis://127.0.0.1:1', { ...plain, host: '127.0.0.1', port: 1 }],
    ['redis://[::1]:6379/2', { ...plain, host: '::1', database: 2 }],
    ['redis://:secret@h', { ...plain, password: 'secret' }],
    ['redis://app:secret@h', { ...plain, username: 'app', password: 'secret' }],
    ['redis://app:@h', { ...plain, username: 'app', password: '' }],
    ['redis://a%40b:p%40ss%3Aw%2Frd%23%25%3F@h', { ...plain, username: 'a@b', password: 'p@ss:w/rd#%?' }],
    ['redis://app:p@ss:word@h', { ...plain, username: 'app', password: 'p@ss:word' }],
    ['redis://@h', plain],
  ])('%s', (text, address) => {
    expect(parseRedisUrl(text)).toEqual(address);
  });

  test('its text for people has no user and no password', () => {
    expect(redisAddressText(parseRedisUrl('rediss://app:secret@[::1]:1/3'))).toBe('rediss://[::1]:1/3');
  });
});

describe('addresses that cannot be used: one line that names REDIS_URL and no part of the password', () => {
  test.each([
    ['', /is empty/],
    ['   ', /is empty/],
    [' redis://u:s3cr3t@h', /space/],
    ['redis://u:s3cr3t@h\n', /line break/],
    ['redis://u:s3 cr3t@h', /space/],
    ['redis://u:s3cr3t@h/notanumber', /database/],
    ['redis://u:s3cr3t@h/-1', /database/],
    ['redis://u:s3cr3t@h/1.5', /database/],
    ['redis://u:s3cr3t@h/2/', /database/],
    ['redis://u:s3cr3t@h/99999999999', /database/],
    ['redis://u:s3cr3t@h/4294967296', /database/],
    ['rediss://app:s3cr3t@ss:w/rd#@host:6379', /%40.*%3A.*%2F.*%23/],
    ['redis://app:s3cr3t/x@host', /%2F/],
    ['redis://app:s3cr3t#x@host', /%23/],
    ['redis://app:s3cr3t?x@host', /%3F/],
    ['redis://app:s3cr3t%@host', /%25/],
    ['redis://app:s3cr3t%zz@host', /%25/],
    ['redis://app:s3cr3t%ff@host', /%25/],
    ['redis://app:s3cr3t', /port.*%40/],
    ['redis://s3cr3t@host', /no password/],
    ['redis://u:s3cr3t@host:', /port/],
    ['redis://u:s3cr3t@host:0', /port/],
    ['redis://u:s3cr3t@host:65536', /port/],
    ['redis://u:s3cr3t@host:63x9', /port/],
    ['redis://u:s3cr3t@host:-1', /port/],
    ['redis://u:s3cr3t@', /no host/],
    ['redis://', /no host/],
    ['redis://:6379', /no host/],
    ['redis://6379', /host/],
    ['redis://u:s3cr3t@::1', /brackets/],
    ['redis://u:s3cr3t@::1:6379', /brackets/],
    ['redis://u:s3cr3t@[::1', /brackets/],
    ['redis://u:s3cr3t@[::zz]:6379', /host/],
    ['redis://u:s3cr3t@ho!st', /host/],
    ['redis://u:s3cr3t@host?family=6', /\?/],
    ['redis://u:s3cr3t@host/0?db=5', /\?/],
    ['redis://u:s3cr3t@host/0#x', /#/],
    ['localhost:6379', /begin with redis:\/\//],
    ['u:s3cr3t@localhost:6379', /begin with redis:\/\//],
    ['redis:s3cr3t', /begin with redis:\/\//],
    ['tcp://u:s3cr3t@host', /begin with redis:\/\//],
    ['http://u:s3cr3t@127.0.0.1:6379', /http:\/\//],
    ['https://u:s3cr3t@127.0.0.1:6379', /https:\/\//],
    ['/var/run/redis.sock', /unix socket/],
    ['unix:///var/run/redis.sock', /unix socket/],
    ['redis:///var/run/redis.sock', /unix socket/],
    ['redis+socket:///var/run/redis.sock', /unix socket/],
    ['redis+sentinel://u:s3cr3t@host:26379/mymaster', /sentinel/],
    ['rediss+sentinel://u:s3cr3t@h1:26379,h2:26379/mymaster/1', /sentinel/],
    ['redis+cluster://u:s3cr3t@host', /cluster/],
    ['redis://u:s3cr3t@h1:6379,h2:6379', /several servers.*cluster/],
  ])('%s', (text, says) => {
    const { code, message } = refusal(text);
    expect({ code, message }).toEqual({ code: 'REDIS_URL_INVALID', message: expect.stringMatching(says) });
    expect(message).toMatch(/^REDIS_URL /);
    expect(message).not.toMatch(/s3 ?cr3t|\n/);
  });
});
