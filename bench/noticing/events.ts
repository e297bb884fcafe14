// The events of a fleet, as EventBridge would put them into the queue.
import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelArn, channelIdOf, type StreamId } from '#domain/channel.ts';
import type { EventObservation } from '#domain/observation.ts';
import { observeEvent } from '#intake/events/observe.ts';
import { parseEnvelope } from '#intake/events/schema.ts';

const base36 = (index: number, length: number) => index.toString(36).toUpperCase().padStart(length, '0');

export function channelArnAt(index: number): ChannelArn {
  return `arn:aws:ivs:us-west-2:111122223333:channel/Bench${base36(index, 7)}` as ChannelArn;
}

/** A channel as IVS lists it; a third of them are gold, a third silver. */
export function channelAt(index: number, tags: Readonly<Record<string, string>>): Channel {
  const arn = channelArnAt(index);
  return {
    arn,
    name: `channel-${channelIdOf(arn)}`,
    type: 'STANDARD',
    latencyMode: 'LOW',
    recordingConfigurationArn: '',
    tags: { tier: ['gold', 'silver', 'bronze'][index % 3]!, ...tags },
  };
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

/** What the daemon observes when such a message arrives. */
export function eventOf(body: string, arrivedAtMs: number): EventObservation {
  const parsed = parseEnvelope(body);
  const seen = 'envelope' in parsed ? observeEvent(parsed.envelope, { arrivedAtMs, sources: ['aws.ivs'] }) : undefined;
  if (seen?.kind !== 'observation') throw new Error('the bench made an event that is none');
  return seen.observation;
}

/** More than the daemon receives at once: otherwise a channel would starve and recover within one commit, and there is nothing to decide. */
const inBlock = 100;

/**
 * Two events for each of this many live channels, a second apart: most starve and recover, every tenth ends and is live again. In blocks,
 * so that few channels starve at once: an incident stops rules, and then there is little to decide.
 * @param turn how many blocks came before; each takes two seconds.
 */
export function storyOf(channels: number, turn: number, beganMs: number): string[] {
  const event = (channel: number, isSecond: boolean) => {
    const ends = channel % 10 === 0;
    const name = ends ? (isSecond ? 'Stream Start' : 'Stream End') : `Starvation ${isSecond ? 'End' : 'Start'}`;
    const session = ends ? turn + Number(isSecond) : 0;
    const atMs = beganMs + turn * 2_000 + Number(isSecond) * 1_000;
    return eventBody(name, channelArnAt(channel), streamIdAt(channel, session), atMs);
  };
  const bodies: string[] = [];
  for (let from = 0; from < channels; from += inBlock) {
    const block = Array.from({ length: Math.min(inBlock, channels - from) }, (_, index) => from + index);
    bodies.push(...block.map((channel) => event(channel, false)), ...block.map((channel) => event(channel, true)));
  }
  return bodies;
}
