// The streams, worst first. The order stands still while a pointer or the keyboard is in the list, so that nothing jumps away
// from under the hand.
import { h, render } from '../dom.js';
import { count, plural } from '../format.js';
import { stateOf } from '../glyphs.js';
import { store } from '../store.js';
import { VirtualList } from '../virtual-list.js';
import { streamRow } from './stream-row.js';

const narrow = matchMedia('(max-width: 760px)');
const columns = ['State', 'Channel', 'Viewers', 'Recording', 'Key age', 'Next action', 'Hold'];

/** Filter and text survive a change of views. */
const chosen = { show: 'all', text: '' };

export function showOnly(kind) {
  chosen.show = chosen.show === kind ? 'all' : kind;
}

export function shownKind() {
  return chosen.show;
}

export function mount(root) {
  const input = h('input', {
    type: 'search',
    id: 'filter',
    placeholder: 'Name, id, or tag=value',
    'aria-label': 'Filter streams by name, id or tag',
    autocomplete: 'off',
    'data-keep': true,
  });
  input.value = chosen.text;
  const summary = h('p.summary', { role: 'status', 'aria-live': 'polite' });
  const head = h(
    'div.row.head',
    { role: 'row' },
    columns.map((name) => h('span', { role: 'columnheader' }, name)),
  );
  const body = h('div.rows', { role: 'rowgroup' });
  const table = h(
    'div.streams',
    { role: 'table', 'aria-label': 'Streams, worst first' },
    h('div', { role: 'rowgroup' }, head),
    h('div', { role: 'presentation' }, body),
  );
  const empty = h('div');
  render(
    root,
    h(
      'section',
      { 'aria-label': 'Streams' },
      h('h1.sr', {}, 'Streams'),
      h('div.bar', {}, input, h('div.tags', { id: 'tag-chips' }), summary),
      table,
      empty,
    ),
  );
  const list = new VirtualList({ element: body, rowHeight: () => (narrow.matches ? 126 : 54), make: streamRow });

  let order = [];
  let seenVersion = -1;
  let seenFilter = '';
  const resting = () => !body.matches(':hover') && !body.contains(document.activeElement);

  const draw = ({ again = false } = {}) => {
    const filter = `${chosen.show}|${chosen.text}`;
    const mustSort = again || filter !== seenFilter || (store.rowsVersion !== seenVersion && resting());
    if (mustSort) {
      order = sorted(chosen);
      seenFilter = filter;
      seenVersion = store.rowsVersion;
    }
    table.setAttribute('aria-rowcount', String(order.length + 1));
    // The worst state leads; held rows keep their place and their number even when they change.
    list.show(order.filter((number) => store.rows.has(number)));
    render(summary, summaryText(order.length));
    render(document.getElementById('tag-chips'), chosen.text === '' ? [] : clearChip());
    table.hidden = store.ready && order.length === 0;
    render(
      empty,
      store.ready && order.length === 0 ? emptyText() : !store.ready && order.length === 0 ? skeleton() : [],
    );
  };
  input.addEventListener('input', () => {
    chosen.text = input.value;
    draw();
  });
  body.addEventListener('pointerleave', () => draw());
  const second = setInterval(() => list.refresh(), 1000);
  draw();
  return {
    update: () => draw(),
    /** j, k and the arrow keys go through the rows. */
    move(step) {
      const current = body.contains(document.activeElement)
        ? Number(document.activeElement.closest('.row')?.getAttribute('aria-rowindex')) - 2
        : -1;
      const to = Math.max(0, Math.min(list.items.length - 1, current + step));
      if (list.reveal(to)) body.querySelector(`[aria-rowindex="${to + 2}"] a.name`)?.focus({ preventScroll: true });
    },
    /** The channel whose row has the focus. */
    focused() {
      return document.activeElement?.closest('.row')?.dataset.arn;
    },
    setText(text) {
      chosen.text = text;
      input.value = text;
      draw();
    },
    destroy() {
      clearInterval(second);
      list.destroy();
    },
  };
}

/** Numbers of the rows that pass the filter, worst first: by state, then the longest starving, then the most watched. */
function sorted({ show, text }) {
  const passes = filterOf(text);
  const found = [];
  for (const [number, row] of store.rows) {
    if (!shows(row, show) || !passes(row)) continue;
    // Something is about to happen to it: before everything that is well.
    const rank = Math.min(stateOf(row).rank, row.next ? 4 : 9);
    found.push({
      number,
      rank,
      held: row.hold ? 0 : 1,
      since: row.since ?? 0,
      viewers: row.viewers ?? 0,
      name: row.name,
    });
  }
  found.sort(
    (a, b) =>
      a.rank - b.rank ||
      (a.rank < 5 ? a.since - b.since : a.held - b.held || b.viewers - a.viewers) ||
      (a.name < b.name ? -1 : 1),
  );
  return found.map(({ number }) => number);
}

function shows(row, show) {
  if (show === 'live') return row.state === 'live';
  if (show === 'starving') return row.health === 'STARVING';
  if (show === 'unknown') return row.health === 'UNKNOWN';
  if (show === 'held') return row.hold !== undefined;
  return true;
}

/** Words that all must occur in name, id or a tag's `key=value`. */
function filterOf(text) {
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (parts.length === 0) return () => true;
  return (row) => {
    const tags = Object.entries(row.tags ?? {}).map(([key, value]) => `${key}=${value}`);
    const hay = `${row.name} ${row.arn} ${tags.join(' ')}`.toLowerCase();
    return parts.every((part) => hay.includes(part));
  };
}

function summaryText(shown) {
  if (!store.ready) return store.rows.size === 0 ? 'Loading…' : `Loading… ${plural(store.rows.size, 'channel')} so far`;
  return shown === store.rows.size
    ? plural(shown, 'channel')
    : `${count(shown)} of ${plural(store.rows.size, 'channel')}`;
}

function clearChip() {
  return h('button.chip', { type: 'button', 'data-do': 'clear-filter' }, 'Clear filter');
}

function emptyText() {
  const filtered = store.rows.size > 0;
  return h(
    'div.empty',
    {},
    h('h2', {}, filtered ? 'No channel matches' : 'Nothing is live'),
    h('p', {}, filtered ? 'Change the filter above.' : 'Streams appear here by themselves when they start.'),
  );
}

function skeleton() {
  return h(
    'div.skeleton',
    { 'aria-hidden': 'true' },
    [0, 1, 2, 3, 4, 5].map(() => h('div')),
  );
}
