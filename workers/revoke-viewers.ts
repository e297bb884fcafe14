// revoke_viewers: ends the running sessions of viewers of a private channel, twenty per call. Viewers' ids identify people: they are in the
// job and its steps, and in no log, metric or message.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_BatchStartViewerSessionRevocation.html
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import type { ActionHandler, HandlerContext, ViewerRevocationError } from './ports.ts';
import { channelOf, onlyIfFailsFresh, planned } from './preconditions.ts';

const mostInBatch = 20;
/** Attempts for one viewer within a run, if IVS says that it may work later. */
const tries = 3;
const passing = /Throttl|InternalServer|ServiceUnavailable/;

export const revokeViewers: ActionHandler<'revoke_viewers'> = async (job, context) => {
  const channelArn = channelOf(job);
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  const viewers = [...new Set(job.params.viewers)];
  const version = job.params.versions_up_to ?? 0;
  const known = context.state.view.get(kinds.channel.of(channelArn));
  const note =
    known?.authorized === false ? { note: 'the channel is not private: its viewers have no sessions to revoke' } : {};
  if (job.dryRun) {
    const calls = batchesOf(viewers).map(
      ({ length }) => `BatchStartViewerSessionRevocation ${channelArn} viewers=${length} versions<=${version}`,
    );
    return { ...planned(calls, undefined), ...note };
  }
  // Revoking again changes nothing, so a run starts from the beginning.
  let left = viewers;
  const refused: ViewerRevocationError[] = [];
  for (let attempt = 1; left.length > 0; attempt += 1) {
    if (attempt > 1) await context.clock.sleep(1_000, context.signal);
    const again: string[] = [];
    for (const batch of batchesOf(left)) {
      const errors = await revoke(context, { channelArn, batch, version });
      for (const error of errors)
        if (attempt < tries && passing.test(error.code)) again.push(error.viewerId);
        else refused.push(error);
      await context.progress('revoked', { viewers: batch.length - errors.length, of: viewers.length });
    }
    left = again;
  }
  const revoked = viewers.length - refused.length;
  context.check('viewers_revoked', refused.length === 0, {
    asked: { viewers: viewers.length },
    found: { revoked, refused: refused.length },
  });
  if (refused.length === 0) return { outcome: 'done', viewers: revoked, after: { revoked }, ...note };
  await context.progress('not_revoked', { errors: refused });
  const codes = Map.groupBy(refused, ({ code }) => code);
  const told = [...codes].map(([code, errors]) => `${errors.length} × ${code}`).join(', ');
  throw new AppError(
    'VIEWERS_NOT_REVOKED',
    `${refused.length} of ${viewers.length} viewers of ${channelArn} were not revoked: ${told}; the steps of the job name each`,
  );
};

async function revoke(
  { ivs, signal }: HandlerContext,
  {
    channelArn,
    batch,
    version,
  }: { readonly channelArn: string; readonly batch: readonly string[]; readonly version: number },
): Promise<readonly ViewerRevocationError[]> {
  try {
    return await ivs.revokeViewerSessions(channelArn, { viewerIds: batch, versionsUpTo: version }, { signal });
  } catch (error) {
    // The message of a refusal may repeat a viewer's id.
    if (!(error instanceof AppError)) throw error;
    const { code, disposition } = error;
    throw new AppError(code, `BatchStartViewerSessionRevocation for ${channelArn} failed`, { disposition });
  }
}

function batchesOf(viewers: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(viewers.length / mostInBatch) }, (_, index) =>
    viewers.slice(index * mostInBatch, (index + 1) * mostInBatch),
  );
}
