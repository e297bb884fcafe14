// What the end of a handler means for BullMQ: the only place that throws its control errors.
import { DelayedError, type Job, UnrecoverableError, WaitingError } from 'bullmq';
import type { RunOutcome } from '#domain/action-memory.ts';
import { AppError, messageOf } from '#domain/errors.ts';

/** What a handler returns when it did not throw. */
export interface RunResult {
  readonly outcome: 'done' | 'skipped' | 'deferred' | 'already_done' | 'unknown';
  /** In plain words. */
  readonly reason?: string | undefined;
  readonly [detail: string]: unknown;
}

/** The outcome that an error stands for, before the queue gets it. */
export function outcomeOf(error: unknown, job: Pick<Job, 'attemptsMade' | 'opts'>): RunOutcome {
  const disposition = error instanceof AppError ? error.disposition.kind : 'retry';
  if (disposition === 'already-done') return 'already_done';
  if (disposition === 'retry-after') return 'postponed';
  if (disposition === 'interrupted') return 'interrupted';
  if (disposition === 'give-up') return 'failed';
  return job.attemptsMade + 1 >= (job.opts.attempts ?? 1) ? 'failed' : 'retry';
}

/**
 * Reports to the queue. Returns a result if the job is done anyway; throws otherwise: postponed and interrupted jobs go
 * back without spending an attempt, hopeless ones fail at once, the others are retried with backoff.
 */
export async function settle(error: unknown, job: Job, token: string | undefined, nowMs: number): Promise<RunResult> {
  const disposition = error instanceof AppError ? error.disposition : { kind: 'retry' as const };
  switch (disposition.kind) {
    case 'already-done':
      return { outcome: 'already_done', reason: messageOf(error) };
    case 'retry-after':
      await job.moveToDelayed(nowMs + disposition.delayMs, token);
      throw new DelayedError();
    case 'interrupted':
      await job.moveToWait(token);
      throw new WaitingError();
    case 'give-up':
      throw new UnrecoverableError(describe(error));
    case 'retry':
      throw new Error(describe(error), { cause: error });
  }
}

/** BullMQ keeps only an error's message: the code goes in front. */
function describe(error: unknown): string {
  return error instanceof AppError ? `${error.code}: ${error.message}` : messageOf(error);
}
