// How pages of IVS are read for the intake.
import { expect, test } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import { createReader } from './reader.ts';

const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/A' as ChannelArn;
const key = { arn: 'arn:aws:ivs:us-west-2:111122223333:stream-key/k' };

/** A reader whose ListStreamKeys returns these pages. */
function readerOf(pages: readonly { readonly streamKeys: readonly (typeof key)[]; readonly nextToken?: string }[]) {
  const asked: (string | undefined)[] = [];
  const listStreamKeys = async ({ nextToken }: { readonly nextToken?: string }) => {
    asked.push(nextToken);
    return pages[Math.min(asked.length, pages.length) - 1];
  };
  const reader = createReader({ listStreamKeys } as unknown as Parameters<typeof createReader>[0]);
  return { asked, list: () => reader.listStreamKeys(channelArn, {}) };
}

test('an empty first page of stream keys does not mean that the channel has no key', async () => {
  const later = readerOf([
    { streamKeys: [], nextToken: 'b' },
    { streamKeys: [key], nextToken: 'c' },
  ]);
  expect(await later.list()).toEqual([key.arn]);
  expect(later.asked).toEqual([undefined, 'b']);
  expect(await readerOf([{ streamKeys: [], nextToken: 'b' }, { streamKeys: [] }]).list()).toEqual([]);
  await expect(readerOf([{ streamKeys: [], nextToken: 'b' }]).list()).rejects.toMatchObject({
    code: 'IVS_ANSWER_INVALID',
  });
});
