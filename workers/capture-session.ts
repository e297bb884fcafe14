// capture_session: what IVS knows about the stream session (encoder, events), with hints in plain words; kept in the log `captures`, and
// sent to a receiver if one is named.
import type { CapturedSession } from '#domain/log-entries.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { logs } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import type { ActionHandler, HandlerContext } from './ports.ts';
import { channelGone, channelOf, isCode, onlyIfFailsFresh, planned } from './preconditions.ts';
import { sessionHints } from './session-hints.ts';

const keptCaptures = 2_000;

export const captureSession: ActionHandler<'capture_session'> = async (job, context) => {
  const channelArn = channelOf(job);
  const { notify: receiver } = job.params;
  try {
    const skip = await onlyIfFailsFresh(job, context);
    if (skip) return skip;
    if (job.dryRun) return planned([`GetStreamSession ${channelArn} ${job.streamId ?? 'newest'}`], undefined);
    const capture = await readCapture(context, channelArn, job.streamId);
    const { streamId, hints } = capture;
    const text = `session ${streamId} of ${channelArn}: ${hints.join('; ') || 'nothing unusual in the encoder settings'}`;
    await context.state.transact((tx) => {
      keepCapture(tx, capture, context.jobId);
      if (receiver === undefined) return;
      tx.enqueue({
        jobId: jobIdOf('notify', context.jobId),
        name: 'notify',
        payload: { ...job, action: 'notify', params: { receiver, text: text.slice(0, 4_000) }, onlyIf: undefined },
      });
    });
    context.nudge();
    return { outcome: 'done', streamId, hints, session: capture };
  } catch (error) {
    if (isCode(error, 'IVS_NOT_FOUND')) return channelGone(channelArn);
    throw error;
  }
};

type Capture = Omit<CapturedSession, 'jobId' | 'atMs'>;

/** Reads a session from IVS (undefined: the newest) and judges it. @throws AppError IVS_… */
export async function readCapture(
  context: HandlerContext,
  channelArn: string,
  wanted: string | undefined,
): Promise<Capture> {
  const session = await context.ivs.getStreamSession(channelArn, wanted, { signal: context.signal });
  const { video, audio, channelType, streamId, events } = session;
  return { channelArn, streamId, channelType, video, audio, hints: sessionHints(session), events: events.slice(0, 50) };
}

/** Keeps what was captured. */
export function keepCapture(tx: Transaction, capture: Capture, jobId: string): void {
  tx.append(logs.captures, { ...capture, jobId, atMs: tx.nowMs }, keptCaptures);
}
