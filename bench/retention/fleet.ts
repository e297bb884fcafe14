// A fleet of channels in virtual time, and what the daemon would observe: every channel broadcasts once or twice a day, half of the shows
// starve once, a tenth of the events are lost; every channel and stream is listed.
import type { Channel, StreamSnapshot } from '#domain/channel.ts';
import type { EventObservation, InventoryObservation, PollObservation } from '#domain/observation.ts';
import { channelArnAt, channelAt, eventBody, eventOf, streamIdAt } from '../noticing/events.ts';

const minute = 60_000;
const hour = 60 * minute;
const lostShare = 0.1;
const meanPauseMs = 16 * hour;

interface Show {
  readonly channel: number;
  readonly session: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly starving: readonly [fromMs: number, toMs: number] | undefined;
}

interface Coming {
  readonly name: string;
  readonly show: Show;
  readonly atMs: number;
}

export class Fleet {
  sessions = 0;
  delivered = 0;
  readonly #channels: Channel[];
  readonly #live = new Map<number, Show>();
  /** Events still to happen, in no order. */
  #coming: Coming[] = [];
  #random = 1;

  constructor(channels: number) {
    this.#channels = Array.from({ length: channels }, (_, index) => this.#channelAt(index, 'morning'));
  }

  get live(): number {
    return this.#live.size;
  }

  /** The events of one minute that were delivered, in order. */
  eventsOf(fromMs: number): EventObservation[] {
    const untilMs = fromMs + minute;
    for (const [channel, show] of this.#live) if (show.toMs < untilMs) this.#live.delete(channel);
    for (let channel = 0; channel < this.#channels.length; channel += 1)
      if (!this.#live.has(channel) && this.#chance(minute / meanPauseMs)) this.#begin(channel, fromMs);
    const due = this.#coming.filter(({ atMs }) => atMs < untilMs).toSorted((a, b) => a.atMs - b.atMs);
    this.#coming = this.#coming.filter(({ atMs }) => atMs >= untilMs);
    this.delivered += due.length;
    return due.map(({ name, show: { channel, session }, atMs }) =>
      eventOf(
        eventBody(name, channelArnAt(channel), streamIdAt(channel, session), atMs, `${session}-${name}`),
        untilMs,
      ),
    );
  }

  /** One complete sweep of the live streams. */
  poll(scope: 'starving' | 'all', atMs: number): PollObservation {
    const streams: StreamSnapshot[] = [];
    for (const { channel, session, fromMs, starving } of this.#live.values()) {
      const isStarving = starving !== undefined && atMs >= starving[0] && atMs < starving[1];
      if (scope === 'starving' && !isStarving) continue;
      streams.push({
        channelArn: channelArnAt(channel),
        streamId: streamIdAt(channel, session),
        health: isStarving ? 'STARVING' : 'HEALTHY',
        viewerCount: Math.floor(this.#next() * 5000),
        startTimeMs: fromMs + 6_000,
      });
    }
    return {
      kind: 'poll',
      scope,
      pollId: `${scope}-${atMs}`,
      startedAtMs: atMs,
      finishedAtMs: atMs,
      complete: true,
      pages: Math.max(1, Math.ceil(streams.length / 100)),
      streams,
    };
  }

  /** A full listing of the channels; a hundredth of them got another tag since the last one. */
  inventory(atMs: number): InventoryObservation {
    for (let index = 0; index < this.#channels.length; index += 1)
      if (this.#chance(0.01)) this.#channels[index] = this.#channelAt(index, this.#chance(0.5) ? 'evening' : 'night');
    return { kind: 'inventory', channels: [...this.#channels], removed: [], atMs, complete: true };
  }

  /** Tags that the example rules match: most channels have some, a few have all. */
  #channelAt(index: number, show: string): Channel {
    return channelAt(index, {
      ...(index % 2 === 0 ? { 'key-rotation': 'on-stream-end' } : {}),
      ...(index % 5 === 0 ? { record: 'scheduled' } : {}),
      ...(index % 10 === 0 ? { show } : {}),
    });
  }

  #begin(channel: number, fromMs: number): void {
    const beginsMs = fromMs + 1000 * Math.floor(this.#next() * 60);
    const starvesMs = beginsMs + 10 * minute;
    this.sessions += 1;
    const show: Show = {
      channel,
      session: this.sessions,
      fromMs: beginsMs,
      toMs: beginsMs + hour + Math.floor(this.#next() * 3 * hour),
      starving: this.#chance(0.5) ? [starvesMs, starvesMs + 5 * minute] : undefined,
    };
    this.#live.set(channel, show);
    const [starvesFromMs, starvesToMs] = show.starving ?? [];
    const events: readonly (readonly [name: string, atMs: number | undefined])[] = [
      ['Session Created', beginsMs],
      ['Stream Start', beginsMs + 6_000],
      ['Starvation Start', starvesFromMs],
      ['Starvation End', starvesToMs],
      ['Session Ended', show.toMs],
      ['Stream End', show.toMs],
    ];
    for (const [name, atMs] of events)
      if (atMs !== undefined && !this.#chance(lostShare)) this.#coming.push({ name, show, atMs });
  }

  #chance(share: number): boolean {
    return this.#next() < share;
  }

  /** The same numbers in every run: a linear congruential generator. */
  #next(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random / 4_294_967_296;
  }
}
