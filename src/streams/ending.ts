// Why a session is over, in words, from what is known about its end.
import type { StreamRecord } from '#domain/stream-record.ts';

/** Whether an event reported the moment of the end. Otherwise a poll missed the session, which may have been over for a while. */
export function isEndToldByEvent({ basis }: Pick<StreamRecord, 'basis'>): boolean {
  return basis.endedMs !== undefined || basis.failedMs !== undefined || basis.sessionEndedMs !== undefined;
}

/** Returns undefined while the session is not over. */
export function endReason({ state, failureReason, basis }: StreamRecord): string | undefined {
  if (state !== 'ended' && state !== 'failed') return undefined;
  const told = failureReason === undefined || failureReason === '' ? '' : `: ${failureReason}`;
  if (state === 'failed') return `Stream Failure${told}`;
  if (basis.endedMs !== undefined) return `Stream End${told}`;
  if (basis.sessionEndedMs !== undefined) return `Session Ended${told}`;
  if (basis.missed.length === 0 && basis.supersededMs !== undefined) return 'replaced by a newer session';
  return 'IVS does not list it as live';
}
