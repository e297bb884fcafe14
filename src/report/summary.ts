import { visibleLine } from '#domain/visible-text.ts';
import type { Report } from './model.ts';
import { shownName, shownSeconds } from './shown.ts';

/** The report in one line of plain text. */
export function reportSummary({ title, sessions }: Report): string {
  const [session] = sessions;
  if (!session || sessions.length > 1) return visibleLine(`Report on ${title}: ${sessions.length} sessions`);
  const { durationSeconds, viewers, health, full = [] } = session;
  const count = (list: 'actions' | 'withheld') => `${full.includes(list) ? 'at least ' : ''}${session[list].length}`;
  const parts = [
    durationSeconds === undefined ? 'duration not known' : shownSeconds(durationSeconds),
    viewers.peak === undefined ? 'viewers not counted' : `peak ${viewers.peak.viewers} viewers`,
    `starving ${shownSeconds(health.starvingSeconds)}`,
    `${count('actions')} actions taken, ${count('withheld')} withheld`,
  ];
  return visibleLine(`Report on ${shownName(session)}, session ${session.streamId}: ${parts.join(', ')}`);
}
