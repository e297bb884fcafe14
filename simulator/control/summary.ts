// A summary of the recorded calls: per operation, how many ended in which way, and the most that came in any trailing second. With the
// quotas off this shows what a client would have done to the real service.

import type { CallRecord } from '../recorder.ts';

/** One operation's calls. Calls that a connection fault cut off count as failed. */
export interface OperationSummary {
  readonly operation: string;
  readonly calls: number;
  readonly ok: number;
  readonly throttled: number;
  readonly failed: number;
  /** Most accepted calls in any trailing second, for the account and for the busiest channel. */
  readonly peakPerSecond: number;
  readonly peakPerChannelPerSecond: number;
}

const THROTTLED = 429;

/** Summarizes records, which are ordered by time, by operation name. */
export function summarize(calls: readonly CallRecord[]): OperationSummary[] {
  const byOperation = Map.groupBy(calls, ({ operation }) => operation);
  return [...byOperation]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([operation, records]) => {
      const ok = records.filter(({ outcome }) => outcome === 'ok');
      const throttled = records.filter(({ status }) => status === THROTTLED).length;
      const channels = Map.groupBy(ok, ({ channelArn }) => channelArn ?? '');
      channels.delete('');
      return {
        operation,
        calls: records.length,
        ok: ok.length,
        throttled,
        failed: records.length - ok.length - throttled,
        peakPerSecond: peak(ok),
        peakPerChannelPerSecond: Math.max(0, ...channels.values().map(peak)),
      };
    });
}

/** Most records in any (t − 1 s, t]. */
function peak(records: readonly CallRecord[]): number {
  let most = 0;
  let from = 0;
  for (const [index, { at }] of records.entries()) {
    while (records[from]!.at <= at - 1000) from++;
    most = Math.max(most, index - from + 1);
  }
  return most;
}
