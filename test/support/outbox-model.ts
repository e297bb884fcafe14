// What the outbox should do, in plain objects: what waits for each channel and in which order, who holds what, how every (item, channel)
// pair ended. Written from decision 0004, not from the scripts; everything fits into one call.
import { type Lane, lanes } from '#domain/action.ts';
import type { CallResult } from '#metadata/parcel.ts';
import type { OutboxItem } from '#metadata/stored-batch.ts';

/** An item as it waits for one channel. */
export interface Waiting {
  readonly item: ModelItem;
  lane: number;
  place: number;
  sending: boolean;
  /** It was cancelled alone, while it was being sent. */
  cancelled?: boolean;
}

interface ModelItem {
  readonly id: string;
  readonly key: string | undefined;
  readonly mode: 'packed' | 'plain';
  readonly batch: string;
  readonly lane: number;
  readonly place: number;
  readonly dies: boolean;
  mark: 'cancelled' | 'displaced' | undefined;
}

export type Where = 'ready' | 'later' | 'held' | 'nowhere';
export interface Lease {
  readonly channel: string;
  readonly token: string;
  taken: readonly string[];
}

export interface ModelGroup {
  readonly channels: readonly string[];
  readonly items: readonly OutboxItem[];
}

export type ModelAnswer = { outcome: 'accepted'; channels: number } | { outcome: 'full'; scope: string };

const bulk = lanes.indexOf('bulk');

export class OutboxModel {
  readonly queues = new Map<string, Waiting[]>();
  readonly where = new Map<string, Where>();
  /** How the pairs of each batch ended: outcome to count. */
  readonly ends = new Map<string, Record<string, number>>();
  readonly items = new Map<string, ModelItem>();
  readonly #limits: { readonly channel: number; readonly total: number };
  #seq = 0;

  constructor(limits: { readonly channel: number; readonly total: number }) {
    this.#limits = limits;
  }

  queue(channel: string): Waiting[] {
    const queue = this.queues.get(channel) ?? [];
    this.queues.set(channel, queue);
    return queue;
  }

  /** Pairs that take room. */
  get total(): number {
    return [...this.queues.values()].flat().filter(({ item }) => !item.mark).length;
  }

  isOver(batch: string): boolean {
    return ![...this.queues.values()].flat().some(({ item }) => item.batch === batch);
  }

  /** @param dies whether the items are past their expiry by the next step. */
  accept(
    batch: string,
    channels: readonly string[],
    items: readonly OutboxItem[],
    lane: Lane,
    dies: boolean,
  ): ModelAnswer {
    const answer = this.acceptGroups(batch, [{ channels, items }], lane, dies);
    return answer.outcome === 'accepted' && answer.channels === 0 ? { outcome: 'full', scope: 'channel' } : answer;
  }

  /** A batch of several groups, each some items for some channels; channels without room get nothing. */
  acceptGroups(batch: string, groups: readonly ModelGroup[], lane: Lane, dies: boolean): ModelAnswer {
    const rank = lanes.indexOf(lane);
    const room = groups.flatMap(({ channels, items }) =>
      channels.flatMap((channel) => {
        const leaving = this.#leaving(channel, items, rank);
        return leaving ? [{ channel, items, leaving }] : [];
      }),
    );
    if (room.length === 0) return { outcome: 'accepted', channels: 0 };
    const leaving = room.flatMap((each) => each.leaving).filter(({ item }) => !item.mark);
    const coming = room.reduce((sum, { items }) => sum + distinctOf(items), 0);
    const over = this.total + coming - leaving.length - this.#limits.total;
    if (over > 0 && (rank === bulk || !this.#oldestBulk(over, leaving))) return { outcome: 'full', scope: 'total' };

    const added = new Map<OutboxItem, ModelItem>();
    for (const item of groups.flatMap(({ items }) => items)) {
      const { id, key, mode } = item;
      const known = { id, key, mode, batch, lane: rank, place: this.#seq, dies, mark: undefined };
      this.#seq += 1;
      added.set(item, known);
      if (room.some(({ items }) => items.includes(item))) this.items.set(id, known);
    }
    for (const { channel, items } of room) {
      const queue = this.queue(channel);
      for (const item of items.map((each) => added.get(each)!)) {
        const waiting = { item, lane: rank, place: item.place, sending: false };
        const older = queue.find((other) => item.key !== undefined && other.item.key === item.key && !other.sending);
        if (older) this.#takeOver(channel, older, waiting);
        queue.push(waiting);
        this.#sort(channel);
      }
      for (const pushed of queue.filter((other) => other.lane === bulk && !other.sending))
        if (queue.length > this.#limits.channel) this.#end(channel, pushed, 'failed');
      if (this.#place(channel) === 'nowhere') this.where.set(channel, 'ready');
    }
    const surplus = this.total - this.#limits.total;
    if (surplus > 0) for (const item of this.#oldestBulk(surplus, []) ?? []) item.mark = 'displaced';
    return { outcome: 'accepted', channels: room.length };
  }

  /** Ready channels are leased by somebody. */
  claim(): string[] {
    const ready = [...this.where].flatMap(([channel, where]) => (where === 'ready' ? [channel] : []));
    for (const channel of ready) this.where.set(channel, 'held');
    return ready;
  }

  /** A lease ends without anything recorded by its holder. */
  lapse(channel: string): void {
    this.#unmark(channel);
    this.where.set(channel, this.queue(channel).length > 0 ? 'ready' : 'nowhere');
  }

  /** The backoff of a channel is over. */
  due(channel: string): void {
    if (this.#place(channel) === 'later') this.where.set(channel, 'ready');
  }

  /** What goes into the next call. */
  take(channel: string): readonly string[] {
    this.#unmark(channel);
    const taken: Waiting[] = [];
    for (const waiting of this.queue(channel).toSorted(byTurn)) {
      const end = endOf(waiting.item);
      if (end) this.#end(channel, waiting, end);
      else if (taken.length > 0 && (taken[0]!.item.mode === 'plain' || waiting.item.mode === 'plain')) break;
      else taken.push(waiting);
    }
    for (const waiting of taken) waiting.sending = true;
    if (taken.length === 0) this.where.set(channel, 'nowhere');
    return taken.map(({ item }) => item.id);
  }

  /** The holder records how its call ended. */
  record(channel: string, ids: readonly string[], result: CallResult): void {
    const queue = [...this.queue(channel)];
    const called = queue.filter(({ item }) => ids.includes(item.id));
    let later = result.kind === 'retry';
    if (result.kind === 'delivered') for (const waiting of called) this.#end(channel, waiting, 'delivered');
    if (result.kind === 'failed')
      for (const waiting of result.scope === 'call' ? called : queue) this.#end(channel, waiting, 'failed');
    if (result.kind === 'offline') {
      later = result.windowMs > 0;
      if (!later) for (const waiting of queue) this.#end(channel, waiting, 'notBroadcasting');
    }
    this.#unmark(channel);
    this.where.set(channel, this.queue(channel).length === 0 ? 'nowhere' : later ? 'later' : 'ready');
  }

  /** A holder that lost the lease records: only its deliveries are still true. */
  recordLate(channel: string, ids: readonly string[], result: CallResult): void {
    if (result.kind !== 'delivered') return;
    for (const waiting of this.queue(channel).filter(({ item }) => ids.includes(item.id)))
      this.#end(channel, waiting, 'delivered');
    this.#leaveIfEmpty(channel);
  }

  cancel(batch: string): void {
    for (const item of this.items.values()) if (item.batch === batch) item.mark ??= 'cancelled';
  }

  /** One channel's part of a batch. An item that is being sent ends if its call has not delivered it. */
  cancelPart(batch: string, channel: string): void {
    const waiting = this.queue(channel).find(({ item }) => item.batch === batch);
    if (!waiting) return;
    if (waiting.sending) {
      waiting.cancelled = true;
      return;
    }
    this.#end(channel, waiting, endOf(waiting.item) ?? 'cancelled');
    this.#leaveIfEmpty(channel);
  }

  sweep(): void {
    for (const [channel, queue] of this.queues) {
      for (const waiting of queue.filter(({ sending }) => !sending)) {
        const end = endOf(waiting.item);
        if (end) this.#end(channel, waiting, end);
      }
      this.#leaveIfEmpty(channel);
    }
  }

  #place(channel: string): Where {
    return this.where.get(channel) ?? 'nowhere';
  }

  #leaveIfEmpty(channel: string): void {
    if (this.queue(channel).length === 0 && this.#place(channel) !== 'held') this.where.set(channel, 'nowhere');
  }

  /** What leaves a channel for the new items: replaced or displaced; undefined if it still has no room. */
  #leaving(channel: string, items: readonly OutboxItem[], rank: number): Waiting[] | undefined {
    const queue = this.queue(channel);
    const leaving = queue.filter(
      ({ item, sending }) => !sending && item.key !== undefined && items.some(({ key }) => key === item.key),
    );
    const over = queue.length + distinctOf(items) - leaving.length - this.#limits.channel;
    if (over <= 0) return leaving;
    const pushable = queue.filter((each) => each.lane === bulk && !each.sending && !leaving.includes(each));
    return rank < bulk && pushable.length >= over ? [...leaving, ...pushable.slice(0, over)] : undefined;
  }

  /** The oldest bulk items that make this much room besides what leaves anyway; undefined if all of them do not. */
  #oldestBulk(room: number, leaving: readonly Waiting[]): ModelItem[] | undefined {
    const staying = [...this.queues.values()].flat().filter((waiting) => !leaving.includes(waiting));
    const chosen: ModelItem[] = [];
    let left = room;
    for (const item of [...this.items.values()].toSorted((a, b) => a.place - b.place)) {
      if (item.lane !== bulk || item.mark) continue;
      chosen.push(item);
      left -= staying.filter((waiting) => waiting.item === item).length;
      if (left <= 0) return chosen;
    }
    return undefined;
  }

  #unmark(channel: string): void {
    const queue = this.queue(channel);
    for (const waiting of queue.filter(({ sending }) => sending)) {
      waiting.sending = false;
      if (waiting.cancelled) {
        this.#end(channel, waiting, 'cancelled');
        continue;
      }
      const { key } = waiting.item;
      const newer = queue.find(
        (other) => other !== waiting && key !== undefined && other.item.key === key && !other.sending,
      );
      if (newer) this.#takeOver(channel, waiting, newer);
    }
    this.#sort(channel);
  }

  #takeOver(channel: string, older: Waiting, newer: Waiting): void {
    if (older.lane < newer.lane || (older.lane === newer.lane && older.place < newer.place)) {
      newer.lane = older.lane;
      newer.place = older.place;
    }
    this.#end(channel, older, 'conflated');
  }

  #end(channel: string, waiting: Waiting, outcome: string): void {
    const queue = this.queue(channel);
    queue.splice(queue.indexOf(waiting), 1);
    const ends = this.ends.get(waiting.item.batch) ?? {};
    ends[outcome] = (ends[outcome] ?? 0) + 1;
    this.ends.set(waiting.item.batch, ends);
  }

  #sort(channel: string): void {
    this.queue(channel).sort(byTurn);
  }
}

function byTurn(a: Waiting, b: Waiting): number {
  return a.lane - b.lane || a.place - b.place;
}

/** How many of these items remain once those with the same key have replaced each other. */
function distinctOf(items: readonly OutboxItem[]): number {
  return new Set(items.map(({ id, key }) => (key === undefined ? `id ${id}` : `key ${key}`))).size;
}

function endOf({ mark, dies }: ModelItem): string | undefined {
  if (mark === 'displaced') return 'failed';
  return mark ?? (dies ? 'expired' : undefined);
}
