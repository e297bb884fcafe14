// The streams, worst first. The order stands still while a pointer or the keyboard is in the list, so that nothing jumps away
// from under the hand.
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LiveRow } from '#api/live/row.ts';
import { count, plural } from '../format.ts';
import { useListKeys } from '../keys.ts';
import { CopyLink } from '../parts/copy.tsx';
import { stateOf } from '../parts/signs.tsx';
import { Empty, Skeleton } from '../parts/text.tsx';
import { VirtualRows, type VirtualRowsHandle } from '../parts/virtual-rows.tsx';
import { route, setParams } from '../route.ts';
import { ready, rows, rowsVersion } from '../store.ts';
import { EndedSessions } from './ended.tsx';
import { StreamRow } from './stream-row.tsx';

const narrow = matchMedia('(max-width: 1020px)');
/** A finger that has left still hovers, for ever. */
const pointing = matchMedia('(hover: hover)');
const columns = ['State', 'Channel', 'Viewers', 'Recording', 'Key age', 'Next action', 'Hold'];

/** Filters that are buttons in the top bar, as `show=` in the address. */
export const shows = {
  live: (row: LiveRow) => row.state === 'live',
  starving: (row: LiveRow) => row.health === 'STARVING',
  unknown: (row: LiveRow) => row.health === 'UNKNOWN',
  held: (row: LiveRow) => row.hold !== undefined,
  ended: () => false,
} satisfies Readonly<Record<string, (row: LiveRow) => boolean>>;
export type Show = keyof typeof shows;

export function StreamsView(): JSX.Element {
  const { q = '', show = '' } = route.value.params;
  const rowHeight = useRowHeight();
  const table = useRef<HTMLDivElement>(null);
  const handle = useRef<VirtualRowsHandle>(null);
  const order = useRestingOrder(q, show, table);
  const all = rows();
  const changes = rowsVersion.value;
  const items = useMemo(() => order.filter((number) => all.has(number)), [order, changes]);
  /** The row that gets the focus as soon as it is drawn. */
  const coming = useRef<number | undefined>(undefined);
  useListKeys({
    move(step) {
      const current = focusedRow(table.current);
      const from = coming.current ?? (current ? Number(current.getAttribute('aria-rowindex')) - 2 : -1);
      const to = Math.max(0, Math.min(items.length - 1, from + step));
      coming.current = to;
      handle.current?.reveal(to, () => {
        coming.current = undefined;
        table.current?.querySelector<HTMLElement>(`[aria-rowindex="${to + 2}"] a.name`)?.focus({ preventScroll: true });
      });
    },
    focused: () =>
      coming.current === undefined
        ? focusedRow(table.current)?.dataset['arn']
        : all.get(items[coming.current] ?? -1)?.arn,
  });
  const settled = useSettled(q);
  const nothing = items.length === 0;
  return (
    <section aria-label="Streams">
      <h1 class="sr">Streams</h1>
      <div class="bar">
        <input
          type="search"
          id="filter"
          placeholder="Name, id, or tag=value"
          aria-label="Filter streams by name, id or tag"
          autocomplete="off"
          value={q}
          onInput={(event) => setParams({ q: event.currentTarget.value }, { typing: true })}
        />
        <div class="tags">
          <button
            type="button"
            class="chip"
            aria-pressed={show === 'ended'}
            onClick={() => setParams({ show: show === 'ended' ? '' : 'ended' })}
          >
            Ended
          </button>
          {(q !== '' || show !== '') && (
            <button type="button" class="chip" onClick={() => setParams({ q: '', show: '' })}>
              Clear filter
            </button>
          )}
        </div>
        <CopyLink />
        <p class="summary" role="status" aria-live="polite">
          {show === 'ended' ? '' : summaryText(items.length)}
        </p>
      </div>
      <div
        class="streams"
        role="table"
        aria-label="Streams, worst first"
        aria-rowcount={items.length + 1}
        hidden={nothing}
        ref={table}
      >
        <div role="rowgroup">
          <div class="row head" role="row">
            {columns.map((name) => (
              <span key={name} role="columnheader">
                {name}
              </span>
            ))}
          </div>
        </div>
        <VirtualRows
          items={items}
          rowHeight={rowHeight}
          coveredTop={() => document.querySelector('.top')?.getBoundingClientRect().bottom ?? 0}
          handle={handle}
          onPointerLeave={() => {
            leaves.value += 1;
          }}
          row={(number, index, top) => <Row number={number} index={index} top={top} />}
        />
      </div>
      {nothing && show !== 'ended' && (ready.value ? <Nothing filtered={all.size > 0} /> : <Skeleton lines={6} />)}
      {(show === 'ended' || settled !== '') && <EndedSessions text={settled} among={show !== 'ended'} />}
    </section>
  );
}

function Row({
  number,
  index,
  top,
}: {
  readonly number: number;
  readonly index: number;
  readonly top: number;
}): JSX.Element | null {
  const row = rows().get(number);
  return row ? <StreamRow row={row} number={number} index={index} top={top} /> : null;
}

/** The pointer left the list: it may be sorted again. */
const leaves = signal(0);

/** What is typed, once the hand rests: not every letter is a question to the daemon. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 300);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

/** The height of a row, which is that of the style sheet: a narrow window has taller ones. */
function useRowHeight(): number {
  const matches = useRef(signal(narrow.matches)).current;
  useEffect(() => {
    const look = () => {
      matches.value = narrow.matches;
    };
    narrow.addEventListener('change', look);
    return () => narrow.removeEventListener('change', look);
  }, [matches]);
  return matches.value ? 126 : 54;
}

function focusedRow(table: HTMLElement | null): HTMLElement | undefined {
  const { activeElement } = document;
  return table?.contains(activeElement) ? (activeElement?.closest<HTMLElement>('.row') ?? undefined) : undefined;
}

/** Numbers of the rows in their order; sorted again when the filter changes, and when rows change while no hand is in the list. */
function useRestingOrder(
  text: string,
  show: string,
  table: { readonly current: HTMLElement | null },
): readonly number[] {
  const last = useRef<{ filter: string; version: number; order: readonly number[] } | null>(null);
  const filter = `${show}|${text}`;
  const version = rowsVersion.value;
  void leaves.value;
  const isResting = () => {
    const body = table.current?.querySelector('.rows');
    if (!body) return true;
    return !(pointing.matches && body.matches(':hover')) && !body.contains(document.activeElement);
  };
  const { current } = last;
  if (!current || current.filter !== filter || (current.version !== version && isResting()))
    last.current = { filter, version, order: sorted(text, show) };
  return last.current!.order;
}

/** Numbers of the rows that pass the filter, worst first: by state, then the longest starving, then the most watched. */
function sorted(text: string, show: string): number[] {
  const passes = filterOf(text);
  const isShown = Object.hasOwn(shows, show) ? shows[show as Show] : () => true;
  const found: { number: number; rank: number; held: number; since: number; viewers: number; name: string }[] = [];
  for (const [number, row] of rows()) {
    if (!isShown(row) || !passes(row)) continue;
    // Something is about to happen to it: before everything that is well.
    const rank = Math.min(stateOf(row).rank, row.next ? 4 : 9);
    const { since = 0, viewers = 0, name } = row;
    found.push({ number, rank, held: row.hold ? 0 : 1, since, viewers, name });
  }
  found.sort(
    (a, b) =>
      a.rank - b.rank ||
      (a.rank < 5 ? a.since - b.since : a.held - b.held || b.viewers - a.viewers) ||
      (a.name < b.name ? -1 : 1),
  );
  return found.map(({ number }) => number);
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

function summaryText(shown: number): string {
  const { size } = rows();
  if (!ready.value) return size === 0 ? 'Loading…' : `Loading… ${plural(size, 'channel')} so far`;
  return shown === size ? plural(shown, 'channel') : `${count(shown)} of ${plural(size, 'channel')}`;
}

function Nothing({ filtered }: { readonly filtered: boolean }): JSX.Element {
  return filtered ? (
    <Empty title="No channel matches">Change the filter above.</Empty>
  ) : (
    <Empty title="Nothing is live">Streams appear here by themselves when they start.</Empty>
  );
}
