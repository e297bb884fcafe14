// The true state of the channels in the virtual hour, and the events and streams that IVS would report about it.
import type { StreamHealth, StreamSnapshot } from '#domain/channel.ts';
import type { EventObservation } from '#domain/observation.ts';
import { event, snapshot } from './streams.ts';

export const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;

interface Truth {
  stream: number;
  live: boolean;
  startedAt: number;
  health: StreamHealth;
}

export class VirtualFleet {
  /** Time since the beginning, ms. */
  readonly #at: () => number;
  readonly #truth = new Map<string, Truth>(
    names.map((name) => [name, { stream: 0, live: false, startedAt: 0, health: 'HEALTHY' }]),
  );
  #serial = 0;

  constructor(at: () => number) {
    this.#at = at;
  }

  of(name: string): Readonly<Truth> {
    return this.#truth.get(name)!;
  }

  newId(): string {
    this.#serial += 1;
    return `e${this.#serial}`;
  }

  begin(name: string): EventObservation {
    const truth = this.#truth.get(name)!;
    Object.assign(truth, { stream: truth.stream + 1, live: true, startedAt: this.#at(), health: 'HEALTHY' });
    return this.#event('Stream Start', name);
  }

  end(name: string): EventObservation {
    const told = this.#event('Stream End', name);
    Object.assign(this.#truth.get(name)!, { live: false, health: 'HEALTHY' });
    return told;
  }

  health(name: string, health: StreamHealth): EventObservation {
    this.#truth.get(name)!.health = health;
    return this.#event(health === 'STARVING' ? 'Starvation Start' : 'Starvation End', name);
  }

  /** A breach of a limit of the account: it names no channel. */
  breach(): EventObservation {
    const { envelope, ...rest } = this.#event('Ingest Bitrate', 'a');
    const detail = { limit_name: 'Concurrent Viewers', limit_value: 1, exceeded_by: 1, limit_unit: 'viewers' };
    return { ...rest, channelArn: undefined, envelope: { ...envelope, resources: [], detail } };
  }

  /** Dated before its session, in the future, of an unknown session, or with an unknown name. */
  odd(name: string, which: 0 | 1 | 2 | 3): EventObservation {
    const minute = 60_000;
    if (which === 0) return this.#event('Stream End', name, this.of(name).startedAt - 5 * minute);
    if (which === 1) return this.#event('Starvation Start', name, this.#at() + 30 * minute);
    if (which === 3) return this.#event('Something New', name);
    const id = this.newId();
    return event('Stream Start', { channel: name, stream: `x${id}`, at: this.#at() - minute, id });
  }

  /** What a sweep lists now. */
  listed(scope: 'starving' | 'all'): StreamSnapshot[] {
    return [...this.#truth].flatMap(([channel, { live, stream, health, startedAt }]) =>
      live && (scope === 'all' || health === 'STARVING')
        ? snapshot(channel, `${channel}${stream}`, { health, started: startedAt })
        : [],
    );
  }

  #event(what: string, name: string, at = this.#at()): EventObservation {
    return event(what, { channel: name, stream: `${name}${this.of(name).stream}`, at, id: this.newId() });
  }
}
