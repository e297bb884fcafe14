// The races: which items go to which channels, over how many processes, through which network.

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly processes: number;
  /** Channel numbers in the order in which their items are submitted, for one process. */
  items(process: number): number[];
  readonly channels: number;
  /** Seconds that no sender can beat under the strictest reading of the quota. */
  readonly lowerBoundS: number;
  /** Items whose last arrival is judged, if it is not all of them. */
  readonly judged?: (channel: number) => boolean;
  readonly jitterMs: readonly [number, number];
  /** Fixed latency to the service and back, each. */
  readonly latencyMs?: number;
  /** The error of each process's clock. */
  readonly clockOffsetsMs?: readonly number[];
  readonly enforcement?: 'sliding-window' | 'token-bucket';
}

const perAccount = 155;
const perChannel = 5;
/** n at once and then n a second: the last of `items` cannot arrive earlier. */
const bound = (items: number, rate: number) => Math.ceil(items / rate) - 1;

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** One item to each of `channels`, dealt out to the processes. */
export function flood(channels: number, processes: number, options: Partial<Scenario> = {}): Scenario {
  const jitterMs = options.jitterMs ?? [0, 30];
  return {
    name: `flood-${channels}-p${processes}`,
    title: `${channels.toLocaleString('en')} channels × 1 item, ${processes} process${processes === 1 ? '' : 'es'}, jitter ${jitterMs.join('–')} ms`,
    processes,
    channels,
    items: (process) => range(channels).filter((channel) => channel % processes === process),
    lowerBoundS: bound(channels, perAccount),
    jitterMs,
    ...options,
  };
}

/** Many items to few channels: the channels' own quota is the limit. */
export function hot(channels: number, itemsEach: number, processes: number): Scenario {
  return {
    name: `hot-${channels}x${itemsEach}-p${processes}`,
    title: `${channels} hot channels × ${itemsEach} items, ${processes} process${processes === 1 ? '' : 'es'}, jitter 0–30 ms`,
    processes,
    channels,
    items: (process) => range(itemsEach).flatMap(() => range(channels).filter((each) => each % processes === process)),
    lowerBoundS: Math.max(bound(itemsEach, perChannel), bound(channels * itemsEach, perAccount)),
    jitterMs: [0, 30],
  };
}

/** One channel's long queue is submitted first; the others must not wait behind it. */
export function coldBehindHot(hotItems: number, cold: number, processes: number): Scenario {
  return {
    name: `cold-${cold}-p${processes}`,
    title: `${cold.toLocaleString('en')} cold items behind one hot channel of ${hotItems}, ${processes} process${processes === 1 ? '' : 'es'}`,
    processes,
    channels: cold + 1,
    items: (process) => [
      ...(process === 0 ? range(hotItems).map(() => 0) : []),
      ...range(cold)
        .map((each) => each + 1)
        .filter((each) => each % processes === process),
    ],
    lowerBoundS: bound(cold, perAccount),
    judged: (channel) => channel > 0,
    jitterMs: [0, 30],
  };
}
