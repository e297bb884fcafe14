// Builds the documents that patterns match and templates print from records, inventory and fresh answers of IVS.
import { type Channel, type ChannelArn, parseChannelArn, type StreamHealth } from '#domain/channel.ts';
import {
  ageSecondsOf,
  type ChannelDocument,
  type SessionDocument,
  type StreamDocument,
  timesOfStream,
} from '#domain/documents.ts';
import { formatDuration } from '#domain/duration.ts';
import { adBreakAt, type StreamRecord } from '#domain/stream-record.ts';

/** The document of a channel of which no stream is known. */
export const offline: StreamDocument = { live: false, state: 'offline', recording: 'none' };

type Unfinished<T> = { -readonly [K in keyof T]?: T[K] };

/** The document of a channel's newest stream at this moment; without a record the channel is offline. */
export function streamDocument(record: StreamRecord | undefined, nowMs: number): StreamDocument {
  if (!record) return offline;
  const { state, streamId, startedAtMs, health, viewerCount, recording, failureReason } = record;
  const live = state === 'live';
  // Built twice for every change of a stream; joining objects would take several times as long.
  const document: Unfinished<StreamDocument> = { live, state, streamId };
  if (startedAtMs !== undefined) {
    document.startTime = new Date(startedAtMs).toISOString();
    if (live) document.ageSeconds = ageSecondsOf(startedAtMs, nowMs);
  }
  if (live) {
    document.adBreak = adBreakAt(record, nowMs) !== undefined;
    document.health = health;
    if (viewerCount !== undefined) document.viewerCount = viewerCount;
  }
  document.recording = recording;
  if (failureReason !== undefined) document.failureReason = failureReason;
  return document as StreamDocument;
}

/** The document according to a fresh GetStream (`undefined`: not broadcasting); what that lacks comes from the record. */
export function freshStreamDocument(
  answer: { streamId: string; health: StreamHealth; viewerCount: number; startTimeMs: number } | undefined,
  record: StreamRecord | undefined,
  nowMs: number,
): StreamDocument {
  if (!answer) {
    const known = streamDocument(record, nowMs);
    if (!known.live) return known;
    const { health: _h, viewerCount: _v, ageSeconds: _a, adBreak: _b, ...rest } = known;
    return { ...rest, live: false, state: 'ended' };
  }
  const known = record?.streamId === answer.streamId ? record : undefined;
  return {
    live: true,
    state: 'live',
    streamId: answer.streamId,
    ...timesOfStream(answer.startTimeMs, { live: true, nowMs }),
    ...(known ? { adBreak: adBreakAt(known, nowMs) !== undefined } : {}),
    health: answer.health,
    ...(answer.viewerCount >= 0 ? { viewerCount: answer.viewerCount } : {}),
    recording: known?.recording ?? 'none',
  };
}

/** The document of a channel; without an inventory entry it has only what its ARN and an event or record say. */
export function channelDocument(arn: ChannelArn, channel: Channel | undefined, knownName = ''): ChannelDocument {
  const parts = parseChannelArn(arn);
  return {
    name: knownName,
    tags: {},
    ...channel,
    arn,
    id: parts?.id ?? '',
    region: parts?.region ?? '',
    account: parts?.account ?? '',
  };
}

/** The times of a record's session, as of now. */
export function sessionDocument(record: StreamRecord, nowMs: number): SessionDocument {
  const { startedAtMs, endedAtMs } = record;
  return {
    id: record.streamId,
    ...(startedAtMs === undefined ? {} : { startedAt: new Date(startedAtMs).toISOString() }),
    ...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs).toISOString() }),
    ...(startedAtMs === undefined ? {} : { duration: formatWholeSeconds((endedAtMs ?? nowMs) - startedAtMs) }),
  };
}

/** A duration for people, without milliseconds. */
export function formatWholeSeconds(ms: number): string {
  return formatDuration(Math.floor(Math.max(0, ms) / 1000) * 1000);
}
