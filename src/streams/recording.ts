// One state of a recording from signs that arrive in any order, some of them under another session's id.
import type { RecordingSign, SessionBasis, StreamRecord } from '#domain/stream-record.ts';

/**
 * A recording may continue in the next session for 300 s after the end of one. The end is known only to two seconds: the times of
 * events are truncated to whole seconds, and Session Ended, which may be the only event of the end, may come a second before Stream End.
 * https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateRecordingConfiguration.html (recordingReconnectWindowSeconds)
 */
export const longestReconnectMs = 300_000 + 2_000;

/** Ids of merged sessions that are kept with the session that named them. */
const maxMerged = 50;

/** The newer of two signs; in the same second the one that ends the recording, and a failure before anything else. */
export function newerSign(known: RecordingSign | undefined, sign: RecordingSign): RecordingSign {
  if (!known || sign.atMs > known.atMs) return sign;
  const order = ['recording', 'ended', 'failed'];
  return sign.atMs === known.atMs && order.indexOf(sign.value) > order.indexOf(known.value) ? sign : known;
}

/** Adds the end of a recording that continued over reconnects, for the sessions it merged. */
export function withMerged(
  known: SessionBasis['mergedRecordings'],
  streamIds: readonly string[],
  sign: RecordingSign,
): SessionBasis['mergedRecordings'] {
  if (streamIds.length === 0) return known;
  const added = streamIds.slice(-maxMerged).map((id) => [id, newerSign(known?.[id], sign)] as const);
  const all = { ...known, ...Object.fromEntries(added) };
  return Object.keys(all).length > maxMerged ? Object.fromEntries(added) : all;
}

/** What the record says. A recording without an end is over once its session is and no reconnect can resume it. */
export function recordingOf(
  { recording: sign, recordingOverdueMs }: SessionBasis,
  endedAtMs: number | undefined,
): Pick<StreamRecord, 'recording' | 'recordingSinceMs'> {
  if (!sign) return { recording: 'none', recordingSinceMs: undefined };
  const overMs = endedAtMs === undefined ? undefined : Math.max(endedAtMs, sign.atMs) + longestReconnectMs;
  if (sign.value === 'recording' && overMs !== undefined && (recordingOverdueMs ?? 0) > overMs)
    return { recording: 'ended', recordingSinceMs: overMs };
  return { recording: sign.value, recordingSinceMs: sign.atMs };
}
