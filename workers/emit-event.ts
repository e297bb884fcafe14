// emit_event: an event of our own on an EventBridge bus. At least once: `detail.autopilot.jobId` identifies a repeat.

import type { ActionHandler } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';

export const emitEvent: ActionHandler<'emit_event'> = async (job, context) => {
  const { source = 'ivs-autopilot', detail_type: detailType, detail, bus } = job.params;
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  if (job.dryRun) return planned([`PutEvents ${source} "${detailType}" on ${bus ?? 'the default bus'}`], undefined);
  const cause = job.cause.kind === 'rule' ? { rule: job.cause.rule } : {};
  const { eventId } = await context.events.put(
    {
      source,
      detailType,
      detail: { ...detail, autopilot: { jobId: context.jobId, ...cause } },
      bus,
      resources: job.channelArn === undefined ? [] : [job.channelArn],
      timeMs: job.decidedAtMs,
    },
    context.signal,
  );
  return { outcome: 'done', eventId };
};
