// The columns of the list of streams: their widths, which of them are shown, and which a person can sort by.

import type { LiveRow } from '#api/live/row.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { stateOf } from '../parts/signs.tsx';
import type { ChoosableColumn, Preferences } from '../preferences.ts';

export type ColumnId = 'mark' | 'state' | 'channel' | ChoosableColumn | 'hold';

export interface Column {
  readonly id: ColumnId;
  readonly title: string;
  /** A track of a CSS grid. */
  readonly width: string;
  /** The value that rows are compared by, ascending; undefined if a row has none, which then comes last. */
  readonly value?: (row: LiveRow) => number | string | undefined;
  /** The direction of the first press on the head; default: ascending. */
  readonly first?: 'descending';
}

const recordingRank = { failed: 0, recording: 1, ended: 2, none: 3 } as const;

/** In their order. */
export const columns: readonly Column[] = [
  { id: 'mark', title: '', width: '3.4rem' },
  { id: 'state', title: 'State', width: '9.5rem', value: (row) => stateOf(row).rank },
  { id: 'channel', title: 'Channel', width: 'minmax(9rem, 1.7fr)', value: ({ name }) => name },
  { id: 'viewers', title: 'Viewers', width: '9.8rem', value: ({ viewers }) => viewers, first: 'descending' },
  { id: 'started', title: 'Live for', width: '4.6rem', value: liveFor, first: 'descending' },
  { id: 'recording', title: 'Recording', width: '5.9rem', value: ({ recording }) => recordingRank[recording] },
  { id: 'key', title: 'Key age', width: '4.4rem', value: ({ key }) => key && -key, first: 'descending' },
  {
    id: 'next',
    title: 'Next action',
    width: 'minmax(6rem, 1.6fr)',
    value: ({ next }) => next && (next.dueMs ?? Infinity),
  },
  { id: 'hold', title: 'Hold', width: '4.8rem', value: ({ hold }) => hold && (hold.until ?? Infinity) },
];

/** Compares like the time for which the stream has been live: no clock is needed for that. */
function liveFor({ state, started }: LiveRow): number | undefined {
  return state === 'live' ? started && -started : undefined;
}

export interface Sorting {
  readonly column: Column;
  readonly descending: boolean;
}

const sortable = columns.filter(({ value }) => value !== undefined);

/** Parses `sort=` of the address: `viewers` ascending, `-viewers` descending. Undefined: worst first. */
export function sortingOf(text: string): Sorting | undefined {
  const descending = text.startsWith('-');
  const column = sortable.find(({ id }) => id === (descending ? text.slice(1) : text));
  return column && { column, descending };
}

/** Why `sort=` of the address is not applied; undefined if it is. */
export function sortingProblem(text: string): string | undefined {
  if (text === '' || sortingOf(text)) return undefined;
  const name = text.replace(/^-/, '');
  return `There is no column “${name.slice(0, 40)}” to sort by${didYouMean(
    name,
    sortable.map(({ id }) => id),
  )}: the worst come first.`;
}

/** `sort=` after a press on a column's head: its own direction, then the opposite one, then worst first again. */
export function nextSort({ id, first }: Column, current: Sorting | undefined): string {
  const descends = first === 'descending';
  if (current?.column.id !== id) return descends ? `-${id}` : id;
  return current.descending === descends ? (descends ? id : `-${id}`) : '';
}

const byName = new Intl.Collator('en', { numeric: true });

/** Compares two rows by a column; rows without a value come last in either direction. */
export function compareBy({ column, descending }: Sorting, a: LiveRow, b: LiveRow): number {
  const [left, right] = [column.value?.(a), column.value?.(b)];
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
  const order =
    typeof left === 'string' || typeof right === 'string'
      ? byName.compare(String(left), String(right))
      : left < right
        ? -1
        : Number(left > right);
  return descending ? -order : order;
}

/** Wider than the first: everything; narrower than the second: the key's age is hidden. */
export const roomy = matchMedia('(min-width: 1601px)');
export const tight = matchMedia('(max-width: 1400px)');

/** Which of the optional columns are shown. */
export function shownColumns(
  chosen: Preferences['columns'],
  window: { roomy: boolean; tight: boolean },
): readonly Column[] {
  const isShown = (id: ColumnId): boolean => {
    if (id === 'mark' || id === 'state' || id === 'channel' || id === 'hold') return true;
    if (chosen) return chosen.includes(id);
    return id === 'started' ? window.roomy : id !== 'key' || !window.tight;
  };
  return columns.filter(({ id }) => isShown(id));
}
