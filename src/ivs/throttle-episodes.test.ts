import { expect, it } from 'vitest';
import { keptLogger } from '#test/support/quiet.ts';
import { calmMs, type Throttle, ThrottleEpisodes } from './throttle-episodes.ts';

const ofChannel: Throttle = { operation: 'PutMetadata', scope: 'channel', channelId: 'a' };

const story = (lines: readonly Record<string, unknown>[]) =>
  lines.map(({ level, operation, scope }) => [level === 40 ? 'began' : 'ended', operation, scope]);

it('logs a hundred throttles close together as one line, and a second one at their end', () => {
  const { logger, lines } = keptLogger();
  const episodes = new ThrottleEpisodes(logger);

  for (let i = 0; i < 100; i += 1) episodes.met(ofChannel, i * 1000);
  episodes.settle(99_000 + calmMs);
  expect(lines).toHaveLength(1);
  episodes.settle(99_001 + calmMs);
  episodes.settle(99_002 + calmMs);

  expect(lines).toMatchObject([
    { level: 40, code: 'IVS_THROTTLED', operation: 'PutMetadata', scope: 'channel', channelId: 'a' },
    { level: 30, operation: 'PutMetadata', scope: 'channel', throttles: 100, lastedMs: 99_000 },
  ]);
});

it('throttles of one operation do not hide another’s, and those of a channel do not hide the account’s', () => {
  const { logger, lines } = keptLogger();
  const episodes = new ThrottleEpisodes(logger);

  episodes.met({ operation: 'ListStreams', scope: 'account', channelId: undefined }, 0);
  episodes.met(ofChannel, 1);
  episodes.met({ ...ofChannel, scope: 'account' }, 2);
  episodes.met(ofChannel, 3);

  expect(story(lines)).toEqual([
    ['began', 'ListStreams', 'account'],
    ['began', 'PutMetadata', 'channel'],
    ['began', 'PutMetadata', 'account'],
  ]);
});

it('logs a throttle after a calm as a new episode', () => {
  const { logger, lines } = keptLogger();
  const episodes = new ThrottleEpisodes(logger);

  episodes.met(ofChannel, 0);
  episodes.met(ofChannel, calmMs + 1);

  expect(story(lines)).toEqual([
    ['began', 'PutMetadata', 'channel'],
    ['ended', 'PutMetadata', 'channel'],
    ['began', 'PutMetadata', 'channel'],
  ]);
});
