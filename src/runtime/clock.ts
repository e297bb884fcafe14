// Time as a dependency: loops get a Clock, so that tests control it.
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /**
   * Epoch milliseconds by the machine's own clock, which may be wrong and may jump. Only for times that people read: a
   * moment that another machine or a later process compares comes from the shared state's `nowMs`, a duration from `monotonic`.
   */
  now(): number;
  /** Milliseconds that only move forward, from an arbitrary origin: for durations and deadlines within the process. */
  monotonic(): number;
  /** Resolves after `ms`, never early; rejects with the signal's reason if it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock, even in a process whose Date.now was replaced (process-time.ts). */
const machineNow = Date.now;

export const systemClock: Clock = {
  now: () => machineNow(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    const end = performance.now() + ms;
    // libuv's timers may fire up to a millisecond early: re-arm until the deadline has passed.
    for (let left = ms; left > 0; left = end - performance.now()) {
      try {
        await delay(Math.ceil(left), undefined, signal ? { signal } : {});
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      }
    }
    signal?.throwIfAborted();
  },
};

/** Sleeps, and returns instead of rejecting if the signal is aborted. */
export async function sleepOrAbort(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
