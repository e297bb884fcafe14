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
  const none = { tls: false, master: undefined, username: undefined, password: undefined, database: 0 };
  const node = (host: string, port = 6379) => ({ host, port });
  const plain = { ...none, nodes: [node('h')] };
  test.each([
    ['redis://h', plain],
    ['redis://h/', plain],
    ['REDIS://h:6380/15', { ...plain, nodes: [node('h', 6380)], database: 15 }],
    ['rediss://cache_1.example-x.com:6379', { ...plain, tls: true, nodes: [node('cache_1.example-x.com')] }],
    ['redis://127.0.0.1:1', { ...plain, nodes: [node('127.0.0.1', 1)] }],
    ['redis://[::1]:6379/2', { ...plain, nodes: [node('::1')], database: 2 }],
    ['redis://:secret@h', { ...plain, password: 'secret' }],
    ['redis://app:secret@h', { ...plain, username: 'app', password: 'secret' }],
    ['redis://app:@h', { ...plain, username: 'app', password: '' }],
    ['redis://a%40b:p%40ss%3Aw%2Frd%23%25%3F@h', { ...plain, username: 'a@b', password: 'p@ss:w/rd#%?' }],
    ['redis://app:p@ss:word@h', { ...plain, username: 'app', password: 'p@ss:word' }],
    ['redis://@h', plain],
    ['redis://one,two:7001,[::1]:7002', { ...none, nodes: [node('one'), node('two', 7001), node('::1', 7002)] }],
    ['redis://one,two/0', { ...none, nodes: [node('one'), node('two')] }],
    [
      'rediss://app:se,cret@one:7000,two:7001/',
      { ...none, tls: true, username: 'app', password: 'se,cret', nodes: [node('one', 7000), node('two', 7001)] },
    ],
    ['redis+sentinel://h/mymaster', { ...none, master: 'mymaster', nodes: [node('h', 26379)] }],
    [
      'redis+sentinel://app:secret@h1:26380,h2/my_master.1-a/3',
      {
        ...none,
        username: 'app',
        password: 'secret',
        master: 'my_master.1-a',
        nodes: [node('h1', 26380), node('h2', 26379)],
        database: 3,
      },
    ],
    ['REDISS+SENTINEL://[::1]:1/m/', { ...none, tls: true, master: 'm', nodes: [node('::1', 1)] }],
  ])('%s', (text, address) => {
    expect(parseRedisUrl(text)).toEqual(address);
  });

  test.each([
    ['rediss://app:secret@[::1]:1/3', 'rediss://[::1]:1/3'],
    ['redis://app:secret@one,two:7001', 'redis://one:6379,two:7001/0'],
    ['rediss+sentinel://app:secret@h1,h2:7/m/2', 'rediss+sentinel://h1:26379,h2:7/m/2'],
  ])('the text of %s for people contains no user and no password', (text, shown) => {
    expect(redisAddressText(parseRedisUrl(text))).toBe(shown);
  });
});

describe('addresses that cannot be used get one line that names REDIS_URL and no part of the password', () => {
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
    ['redis+sentinel://u:s3cr3t@host:26379', /which primary/],
    ['redis+sentinel://u:s3cr3t@host:26379/', /which primary/],
    ['redis+sentinel://u:s3cr3t@host:26379/0', /which primary/],
    ['redis+sentinel://u:s3cr3t@host:26379//1', /which primary/],
    ['redis+sentinel://u:s3cr3t@/mymaster', /no host/],
    ['redis+sentinel://u:s3cr3t@host/my%20master', /name of a primary/],
    ['redis+sentinel://u:s3cr3t@host/mymaster/x', /database/],
    ['redis+sentinel://u:s3cr3t@host/mymaster/1/2', /database/],
    ['redis+sentinel://u:s3cr3t@host/mymaster?db=1', /\?/],
    ['sentinel://u:s3cr3t@host/mymaster', /redis\+sentinel:\/\//],
    ['redis+cluster://u:s3cr3t@host', /cluster/],
    ['redis://u:s3cr3t@h1:6379,h2:6379/1', /database 0 only/],
    ['redis://u:s3cr3t@h1:6379,', /comma/],
    ['redis://u:s3cr3t@,h1', /comma/],
    ['redis://u:s3cr3t@h1,,h2', /comma/],
    ['redis://u:s3cr3t@h1,h2:0', /port/],
    ['redis://u:s3cr3t@h1,::1', /brackets/],
    [`redis://u:s3cr3t@${Array.from({ length: 101 }, (_, index) => `h${index}`).join(',')}`, /more than 100/],
  ])('%s', (text, says) => {
    const { code, message } = refusal(text);
    expect({ code, message }).toEqual({ code: 'REDIS_URL_INVALID', message: expect.stringMatching(says) });
    expect(message).toMatch(/^REDIS_URL /);
    expect(message).not.toMatch(/s3 ?cr3t|\n/);
  });
});
