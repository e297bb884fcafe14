// Short retries inside one run, for moments in which going back to the queue would leave a channel without a key.
import { AppError, isRedisFailure } from '#domain/errors.ts';
import { backoffMs } from '#runtime/backoff.ts';
import type { HandlerContext } from './ports.ts';

/** Whether trying again soon may help: IVS did not answer, throttled, failed by itself. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof AppError)) return true;
  const { kind } = error.disposition;
  return (kind === 'retry' || kind === 'retry-after') && error.code !== 'LEASE_LOST' && !isRedisFailure(error);
}

/** Waits before try number `attempt` (0 for the first repetition): 0.2 s to 3 s. @throws the abort reason */
export async function pauseBefore(context: HandlerContext, attempt: number): Promise<void> {
  await context.clock.sleep(backoffMs({ baseMs: 200, maxMs: 3_000 }, attempt, context.random), context.signal);
}
