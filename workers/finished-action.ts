// Writes down how an action's job ended: in the audit, beside the decision it follows from, and in the progress of its bulk action.
import { type ActionJob, actionSchemas } from '#domain/action.ts';
import { messageOf } from '#domain/errors.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { audit } from '#journal/audit.ts';
import { recordJobResult } from '#journal/record.ts';
import { noteBulkResult } from './bulk.ts';
import type { JobResult, RunOutcome } from './outcome.ts';

export interface FinishedRun {
  readonly jobId: string;
  readonly name: string;
  readonly payload: unknown;
  readonly outcome: RunOutcome;
  readonly result: JobResult | undefined;
  readonly error: unknown;
}

export interface FinishedActionOptions {
  readonly state: SharedState;
  readonly configHash: () => string;
}

/** Not an end: the job runs again. */
const passing: ReadonlySet<RunOutcome> = new Set(['retry', 'postponed', 'interrupted']);

/** For the worker host's `onFinished`. */
export function finishedActionRecorder({ state, configHash }: FinishedActionOptions) {
  return async ({ jobId, name, payload, outcome, result, error }: FinishedRun): Promise<void> => {
    if (passing.has(outcome) || !Object.hasOwn(actionSchemas, name)) return;
    const job = payload as ActionJob;
    const claim = `bulk-job:${jobId}`;
    await state.transact(
      (tx) => {
        audit(tx, {
          who: job.cause?.kind === 'operator' ? job.cause.who : `rule ${job.cause?.rule ?? 'unknown'}`,
          what: name,
          outcome,
          why: job.cause?.kind === 'operator' ? job.cause.reason : (job.cause?.decisionId ?? ''),
          channelArn: job.channelArn,
          jobId,
          params: job.params,
          before: result?.['before'],
          after: result?.['after'],
          reason: result?.reason ?? (error === undefined ? undefined : messageOf(error)),
          dryRun: job.dryRun,
          configHash: configHash(),
        });
        if (job.cause?.kind === 'rule')
          recordJobResult(tx, {
            jobId,
            decisionId: job.cause.decisionId,
            atMs: tx.nowMs,
            outcome: outcome === 'failed' ? 'failed' : outcome === 'skipped' ? 'skipped' : 'done',
            detail: [outcome, result?.reason ?? (error === undefined ? undefined : messageOf(error))]
              .filter(Boolean)
              .join(': '),
          });
        if (job.bulkId !== undefined && !tx.isRepeat(claim)) noteBulkResult(tx, job.bulkId, outcome);
      },
      // A job that ran to its end twice (a crash right after the first) counts once.
      { claims: job.bulkId === undefined ? [] : [claim] },
    );
  };
}
