// Sessions as `GET /v1/streams` shows them.
import type { LiveRow } from '#api/live/row.ts';
import { duration } from './format.ts';

export interface Session {
  readonly channelArn: string;
  readonly channelName: string;
  readonly streamId: string;
  readonly state: Exclude<LiveRow['state'], 'offline'>;
  readonly stateSince: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** It was over by then, and may have ended earlier: no event reported it. */
  readonly endedAtLatest?: true;
  readonly health?: NonNullable<LiveRow['health']>;
  readonly viewerCount?: number;
  readonly failureReason?: string;
  readonly endReason?: string;
  readonly stoppedBy?: string;
}

/** When it ended; or since when it is in its state, if the exact end is unknown. */
export function sessionEndMs({ endedAt, stateSince }: Session): number {
  return Date.parse(endedAt ?? stateSince);
}

/** How long it was live, in words; '' if its beginning is unknown. */
export function lasted(session: Session): string {
  const { startedAt } = session;
  if (startedAt === undefined) return '';
  return `live for ${session.endedAtLatest ? 'at most ' : ''}${duration(sessionEndMs(session) - Date.parse(startedAt))}`;
}

export function isOver({ state }: Pick<Session, 'state'>): boolean {
  return state === 'ended' || state === 'failed';
}
