// The events of a fleet, as EventBridge would put them into the queue.
import { randomUUID } from 'node:crypto';
import type { ChannelArn, StreamId } from '#domain/channel.ts';

const base36 = (index: number, length: number) => index.toString(36).toUpperCase().padStart(length, '0');

export function channelArnAt(index: number): ChannelArn {
  return `arn:aws:ivs:us-west-2:111122223333:channel/Bench${base36(index, 7)}` as ChannelArn;
}

export function streamIdAt(index: number, session = 0): StreamId {
  return `st-${base36(session, 8)}${base36(index, 15)}` as StreamId;
}

/** The message body of one event. */
export function eventBody(
  name: string,
  channelArn: string,
  streamId: string,
  atMs: number,
  id: string = randomUUID(),
): string {
  const isHealth = name.startsWith('Starvation');
  return JSON.stringify({
    version: '0',
    id,
    'detail-type': isHealth ? 'IVS Stream Health Change' : 'IVS Stream State Change',
    source: 'aws.ivs',
    account: '111122223333',
    time: new Date(Math.floor(atMs / 1000) * 1000).toISOString().replace('.000Z', 'Z'),
    region: 'us-west-2',
    resources: [channelArn],
    detail: { event_name: name, channel_name: '', stream_id: streamId },
  });
}

/** `count` events over `channels` channels: each goes live, starves and recovers again and again. */
export function storyOf(channels: number, count: number, nowMs: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const channel = index % channels;
    const round = Math.floor(index / channels);
    const name = round === 0 ? 'Stream Start' : round % 2 === 1 ? 'Starvation Start' : 'Starvation End';
    return eventBody(name, channelArnAt(channel), streamIdAt(channel), nowMs - 60_000 + round * 1000);
  });
}
