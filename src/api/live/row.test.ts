import { expect, test } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { rowOf } from './row.ts';

const adBreaks = [{ id: 'a', insertedAtMs: 1, startsAtMs: 11, endsAtMs: 41 }];
const parts = { channel: undefined, hold: undefined, next: undefined, pendingRecording: undefined };
const row = (state: StreamRecord['state']) =>
  rowOf({
    ...parts,
    arn: 'arn:aws:ivs:us-west-2:111122223333:channel/a',
    record: { channelArn: 'a' as ChannelArn, state, adBreaks } as StreamRecord,
    keyCreatedAtMs: undefined,
    spark: undefined,
  });

test('the row of a live stream has its newest ad break, and that of another stream none', () => {
  expect(row('live').ads).toEqual([11, 41]);
  expect(row('ended').ads).toBeUndefined();
});
