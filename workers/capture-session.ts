// capture_session: what IVS knows of the stream session (encoder, events), with hints in plain words; kept in the log `captures`,
// and sent to a receiver when one is named.
import { logs } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import type { ActionHandler } from './ports.ts';
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
    const session = await context.ivs.getStreamSession(channelArn, job.streamId, { signal: context.signal });
    const hints = sessionHints(session);
    const { video, audio, channelType, streamId } = session;
    const capture = { channelArn, streamId, channelType, video, audio, hints, events: session.events.slice(0, 50) };
    const text = `session ${streamId} of ${channelArn}: ${hints.join('; ') || 'nothing unusual in the encoder settings'}`;
    await context.state.transact((tx) => {
      tx.append(logs.captures, { ...capture, jobId: context.jobId, atMs: tx.nowMs }, keptCaptures);
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
