import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { log } from '#domain/state-key.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { MemoryState } from '#store/memory-state.ts';
import { MergedLog, Reach } from './reach.ts';

const said = log<{ readonly text: string }>('said');

test('with a Redis for each account, one that is away does not block the log of the other account', async () => {
  const now = () => 0;
  const here = new MemoryState({ now });
  const away = new MemoryState({ now });
  await here.transact((tx) => tx.append(said, { text: 'hello' }, 10));
  away.readLog = async () => {
    throw new AppError('REDIS_UNREACHABLE', 'the server is away');
  };
  const main = { name: 'main', region: 'us-west-2', accountId: '111122223333', state: here };
  const sports = { name: 'sports', region: 'eu-west-1', accountId: '222233334444', state: away };
  const merged = new MergedLog(here, new Reach(new ShardDirectory<typeof main>([main, sports])));

  const found = await merged.readLog(said, { limit: 5 });
  expect(found.map(({ entry }) => entry.text)).toEqual(['hello']);
  expect(merged.unasked).toEqual([{ account: 'sports', code: 'REDIS_UNREACHABLE', reason: 'the server is away' }]);
});
