// Records of streams without src/streams: a change is applied to what is known of a channel, as the reconciler would report it.
import { type ChannelArn, channelIdOf, type StreamId } from '#domain/channel.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';

/** A healthy live stream without a viewer count, by the channel's id. */
function newRecord(channelArn: ChannelArn, atMs: number): StreamRecord {
  const id = channelIdOf(channelArn);
  return {
    channelArn,
    streamId: `st-${id.padStart(23, '0')}` as StreamId,
    channelName: id,
    state: 'live',
    stateSinceMs: atMs,
    startedAtMs: atMs,
    endedAtMs: undefined,
    health: 'HEALTHY',
    healthSinceMs: atMs,
    viewerCount: undefined,
    viewerCountAtMs: undefined,
    recording: 'none',
    recordingSinceMs: undefined,
    recordingPrefix: undefined,
    limitBreaches: [],
    takeoverAtMs: undefined,
    failureReason: undefined,
    evidence: {},
    timeline: [],
    basis: { missed: [] },
  };
}

/** Changes the record of a channel's stream; the changed fields count from now, unless the change says since when. */
export function foldStream(tx: Transaction, channelArn: ChannelArn, change: Partial<StreamRecord>): StreamChange {
  const { nowMs } = tx;
  const before = tx.get(kinds.stream.of(channelArn));
  const base = before ?? newRecord(channelArn, nowMs);
  const moved = <K extends keyof StreamRecord>(field: K) =>
    change[field] !== undefined && change[field] !== base[field];
  const isNewSession = moved('streamId');
  const after: StreamRecord = {
    ...base,
    ...(moved('state') || isNewSession ? { stateSinceMs: nowMs } : {}),
    ...(moved('health') || isNewSession ? { healthSinceMs: nowMs } : {}),
    ...(moved('viewerCount') ? { viewerCountAtMs: nowMs } : {}),
    ...change,
  };
  tx.set(kinds.stream.of(channelArn), after);
  return { kind: 'stream', channelArn, before, after, atMs: nowMs };
}
