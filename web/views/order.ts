// Which streams the list shows, and in which order.
import type { LiveRow } from '#api/live/row.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { stateOf } from '../parts/signs.tsx';
import { compareBy, type Sorting } from './columns.ts';

/** The filter buttons of the top bar, as `show=` in the address. */
export const shows = {
  live: (row: LiveRow) => row.state === 'live',
  starving: (row: LiveRow) => row.health === 'STARVING',
  unknown: (row: LiveRow) => row.health === 'UNKNOWN',
  held: (row: LiveRow) => row.hold !== undefined,
  ended: () => false,
} satisfies Readonly<Record<string, (row: LiveRow) => boolean>>;
export type Show = keyof typeof shows;

/** Why `show=` of the address is not applied; undefined if it is. */
export function showProblem(show: string): string | undefined {
  if (show === '' || Object.hasOwn(shows, show)) return undefined;
  return `There is no filter “${show.slice(0, 40)}”${didYouMean(show, Object.keys(shows))}: all streams are shown.`;
}

export interface Wanted {
  /** The search text. */
  readonly text: string;
  readonly show: string;
  readonly sorting: Sorting | undefined;
  readonly pinned: ReadonlySet<string>;
}

/**
 * Numbers of the rows that pass the filter, the pinned ones first. Without a column to sort by, the worst first: by state, then the
 * longest starving, then the most watched.
 */
export function ordered(
  rows: ReadonlyMap<number, LiveRow>,
  { text, show, sorting, pinned }: Wanted,
): readonly number[] {
  const passes = filterOf(text);
  const isShown = Object.hasOwn(shows, show) ? shows[show as Show] : () => true;
  const found: { number: number; row: LiveRow; pin: number; rank: number }[] = [];
  for (const [number, row] of rows) {
    if (!isShown(row) || !passes(row)) continue;
    // Something is planned for it: it comes before everything that is well.
    const rank = Math.min(stateOf(row).rank, row.next ? 4 : 9);
    found.push({ number, row, pin: pinned.has(row.arn) ? 0 : 1, rank });
  }
  found.sort(
    (a, b) =>
      a.pin - b.pin ||
      (sorting ? compareBy(sorting, a.row, b.row) : 0) ||
      a.rank - b.rank ||
      (a.rank < 5 ? (a.row.since ?? 0) - (b.row.since ?? 0) : byHoldAndViewers(a.row, b.row)) ||
      (a.row.name < b.row.name ? -1 : 1),
  );
  return found.map(({ number }) => number);
}

function byHoldAndViewers(a: LiveRow, b: LiveRow): number {
  return Number(a.hold === undefined) - Number(b.hold === undefined) || (b.viewers ?? 0) - (a.viewers ?? 0);
}

/** Words that all must occur in name, id or a tag's `key=value`. */
function filterOf(text: string): (row: LiveRow) => boolean {
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (parts.length === 0) return () => true;
  return ({ name, arn, tags = {} }) => {
    const pairs = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
    const hay = `${name} ${arn} ${pairs.join(' ')}`.toLowerCase();
    return parts.every((part) => hay.includes(part));
  };
}
