// retire_recording_configuration: removes it from every channel that references it, then deletes it. Live channels cannot be changed: the
// job runs again for them until none is left.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_DeleteRecordingConfiguration.html
import type { ActionJob } from '#domain/action.ts';
import type { Retiring } from '#domain/action-memory.ts';
import type { Transaction } from '#domain/shared-state.ts';
import type { Key } from '#domain/state-key.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { withLease } from './lease.ts';
import type { ActionHandler, HandlerContext, HandlerResult } from './ports.ts';
import { isCode, onlyIfFailsFresh, planned, putOffByControls } from './preconditions.ts';
import { findRecordingConfiguration } from './recording-configuration.ts';

type Job = ActionJob<'retire_recording_configuration'>;

/** How long until the job checks channels again that were live. */
const comeBackMs = 60_000;

export const retireRecordingConfiguration: ActionHandler<'retire_recording_configuration'> = async (job, context) => {
  // A retirement that was begun is finished: the job runs again for channels that were live.
  const isBegun = !job.dryRun && context.state.view.get(retiringKey(job)) !== undefined;
  if (isBegun) putOffByControls(job, context);
  const skip = isBegun ? undefined : await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  let arn: string;
  try {
    ({ arn } = await findRecordingConfiguration(job.params.configuration, context));
  } catch (error) {
    // An earlier run may have deleted it: then nothing with this name is left.
    if (!isCode(error, 'RECORDING_CONFIGURATION_UNKNOWN')) throw error;
    if (context.state.view.get(retiringKey(job)) === undefined) throw error;
    await finish(job, context);
    return { outcome: 'already_done', reason: 'configuration_gone' };
  }
  if (job.dryRun) {
    const channels = await context.ivs.listChannelsByRecordingConfiguration(arn, { signal: context.signal });
    const updates = channels.map((channel) => `UpdateChannel ${channel} recordingConfigurationArn=""`);
    return planned([...updates, `DeleteRecordingConfiguration ${arn}`], { channels });
  }
  return withLease(context, arn, () => retire(job, context, arn));
};

async function retire(job: Job, context: HandlerContext, arn: string): Promise<HandlerResult> {
  const { ivs, signal } = context;
  const round = await context.state.transact((tx) => {
    const rounds = (tx.get(retiringKey(job))?.rounds ?? 0) + 1;
    tx.set(retiringKey(job), { rounds });
    return rounds;
  });
  const channels = await ivs.listChannelsByRecordingConfiguration(arn, { signal });
  const live: string[] = [];
  for (const channelArn of channels) {
    await context.progress('update_channel', { channelArn });
    if (!(await clear(context, channelArn, arn))) live.push(channelArn);
  }
  if (live.length === 0) {
    await context.progress('delete_recording_configuration', { arn });
    try {
      await ivs.deleteRecordingConfiguration(arn, { signal });
      await finish(job, context);
      return { outcome: 'done', before: { channels }, after: { deleted: arn } };
    } catch (error) {
      if (isCode(error, 'IVS_NOT_FOUND')) {
        await finish(job, context);
        return { outcome: 'already_done', reason: 'configuration_gone' };
      }
      // A channel started to use it just now: the next round finds that channel.
      if (!isCode(error, 'IVS_CONFLICT')) throw error;
    }
  }
  await context.state.transact((tx) =>
    tx.enqueue({
      jobId: jobIdOf('retire-recording', arn, job.decidedAtMs, round),
      name: job.action,
      payload: { ...job },
      delayMs: comeBackMs,
    }),
  );
  context.nudge();
  return { outcome: 'deferred', reason: 'live', waitingFor: live, cleared: channels.length - live.length };
}

/** Returns false for a live channel. */
async function clear(context: HandlerContext, channelArn: string, arn: string): Promise<boolean> {
  const { ivs, signal } = context;
  try {
    // Somebody may have given it another configuration since it was listed: that one stays.
    const { recordingConfigurationArn } = await ivs.getChannel(channelArn, { signal });
    const compared = { asked: { recordingConfigurationArn: arn }, found: { channelArn, recordingConfigurationArn } };
    if (!context.check('recording', recordingConfigurationArn === arn, compared)) return true;
    await ivs.updateChannel(channelArn, { recordingConfigurationArn: '' }, { signal });
  } catch (error) {
    if (isCode(error, 'IVS_CONFLICT')) return false;
    if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
  }
  return true;
}

/** The mark stays for a while: the job may run once more although it has ended. */
async function finish(job: Job, { state }: HandlerContext): Promise<void> {
  await state.transact((tx) => {
    const rounds = tx.get(retiringKey(job))?.rounds ?? 0;
    tx.set(retiringKey(job), { rounds, doneAtMs: tx.nowMs });
  });
}

/** Deletes the marks of retirements that ended a day ago. */
export function dropOldRetirements(tx: Transaction): void {
  for (const [id, { doneAtMs }] of tx.entries(kinds.retiring))
    if (doneAtMs !== undefined && tx.nowMs - doneAtMs > 86_400_000) tx.delete(kinds.retiring.of(id));
}

function retiringKey(job: Job): Key<Retiring> {
  return kinds.retiring.of(`${job.params.configuration}|${job.decidedAtMs}`);
}
