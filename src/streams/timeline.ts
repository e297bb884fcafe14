// The timeline of a session: bounded, in the order of what happened, and independent of the order of arrival.
import type { TimelineEntry } from '#domain/stream-record.ts';
import { usualRank } from './event-signs.ts';

export const maxTimelineEntries = 40;

/** Adds an entry in its place; a repeat changes nothing, and if there are too many the oldest is dropped. */
export function withEntry(timeline: readonly TimelineEntry[], entry: TimelineEntry): readonly TimelineEntry[] {
  let at = timeline.length;
  while (at > 0 && compare(timeline[at - 1]!, entry) > 0) at -= 1;
  const before = timeline[at - 1];
  if (before && compare(before, entry) === 0) return timeline;
  if (at === 0 && timeline.length >= maxTimelineEntries) return timeline;
  return [...timeline.slice(0, at), entry, ...timeline.slice(at)].slice(-maxTimelineEntries);
}

function compare(a: TimelineEntry, b: TimelineEntry): number {
  return (
    a.eventTimeMs - b.eventTimeMs ||
    order(a.source, b.source) ||
    usualRank(a.name) - usualRank(b.name) ||
    order(a.name, b.name) ||
    order(a.text, b.text)
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
