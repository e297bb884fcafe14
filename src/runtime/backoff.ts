// How long to wait before the next attempt: a pure function; randomness is an argument.

export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * Exponential backoff with half jitter: between half and all of min(maxMs, baseMs * 2^attempt).
 * @param attempt 0 for the first failure.
 * @param random returns a number in [0, 1).
 */
export function backoffMs({ baseMs, maxMs }: BackoffOptions, attempt: number, random: () => number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(full / 2 + (full / 2) * random());
}
