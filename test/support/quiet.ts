// Plumbing that most tests need: a silent logger, separate metrics, seeded randomness.
import { pino } from 'pino';
import type { Logger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';

export function quietLogger(): Logger {
  return pino({ level: 'silent' });
}

/** A logger whose lines can be inspected. */
export function keptLogger(): { readonly logger: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { logger: pino({}, { write }), lines };
}

export function testMetrics(): Metrics {
  return createMetrics();
}

/** Resolves with the result of `attempt` as soon as it does not throw; fails with its last error after five minutes. */
export async function untilPasses<T>(attempt: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + 300_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** Marks the time that `whileItHolds` measures; without a call, it begins and ends with the scenario. */
export interface Watch {
  readonly begins: () => void;
  readonly ends: () => void;
}

/**
 * Runs a scenario that checks something temporary, such as the part of a quota in use. If it took longer than that lasts, the machine was
 * too busy, its result means nothing, and it runs again.
 * @throws what `scenario` throws within the time; Error if no run is quick enough
 */
export async function whileItHolds<T>(windowMs: number, scenario: (watch: Watch) => Promise<T>): Promise<T> {
  for (let tries = 0; tries < 40; tries += 1) {
    let beganAt = performance.now();
    let endedAt: number | undefined;
    const watch = { begins: () => void (beganAt = performance.now()), ends: () => void (endedAt = performance.now()) };
    const isInTime = () => (endedAt ?? performance.now()) - beganAt <= windowMs;
    try {
      const value = await scenario(watch);
      if (isInTime()) return value;
    } catch (error) {
      if (isInTime()) throw error;
    }
  }
  throw new Error(`in 40 tries it was never over within ${windowMs} ms`);
}

/** The same numbers in [0, 1) for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Resolves when `condition` returns something other than undefined, null or false.
 * @param boundMs a guard against hanging on a busy machine, never something that a test asserts.
 * @throws Error if it did not come true
 */
export async function eventually<T>(condition: () => T | Promise<T>, boundMs = 300_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + boundMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false && value !== null) return value;
    if (performance.now() > deadline)
      throw new Error(`did not come true within ${boundMs} ms: ${condition.toString()}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}
