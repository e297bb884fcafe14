// What the shared state knows of one channel.
import type { Channel, ChannelArn } from '#domain/channel.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { ArchivedSessions, PastSessions } from '#domain/stream-memory.ts';
import type { StreamRecord } from '#domain/stream-record.ts';

export function streamOf(view: StateView, arn: ChannelArn): StreamRecord | undefined {
  return view.get(kinds.stream.of(arn));
}

export function pastOf(view: StateView, arn: ChannelArn): PastSessions {
  return view.get(kinds.past.of(arn)) ?? [];
}

export function archivedOf(view: StateView, arn: ChannelArn): ArchivedSessions {
  return view.get(kinds.rested.of(arn)) ?? {};
}

export function channelOf(view: StateView, arn: ChannelArn): Channel | undefined {
  return view.get(kinds.channel.of(arn));
}

/** A session among those that may still be amended. */
export function knownSession(view: StateView, arn: ChannelArn, streamId: string): StreamRecord | undefined {
  return [streamOf(view, arn), ...pastOf(view, arn)].find((record) => record?.streamId === streamId);
}
