// The streams, worst first unless a person sorts them otherwise. The order does not change while a pointer or the keyboard focus is in the
// list, so that nothing moves away under the hand.
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { count, plural } from '../format.ts';
import { useListKeys } from '../keys.ts';
import { CopyLink } from '../parts/copy.tsx';
import { Empty, Skeleton } from '../parts/text.tsx';
import { VirtualRows, type VirtualRowsHandle } from '../parts/virtual-rows.tsx';
import { preferences } from '../preferences.ts';
import { route, setParams } from '../route.ts';
import { clearSelection } from '../selection.ts';
import { mayOperate, ready, rows, rowsVersion, status } from '../store.ts';
import { useSettled } from '../use-settled.ts';
import { type Column, roomy, shownColumns, sortingOf, sortingProblem, tight } from './columns.ts';
import { EndedSessions } from './ended.tsx';
import { Head } from './list-head.tsx';
import { ListOptions } from './list-options.tsx';
import { ordered, showProblem, type Wanted } from './order.ts';
import { SelectionBar, selectRow } from './selection-bar.tsx';
import { SendToShown } from './send-to-shown.tsx';
import { StreamRow } from './stream-row.tsx';

const narrow = matchMedia('(max-width: 1020px)');
/** A finger that was lifted still counts as hovering, forever. */
const pointing = matchMedia('(hover: hover)');
const rowHeights = { narrow: 126, compact: 34, comfortable: 54 };

export function StreamsView(): JSX.Element {
  const { q = '', show = '', sort = '' } = route.value.params;
  const { density, pinned, columns: chosen } = preferences.value;
  const isNarrow = useMatches(narrow);
  const shown = shownColumns(chosen, { roomy: useMatches(roomy), tight: useMatches(tight) });
  const table = useRef<HTMLDivElement>(null);
  const handle = useRef<VirtualRowsHandle>(null);
  const sorting = sortingOf(sort);
  const pins = useMemo(() => new Set(pinned), [pinned]);
  const order = useRestingOrder(
    { text: q, show, sorting, pinned: pins },
    `${show}|${sort}|${pinned.join()}|${q}`,
    table,
  );
  const all = rows();
  const changes = rowsVersion.value;
  const items = useMemo(() => order.filter((number) => all.has(number)), [order, changes]);
  /** The row that gets the focus as soon as it is drawn. */
  const coming = useRef<number | undefined>(undefined);
  const arnAt = (index: number) => all.get(items[index] ?? -1)?.arn;
  const focused = () =>
    coming.current === undefined ? focusedRow(table.current)?.dataset['arn'] : arnAt(coming.current);
  const shownArns = () => items.flatMap((number) => all.get(number)?.arn ?? []);
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
    focused,
    select() {
      const arn = focused();
      if (arn !== undefined && mayOperate()) selectRow(arn, shownArns(), { range: false });
    },
  });
  // A person who returns from another view does not find a selection that they no longer remember.
  useEffect(() => clearSelection, []);
  const settled = useSettled(q);
  const nothing = items.length === 0;
  const problem = sortingProblem(sort) ?? showProblem(show);
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
          {sorting && (
            <button type="button" class="chip" onClick={() => setParams({ sort: '' })}>
              Worst first
            </button>
          )}
        </div>
        <SendToShown text={q} show={show} shown={() => items.flatMap((number) => all.get(number) ?? [])} />
        <ListOptions shown={shown} />
        <CopyLink />
        <p class="summary" role="status" aria-live="polite">
          {show === 'ended' ? '' : summaryText(items.length)}
        </p>
      </div>
      {problem !== undefined && <p class="problem">{problem}</p>}
      <SelectionBar shownArns={shownArns} />
      <div
        class={isNarrow ? 'streams' : `streams ${density}`}
        role="table"
        aria-label={sorting ? `Streams by ${sorting.column.title}` : 'Streams, worst first'}
        aria-rowcount={items.length + 1}
        hidden={nothing}
        ref={table}
        style={{ '--columns': shown.map(({ width }) => width).join(' ') }}
      >
        <div role="rowgroup">
          <Head columns={shown} sorting={sorting} shownArns={shownArns} />
        </div>
        <VirtualRows
          items={items}
          rowHeight={rowHeights[isNarrow ? 'narrow' : density]}
          coveredTop={() =>
            Math.max(
              0,
              ...Array.from(document.querySelectorAll('.top, .selection'), (bar) => bar.getBoundingClientRect().bottom),
            )
          }
          handle={handle}
          onPointerLeave={() => {
            leaves.value += 1;
          }}
          row={(number, index, top) => (
            <Row number={number} index={index} top={top} columns={shown} shownArns={shownArns} />
          )}
        />
      </div>
      {nothing && show !== 'ended' && (ready.value ? <Nothing filtered={all.size > 0} /> : <Skeleton lines={6} />)}
      {(show === 'ended' || settled !== '') && <EndedSessions text={settled} among={show !== 'ended'} />}
    </section>
  );
}

function Row({
  number,
  ...rest
}: {
  readonly number: number;
  readonly index: number;
  readonly top: number;
  readonly columns: readonly Column[];
  readonly shownArns: () => readonly string[];
}): JSX.Element | null {
  const row = rows().get(number);
  return row ? <StreamRow row={row} number={number} {...rest} /> : null;
}

/** The pointer left the list: it may be sorted again. */
const leaves = signal(0);

/** Whether the window matches a media query, now and whenever that changes. */
function useMatches(query: MediaQueryList): boolean {
  const matches = useRef(signal(query.matches)).current;
  useEffect(() => {
    const look = () => {
      matches.value = query.matches;
    };
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, [matches, query]);
  return matches.value;
}

function focusedRow(table: HTMLElement | null): HTMLElement | undefined {
  const { activeElement } = document;
  return table?.contains(activeElement) ? (activeElement?.closest<HTMLElement>('.row') ?? undefined) : undefined;
}

/** Numbers of the rows in their order; sorted again when the filter or sorting changes, and when rows change while nobody uses the list. */
function useRestingOrder(
  wanted: Wanted,
  key: string,
  table: { readonly current: HTMLElement | null },
): readonly number[] {
  const last = useRef<{ key: string; version: number; order: readonly number[] } | null>(null);
  const version = rowsVersion.value;
  void leaves.value;
  const isResting = () => {
    const body = table.current?.querySelector('.rows');
    if (!body) return true;
    return !(pointing.matches && body.matches(':hover')) && !body.contains(document.activeElement);
  };
  const { current } = last;
  if (!current || current.key !== key || (current.version !== version && isResting()))
    last.current = { key, version, order: ordered(rows(), wanted) };
  return last.current!.order;
}

function summaryText(shown: number): string {
  const { size } = rows();
  if (!ready.value) return size === 0 ? 'Loading…' : `Loading… ${plural(size, 'channel')} so far`;
  return shown === size ? plural(shown, 'channel') : `${count(shown)} of ${plural(size, 'channel')}`;
}

function Nothing({ filtered }: { readonly filtered: boolean }): JSX.Element {
  if (status.value?.standby)
    return <Empty title="Nothing is polled">This is a standby. What is live is seen once it is activated.</Empty>;
  return filtered ? (
    <Empty title="No channel matches">Change the filter above.</Empty>
  ) : (
    <Empty title="Nothing is live">Streams appear here when they start.</Empty>
  );
}
