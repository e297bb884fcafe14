import { expect, test } from 'vitest';
import type { ChannelArn, StreamId } from '#domain/channel.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { emptyRecord } from '#streams/session-record.ts';
import { rowOf } from './row.ts';

const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/a' as ChannelArn;
const adBreaks = [{ id: 'a', insertedAtMs: 1, startsAtMs: 11, endsAtMs: 41 }];
const row = (state: StreamRecord['state']) =>
  rowOf({
    arn,
    channel: undefined,
    hold: undefined,
    next: undefined,
    pendingRecording: undefined,
    record: { ...emptyRecord({ channelArn: arn, streamId: 'st-1' as StreamId, nowMs: 0 }), state, adBreaks },
    keyCreatedAtMs: undefined,
    spark: undefined,
  });

test('the row of a live stream has the newest ad break of that stream, and none of another stream', () => {
  expect(row('live').ads).toEqual([11, 41]);
  expect(row('ended').ads).toBeUndefined();
});
