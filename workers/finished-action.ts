// Records how an action's job ended: in the audit, with the decision it follows from, and in the progress of its bulk action.
import { type ActionJob, actionSchemas } from '#domain/action.ts';
import type { BulkPlan, RunOutcome } from '#domain/action-memory.ts';
import { leaveLine, requestOf } from '#domain/ad-break-line.ts';
import type { Check } from '#domain/decision.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import type { JobRequest } from '#domain/job.ts';
import { isFanout, type MetadataFanout, memberJobId } from '#domain/metadata-fanout.ts';
import type { SharedState, Transaction } from '#domain/shared-state.ts';
import { audit, auditMany } from '#journal/audit.ts';
import { recordJobResult, recordJobResults } from '#journal/record.ts';
import { backoffMs } from '#runtime/backoff.ts';
import type { Clock } from '#runtime/clock.ts';
import { noteFailedJob } from './alerts.ts';
import { noteBulkResult } from './bulk.ts';
import { type FanoutResult, type MemberResult, memberResult } from './metadata-fanout.ts';
import type { RunResult } from './outcome.ts';
import { noteStopped } from './stopped-session.ts';
import { noteExpected } from './verify-bulk.ts';

export interface FinishedRun {
  readonly jobId: string;
  readonly name: string;
  readonly payload: unknown;
  readonly outcome: RunOutcome;
  readonly result: RunResult | undefined;
  readonly error: unknown;
  readonly checks?: readonly Check[];
}

export interface FinishedActionOptions {
  readonly state: SharedState;
  readonly clock: Clock;
  readonly random: () => number;
  readonly configHash: () => string;
}

/**
 * The result may share a commit that is made anyway; meanwhile the job stays listed as running for this long. Not in the queue
 * `metadata-fanout`: it takes one job at a time, so the next one waits.
 */
const shareWithinMs = 8;
/** Attempts while Redis is away: about two minutes. */
const patience = 30;
/** Not an end: the job runs again. */
const passing: ReadonlySet<RunOutcome> = new Set(['retry', 'postponed', 'interrupted']);

/** For the worker host's `onFinished`. */
export function finishedActionRecorder({ state, clock, random, configHash }: FinishedActionOptions) {
  return async (run: FinishedRun): Promise<void> => {
    const { jobId, name, payload, outcome, result, error, checks = [] } = run;
    if (passing.has(outcome)) return;
    if (isFanout({ name, payload: payload as JobRequest['payload'] })) {
      await patiently(() => state.transact((tx) => recordFanout(tx, run, configHash())), { clock, random });
      return;
    }
    if (!Object.hasOwn(actionSchemas, name)) return;
    const job = payload as ActionJob;
    const withinMs = name === 'put_metadata' && job.onlyIf === undefined ? 0 : shareWithinMs;
    const dedupId = `bulk-job:${jobId}`;
    const write = () =>
      state.transact(
        (tx) => {
          audit(tx, {
            who: askerOf(job),
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
            decisionId: job.cause?.kind === 'rule' ? job.cause.decisionId : undefined,
            ...(checks.length === 0 ? {} : { checks }),
            configHash: configHash(),
          });
          if (job.cause?.kind === 'rule')
            recordJobResult(tx, {
              jobId,
              decisionId: job.cause.decisionId,
              atMs: tx.nowMs,
              outcome:
                outcome === 'failed' || outcome === 'unknown' ? 'failed' : outcome === 'skipped' ? 'skipped' : 'done',
              detail: [outcome, result?.reason ?? (error === undefined ? undefined : messageOf(error))]
                .filter(Boolean)
                .join(': '),
              ...(checks.length === 0 ? {} : { checks }),
            });
          // A dry run reports to its requester, and leaves nothing to repair.
          if ((outcome === 'failed' || outcome === 'unknown') && !job.dryRun)
            noteFailedJob(tx, {
              jobId,
              action: name,
              code: outcome === 'unknown' ? 'AD_BREAK_UNKNOWN' : error instanceof AppError ? error.code : 'INTERNAL',
              message: outcome === 'unknown' ? (result?.reason ?? '') : messageOf(error),
              who: askerOf(job),
              channelArn: job.channelArn,
            });
          if (typeof result?.['stopped'] === 'string' && job.channelArn !== undefined && !job.dryRun)
            noteStopped(tx, job.channelArn, { streamId: result['stopped'], by: askerOf(job) });
          if (outcome === 'failed' && name === 'insert_ad_break' && job.channelArn !== undefined)
            giveUpAdBreak(tx, job.channelArn, jobId);
          if (job.bulkId !== undefined && !tx.isRepeat(dedupId)) {
            if (outcome === 'done' || outcome === 'already_done') noteExpected(tx, job, result?.['after']);
            noteBulkResult(tx, job.bulkId, outcome, planOf(job, result));
          }
        },
        // A job that completed twice (a crash right after the first time) counts once.
        { dedupIds: job.bulkId === undefined ? [] : [dedupId], withinMs },
      );
    await patiently(write, { clock, random });
  };
}

/** What a job of a dry run says that it would do. */
function planOf({ channelArn, dryRun }: ActionJob, result: FinishedRun['result']): BulkPlan | undefined {
  const calls: unknown = result?.['calls'];
  return dryRun && channelArn !== undefined && Array.isArray(calls)
    ? { channelArn, calls: calls.map(String) }
    : undefined;
}

/** A job that failed permanently blocks nobody from inserting a break, unless its call may have been sent: then it does for a while. */
function giveUpAdBreak(tx: Transaction, channelArn: string, jobId: string): void {
  if (requestOf(tx, channelArn, jobId)?.state === 'planned') leaveLine(tx, channelArn, jobId);
}

/** BullMQ's own connection waits for Redis, and so does this: otherwise the result would be lost while the job is completed. */
async function patiently(
  write: () => Promise<void>,
  { clock, random }: Pick<FinishedActionOptions, 'clock' | 'random'>,
): Promise<void> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await write();
    } catch (thrown) {
      if (failures >= patience || !(thrown instanceof AppError && thrown.disposition.kind === 'retry')) throw thrown;
      await clock.sleep(backoffMs({ baseMs: 200, maxMs: 5_000 }, failures, random));
    }
  }
}

/** The members' jobs of a fan-out: what many of them share is one entry in the audit and in the journal. */
function recordFanout(
  tx: Transaction,
  { jobId, payload, result, error, checks = [] }: FinishedRun,
  configHash: string,
): void {
  const fanout = payload as MetadataFanout;
  const { rule, params, members } = fanout;
  const failure = error === undefined ? undefined : { outcome: 'failed' as const, reason: messageOf(error) };
  const ends = members.map((_, place): MemberResult => failure ?? memberResult(result as FanoutResult, place));
  const who = `rule ${rule}`;
  for (const like of Map.groupBy(members.keys(), (place) => JSON.stringify(ends[place])).values()) {
    const { outcome, reason, checks: own } = ends[like[0]!]!;
    const compared = [...checks, ...(own ?? [])];
    const shared = compared.length === 0 ? {} : { checks: compared };
    const those = like.map((place) => [place, members[place]!.decisionId, members[place]!.channelArn] as const);
    auditMany(
      tx,
      { who, what: 'put_metadata', outcome, params, reason, ...shared, configHash },
      { fanoutId: jobId, members: those },
    );
    recordJobResults(tx, {
      fanoutId: jobId,
      members: those.map(([place, decisionId]) => [place, decisionId]),
      atMs: tx.nowMs,
      outcome,
      detail: `${outcome}: ${reason}`,
      ...shared,
    });
    if (outcome !== 'failed') continue;
    const code = error instanceof AppError ? error.code : failure ? 'INTERNAL' : reason;
    for (const place of like)
      noteFailedJob(tx, {
        jobId: memberJobId(jobId, place),
        action: 'put_metadata',
        code,
        message: reason,
        who,
        channelArn: members[place]!.channelArn,
      });
  }
}

function askerOf({ cause }: Partial<ActionJob>): string {
  return cause?.kind === 'operator' ? cause.who : `rule ${cause?.rule ?? 'unknown'}`;
}
