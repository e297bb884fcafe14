// A shard's channels that are all live, in virtual time, and what the daemon would observe: a sweep lists every stream, and in each minute
// a few of them starve, recover, end and start again.
import type { StreamSnapshot } from '#domain/channel.ts';
import type { EventObservation, InventoryObservation, PollObservation } from '#domain/observation.ts';
import { channelArnAt, channelAt, eventBody, eventOf, streamIdAt } from '../noticing/events.ts';

const minute = 60_000;
/** The shares of the channels to which that happens in a minute. */
const starvingShare = 0.002;
const endingShare = 0.001;

export class LiveFleet {
  readonly #channels: number;
  readonly #beganMs: number;
  /** The session of each channel. */
  readonly #sessions: Uint32Array;
  readonly #startedMs: Float64Array;
  #starving: readonly number[] = [];
  #next = 0;

  constructor(channels: number, beganMs: number) {
    this.#channels = channels;
    this.#beganMs = beganMs;
    this.#sessions = new Uint32Array(channels);
    this.#startedMs = new Float64Array(channels).fill(beganMs);
  }

  inventory(atMs: number): InventoryObservation {
    const channels = Array.from({ length: this.#channels }, (_, index) =>
      channelAt(index, { show: `show-${index % 40}` }),
    );
    return { kind: 'inventory', channels, removed: [], atMs, complete: true };
  }

  /** The events of one minute: starving streams recover, others starve, and some sessions end and begin. */
  eventsOf(atMs: number): EventObservation[] {
    const events = this.#starving.map((channel) => this.#event('Starvation End', channel, atMs));
    this.#starving = this.#take(starvingShare);
    events.push(...this.#starving.map((channel) => this.#event('Starvation Start', channel, atMs)));
    for (const channel of this.#take(endingShare)) {
      events.push(this.#event('Stream End', channel, atMs));
      this.#sessions[channel]! += 1;
      this.#startedMs[channel] = atMs;
      events.push(this.#event('Stream Start', channel, atMs));
    }
    return events;
  }

  poll(scope: 'starving' | 'all', atMs: number): PollObservation {
    const starving = new Set(this.#starving);
    const listed = scope === 'starving' ? this.#starving : Array.from(this.#sessions.keys());
    const streams = listed.map((channel): StreamSnapshot => {
      const arn = channelArnAt(channel);
      return {
        channelArn: arn,
        streamId: streamIdAt(channel, this.#sessions[channel]),
        health: starving.has(channel) ? 'STARVING' : 'HEALTHY',
        viewerCount: (channel * 7 + Math.floor((atMs - this.#beganMs) / minute) * 13) % 5_000,
        startTimeMs: this.#startedMs[channel]!,
      };
    });
    const pages = Math.max(1, Math.ceil(streams.length / 100));
    return {
      kind: 'poll',
      scope,
      pollId: `${scope}-${atMs}`,
      startedAtMs: atMs,
      finishedAtMs: atMs,
      complete: true,
      pages,
      streams,
    };
  }

  /** The next channels, in turn. */
  #take(share: number): number[] {
    const count = Math.max(1, Math.round(this.#channels * share));
    return Array.from({ length: count }, () => this.#next++ % this.#channels);
  }

  #event(name: string, channel: number, atMs: number): EventObservation {
    return eventOf(eventBody(name, channelArnAt(channel), streamIdAt(channel, this.#sessions[channel]), atMs), atMs);
  }
}
