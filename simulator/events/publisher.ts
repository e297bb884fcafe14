// Sits between what happens and who is told: late, duplicated, reordered and missing events, as EventBridge's best effort allows. Every
// event is kept with its fate, so that a test can tell "never sent" from "not received".

import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { Ring } from '../recorder.ts';
import { type EventEnvelope, eventName } from './event.ts';

/** How reliable delivery is; by default all probabilities are 0. */
export interface DeliveryPolicy {
  readonly missing: number;
  readonly doubled: number;
  readonly late: number;
  /** The delay of a late event, and of the second copy of a duplicate: uniformly distributed between the two. */
  readonly lateMs: readonly [number, number];
  /** Held back until the next event has gone out. */
  readonly reordered: number;
}

export const RELIABLE: DeliveryPolicy = { missing: 0, doubled: 0, late: 0, lateMs: [1_000, 60_000], reordered: 0 };

export type Fate = 'sent' | 'missing' | 'doubled' | 'late' | 'reordered';

/** A fate for the next events that match, before the policy draws its random numbers. */
export interface NextFate {
  readonly fate: Exclude<Fate, 'sent'>;
  readonly name?: string | undefined;
  readonly channelArn?: string | undefined;
  readonly lateMs?: number | undefined;
  readonly times?: number | undefined;
}

export interface EventRecord {
  readonly seq: number;
  readonly at: number;
  readonly fate: Fate;
  readonly event: EventEnvelope;
}

/** Keeps the newest events and passes each to `deliver` as often, and when, its fate says. */
export class Publisher {
  policy: DeliveryPolicy = RELIABLE;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #deliver: (event: EventEnvelope) => void;
  readonly #log = new Ring<EventRecord>(50_000);
  #next: (NextFate & { left: number })[] = [];
  #delayed: EventEnvelope[] = [];

  constructor(clock: Clock, random: Random, deliver: (event: EventEnvelope) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#deliver = deliver;
  }

  /** Decides the fate of the next matching events. */
  plan(next: NextFate): void {
    this.#next.push({ ...next, left: next.times ?? 1 });
  }

  publish(event: EventEnvelope): void {
    const planned = this.#planned(event);
    const fate = planned?.fate ?? this.#throw();
    this.#log.add({ seq: this.#log.added + 1, at: this.#clock.now(), fate, event });
    if (fate === 'reordered') {
      this.#delayed.push(event);
      return;
    }
    if (fate === 'late') this.#later(event, planned?.lateMs);
    if (fate === 'doubled') this.#later(event, planned?.lateMs ?? 0);
    if (fate === 'sent' || fate === 'doubled') this.#deliver(event);
    if (fate !== 'missing') this.release();
  }

  /** Releases events that wait for a successor. */
  release(): void {
    const delayed = this.#delayed;
    this.#delayed = [];
    for (const event of delayed) this.#deliver(event);
  }

  /** Events so far, oldest first, with their fate. */
  events(filter: { name?: string | undefined; channelArn?: string | undefined; afterSeq?: number | undefined } = {}) {
    return [...this.#log.since(filter.afterSeq ?? 0)].filter(
      ({ event }) =>
        (filter.name === undefined || eventName(event) === filter.name) &&
        (filter.channelArn === undefined || event.resources.includes(filter.channelArn)),
    );
  }

  clear(): void {
    this.#log.clear();
    this.#next = [];
    this.#delayed = [];
    this.policy = RELIABLE;
  }

  #planned(event: EventEnvelope): NextFate | undefined {
    const found = this.#next.find(
      (next) =>
        (next.name === undefined || next.name === eventName(event)) &&
        (next.channelArn === undefined || event.resources.includes(next.channelArn)),
    );
    if (found !== undefined && --found.left <= 0) this.#next = this.#next.filter((next) => next !== found);
    return found;
  }

  #throw(): Fate {
    const { missing, doubled, late, reordered } = this.policy;
    if (this.#random.chance(missing)) return 'missing';
    if (this.#random.chance(late)) return 'late';
    if (this.#random.chance(reordered)) return 'reordered';
    return this.#random.chance(doubled) ? 'doubled' : 'sent';
  }

  #later(event: EventEnvelope, delayMs = this.#random.between(...this.policy.lateMs)): void {
    this.#clock.schedule(delayMs, () => this.#deliver(event));
  }
}
