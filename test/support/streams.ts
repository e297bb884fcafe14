// Observations for tests of intake: events and sweeps in the form that intake makes, and a state in memory to apply them to.
import type { ChannelArn, StreamHealth, StreamId, StreamSnapshot } from '#domain/channel.ts';
import type { EventObservation, Observation, PollObservation } from '#domain/observation.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import type { DraftTransaction } from '#store/local-copy.ts';
import { MemoryState } from '#store/memory-state.ts';
import { applyObservation, splitObservation } from '#streams/changes.ts';
import { streamOf } from '#streams/keys.ts';

/** 2026-11-20T10:00:00Z. */
export const startMs = Date.UTC(2026, 10, 20, 10);

export function arnOf(id: string): ChannelArn {
  return `arn:aws:ivs:us-west-2:111122223333:channel/${id}` as ChannelArn;
}

export function streamIdFor(name: string): StreamId {
  return `st-${name.replaceAll(/[^A-Za-z0-9]/g, '').padEnd(23, '0')}` as StreamId;
}

const healthEvents = ['Starvation Start', 'Starvation End'];

/** An event as it leaves the queue; `at` and `arrived` in ms after `startMs`. */
export function event(
  name: string,
  {
    channel,
    stream,
    at,
    arrived = at,
    id = `${channel}-${stream}-${name}-${at}`,
    detail = {},
  }: {
    channel: string;
    stream: string;
    at: number;
    arrived?: number;
    id?: string;
    detail?: Readonly<Record<string, unknown>>;
  },
): EventObservation {
  const type = healthEvents.includes(name)
    ? 'IVS Stream Health Change'
    : name.startsWith('Recording ')
      ? 'IVS Recording State Change'
      : name.startsWith('Ingest ')
        ? 'IVS Limit Breach'
        : name.startsWith('Ad Break ')
          ? 'IVS Ad Break State Change'
          : 'IVS Stream State Change';
  const field = { 'IVS Recording State Change': 'recording_status', 'IVS Limit Breach': 'limit_name' }[type as string];
  const eventTimeMs = Math.floor((startMs + at) / 1000) * 1000;
  return {
    kind: 'event',
    channelArn: arnOf(channel),
    eventTimeMs,
    arrivedAtMs: startMs + arrived,
    envelope: {
      version: '0',
      id,
      'detail-type': type,
      source: 'aws.ivs',
      account: '111122223333',
      time: new Date(eventTimeMs).toISOString().replace('.000Z', 'Z'),
      region: 'us-west-2',
      resources: [arnOf(channel)],
      detail: { [field ?? 'event_name']: name, channel_name: channel, stream_id: streamIdFor(stream), ...detail },
    },
  };
}

export function snapshot(
  channel: string,
  stream: string,
  { health = 'HEALTHY', viewers = 0, started = 0 }: { health?: StreamHealth; viewers?: number; started?: number } = {},
): StreamSnapshot {
  return {
    channelArn: arnOf(channel),
    streamId: streamIdFor(stream),
    health,
    viewerCount: viewers,
    startTimeMs: startMs + started,
  };
}

/** A sweep that took `took` ms from `at`. */
export function poll(
  scope: PollObservation['scope'],
  {
    at,
    took = 100,
    streams = [],
    complete = true,
    everyMs,
    pages = Math.max(1, Math.ceil(streams.length / 100)),
  }: { at: number; took?: number; streams?: StreamSnapshot[]; complete?: boolean; everyMs?: number; pages?: number },
): PollObservation {
  const startedAtMs = startMs + at;
  return {
    kind: 'poll',
    scope,
    pollId: `${scope}-${at}`,
    startedAtMs,
    finishedAtMs: startedAtMs + took,
    ...(everyMs === undefined ? {} : { everyMs }),
    complete,
    pages,
    streams,
  };
}

/** A state in memory whose clock follows the observations. */
export class Noticing {
  nowMs = startMs;
  readonly changes: StreamChange[] = [];
  /** How many entries each commit wrote, in order. */
  readonly written: number[] = [];
  readonly state = new MemoryState({ now: () => this.nowMs });
  readonly retentionMs = 60 * 86_400_000;

  /** Applies observations one after another; time never goes back. */
  async see(...observations: Observation[]): Promise<readonly StreamChange[]> {
    const seen: StreamChange[] = [];
    for (const observation of observations) {
      this.nowMs = Math.max(this.nowMs, arrivalOf(observation));
      for (const piece of splitObservation(observation, this.state.view))
        seen.push(
          ...(await this.state.transact((tx) => {
            const changes = applyObservation(tx, piece, { retentionMs: this.retentionMs });
            this.written.push((tx as DraftTransaction).writes.size);
            return changes;
          })),
        );
    }
    this.changes.push(...seen);
    return seen;
  }

  record(channel: string): StreamRecord | undefined {
    return streamOf(this.state.view, arnOf(channel));
  }
}

function arrivalOf(observation: Observation): number {
  switch (observation.kind) {
    case 'event':
      return observation.arrivedAtMs;
    case 'poll':
      return observation.finishedAtMs;
    case 'http':
    case 'inventory':
    case 'data_gap':
    case 'history':
    case 'keys':
      return observation.atMs;
  }
}
