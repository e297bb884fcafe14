// The contestants: each takes items and sends them in its own way. `lost` are those it gave up.
import type { Clock } from '#runtime/clock.ts';

/** What a worker process is told. */
export interface ContestantOptions {
  readonly endpoint: string;
  readonly redisUrl: string;
  /** Different for every race; the same in all its processes. */
  readonly namespace: string;
  readonly processes: number;
  readonly index: number;
  readonly clock: Clock;
}

export interface Item {
  readonly channelArn: string;
  readonly metadata: string;
}

export interface Contestant {
  /** Sends all; resolves when each was delivered or given up. Returns how many were given up. */
  sendAll(items: readonly Item[]): Promise<{ lost: number }>;
  stop(): Promise<void>;
}

export type MakeContestant = (options: ContestantOptions) => Promise<Contestant>;

/** Runs every item through `send` and counts those that failed permanently. */
export async function settleAll(
  items: readonly Item[],
  send: (item: Item) => Promise<unknown>,
): Promise<{ lost: number }> {
  const results = await Promise.allSettled(items.map(send));
  return { lost: results.filter((result) => result.status === 'rejected').length };
}
