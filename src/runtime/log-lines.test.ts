import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { createLogger, Scrubber } from './logger.ts';

const clock = /^\d\d:\d\d:\d\d /;

/** What a logger for a terminal writes, without the time of day. */
function written(log: (logger: ReturnType<typeof createLogger>) => void, stacks = false): string[] {
  const lines: string[] = [];
  const scrubber = new Scrubber();
  scrubber.hide('sk_us-west-2_secret', 'stream key');
  const destination = { write: (text: string) => void lines.push(...text.trimEnd().split('\n')) };
  log(createLogger({ level: 'info', scrubber, destination, pretty: { colour: false, stacks } }));
  return lines.map((line) => line.replace(clock, ''));
}

test('a line says what happened, followed by its fields', () => {
  expect(
    written((logger) => logger.child({ stage: 'http' }).info({ url: 'http://x', note: 'a b' }, 'the API listens')),
  ).toEqual(['info  the API listens stage=http url=http://x note="a b"']);
});

test('a duration in milliseconds is written as people write it, and a time in milliseconds stays', () => {
  const fields = { lastedMs: 142_437, tookMs: 1_830, waitMs: 40, atMs: 1_760_000_000_000, ms: 5_000 };
  expect(written((logger) => logger.info(fields, 'done'))).toEqual([
    'info  done lasted=2m22s took=1s830ms wait=40ms atMs=1760000000000 ms=5000',
  ]);
});

test('an error is a sentence, its cause, and what to do, without braces or a stack', () => {
  const cause = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
  const err = new AppError('CONFIG_NOT_FOUND', 'The file a.yaml cannot be read', { cause });
  const lines = written((logger) => logger.fatal({ code: err.code, err }, 'the daemon cannot run'));

  expect(lines.slice(0, 3)).toEqual([
    'FATAL the daemon cannot run [CONFIG_NOT_FOUND]',
    '               The file a.yaml cannot be read',
    '               because: ENOENT: no such file',
  ]);
  expect(lines[3]).toMatch(/^ +To do: Set AUTOPILOT_CONFIG/);
  expect(lines).toHaveLength(4);
  expect(lines.join('\n')).not.toMatch(/[{}]|\n +at /);
});

test('the remedy appears once for consecutive errors of one kind', () => {
  const lines = written((logger) => {
    for (const place of ['a:1', 'a:2']) logger.error({ code: 'CONFIG_INVALID' }, `${place} unknown key`);
  });

  expect(lines.filter((line) => line.includes('To do:'))).toHaveLength(1);
  expect(lines).toContain('ERROR a:2 unknown key [CONFIG_INVALID]');
});

test.each([
  ['info', false],
  ['debug', true],
])('JSON at level %s has stacks of known errors and of their causes: %s', (level, shown) => {
  const lines: string[] = [];
  const logger = createLogger({
    level,
    scrubber: new Scrubber(),
    destination: { write: (text) => void lines.push(text) },
  });
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  logger.warn({ err: reset }, 'one');
  logger.warn({ err: new AppError('REDIS_UNREACHABLE', 'away', { cause: new Error('Connection is closed.') }) }, 'two');
  logger.error({ err: new TypeError('x is not a function') }, 'a bug');

  const [one, two, bug] = lines.map((line) => line.includes('"stack"'));
  expect([one, two, bug]).toEqual([shown, shown, true]);
});

test('stacks appear on request', () => {
  const lines = written(
    (logger) => logger.error({ err: new TypeError('x is not a function') }, 'a request failed'),
    true,
  );

  expect(lines.some((line) => line.trim().startsWith('at '))).toBe(true);
});

test.each([
  ['redis://app:word@h:6379/0', 'redis://app:[password]@h:6379/0'],
  ['rediss://:wo@rd@one:7000,two:7001', 'rediss://:[password]@one:7000,two:7001'],
  ['redis+sentinel://app:word@h:26379/name', 'redis+sentinel://app:[password]@h:26379/name'],
  ['REDISS+SENTINEL://:word@h/name', 'REDISS+SENTINEL://:[password]@h/name'],
])('the password is removed from an address of Redis: %s', (address, shown) => {
  expect(written((logger) => logger.info(`not used: ${address}, of 2`))).toEqual([`info  not used: ${shown}, of 2`]);
});

test('secrets and terminal control characters are removed, and circular causes end', () => {
  const err: Error & { cause?: unknown } = new Error('sk_us-west-2_secret \u001b[2J');
  err.cause = err;
  const text = written((logger) => logger.error({ err, '\u001b[31m': '\r\n' }, 'a\u001b]0;x\u0007b')).join('\n');

  expect(text).not.toContain('secret');
  // oxlint-disable-next-line eslint/no-control-regex -- they are what must not come out.
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});
