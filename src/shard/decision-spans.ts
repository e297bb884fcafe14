// The decisions of a commit as spans: children of what they follow from, with the ids that their jobs name as their parents.
import { placeBelow } from '#domain/trace.ts';
import { recordSpan } from '#runtime/tracing.ts';
import type { Committed } from '#src/pipeline.ts';

/** Records the decisions that have jobs as spans, once each: one replica commits them. */
export function recordDecisionSpans({ decisions, root }: Pick<Committed, 'decisions' | 'root'>): void {
  const endMs = Date.now();
  for (const { id, rule, outcome, reason, mode, channelArn, streamId, trace, jobs, atMs } of decisions) {
    if (trace === undefined || jobs.length === 0) continue;
    recordSpan({
      name: `decide ${rule}`,
      attributes: {
        'autopilot.rule': rule,
        'autopilot.decision.id': id,
        'autopilot.decision.outcome': outcome,
        'autopilot.decision.reason': reason,
        'autopilot.rule.mode': mode,
        'autopilot.channel.arn': channelArn,
        'autopilot.stream.id': streamId,
      },
      parent: trace,
      self: placeBelow(trace, id),
      startMs: Math.min(atMs, endMs),
      endMs,
    });
  }
  const [first] = decisions;
  if (root === undefined || !first) return;
  recordSpan({
    name: 'decide',
    attributes: { 'autopilot.decisions': decisions.length },
    parent: undefined,
    self: root,
    startMs: Math.min(first.atMs, endMs),
    endMs,
  });
}
