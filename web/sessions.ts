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
  /** It was over by then, and may have been before: no event told. */
  readonly endedAtLatest?: true;
  readonly health?: NonNullable<LiveRow['health']>;
  readonly viewerCount?: number;
  readonly failureReason?: string;
  readonly endReason?: string;
  readonly stoppedBy?: string;
}

/** When it ended; since when it is as it is, where the end is not known to the moment. */
export function sessionEndMs({ endedAt, stateSince }: Session): number {
  return Date.parse(endedAt ?? stateSince);
}

/** How long it was live, in words; '' where its beginning is not known. */
export function lasted(session: Session): string {
  const { startedAt } = session;
  if (startedAt === undefined) return '';
  return `live for ${session.endedAtLatest ? 'at most ' : ''}${duration(sessionEndMs(session) - Date.parse(startedAt))}`;
}

export function isOver({ state }: Pick<Session, 'state'>): boolean {
  return state === 'ended' || state === 'failed';
}
