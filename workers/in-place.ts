// Short retries within one run, for moments in which a return to the queue would leave a channel without a key.
import { AppError, isRedisFailure } from '#domain/errors.ts';
import { backoffMs } from '#runtime/backoff.ts';
import type { HandlerContext } from './ports.ts';

/** Whether a quick retry may help: IVS did not answer, throttled, or had an error of its own. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof AppError)) return true;
  const { kind } = error.disposition;
  return (kind === 'retry' || kind === 'retry-after') && error.code !== 'LEASE_LOST' && !isRedisFailure(error);
}

/** Waits before retry number `attempt` (0 for the first): 0.2 s to 3 s. @throws the abort reason */
export async function pauseBefore(context: HandlerContext, attempt: number): Promise<void> {
  await context.clock.sleep(backoffMs({ baseMs: 200, maxMs: 3_000 }, attempt, context.random), context.signal);
}
