// Builds the documents that rules look at (domain/facts.ts) from what the state knows. Pure; unknown fields are left out.
import type { Channel, ChannelArn } from '#domain/channel.ts';
import { parseChannelArn } from '#domain/channel.ts';
import { formatDuration } from '#domain/duration.ts';
import type { ChannelFacts, SessionFacts, StreamFacts } from '#domain/facts.ts';
import type { StreamRecord } from '#domain/stream-record.ts';

const offline: StreamFacts = { live: false, state: 'offline', recording: 'none' };

/** What is known of a channel's newest stream. Health and viewers belong to a live stream: an ended one has none. */
export function streamFacts(record: StreamRecord | undefined): StreamFacts {
  if (!record) return offline;
  const live = record.state === 'live';
  return {
    live,
    state: record.state,
    streamId: record.streamId,
    ...(live ? { health: record.health } : {}),
    ...(live && record.viewerCount !== undefined ? { viewerCount: record.viewerCount } : {}),
    recording: record.recording,
    ...(record.failureReason === undefined ? {} : { failureReason: record.failureReason }),
  };
}

/** What is known of a channel; `name` is one that an event told, for a channel the inventory does not know yet. */
export function channelFacts(arn: ChannelArn, channel: Channel | undefined, name = ''): ChannelFacts {
  const parts = parseChannelArn(arn);
  return {
    arn,
    id: parts?.id ?? '',
    region: parts?.region ?? '',
    account: parts?.account ?? '',
    name: channel?.name ?? name,
    ...(channel
      ? {
          type: channel.type,
          latencyMode: channel.latencyMode,
          recordingConfigurationArn: channel.recordingConfigurationArn,
        }
      : {}),
    tags: channel?.tags ?? {},
  };
}

/** The session in time; `nowMs` ends the duration of a live one. */
export function sessionFacts(record: StreamRecord, nowMs: number): SessionFacts {
  const { streamId, startedAtMs, endedAtMs } = record;
  return {
    id: streamId,
    ...(startedAtMs === undefined ? {} : { startedAt: new Date(startedAtMs).toISOString() }),
    ...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs).toISOString() }),
    ...(startedAtMs === undefined ? {} : { duration: inSeconds((endedAtMs ?? nowMs) - startedAtMs) }),
  };
}

/** A duration as people read it: whole seconds. */
export function inSeconds(ms: number): string {
  return formatDuration(Math.max(0, Math.floor(ms / 1000)) * 1000);
}
