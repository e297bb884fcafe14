// The streams that are selected, to do something with many of them at once.
import { computed, signal } from '@preact/signals';
import type { LiveRow } from '#api/live/row.ts';
import { rowOfChannel } from './store.ts';

/** One request is sent for each: more would block others from the API. */
export const mostSelected = 200;

const chosen = signal<ReadonlySet<string>>(new Set());

/** Rows of the selected streams, in the order of selection; a stream that has left the list is not included. */
export const selectedRows = computed<readonly LiveRow[]>(() =>
  Array.from(chosen.value, rowOfChannel).filter((row) => row !== undefined),
);

export function isSelected(arn: string): boolean {
  return chosen.value.has(arn);
}

/** Selects these in addition, or deselects them. Returns how many of them did not fit. */
export function select(arns: readonly string[], on: boolean): number {
  // Streams that have left the list make room.
  const next = new Set(selectedRows.peek().map(({ arn }) => arn));
  for (const arn of arns) {
    if (!on) next.delete(arn);
    else if (next.size < mostSelected) next.add(arn);
  }
  chosen.value = next;
  return on ? arns.filter((arn) => !next.has(arn)).length : 0;
}

export function clearSelection(): void {
  if (chosen.peek().size > 0) chosen.value = new Set();
}
