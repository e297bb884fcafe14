// Can I trust this screen? One line for each source, with its age.
import { h } from '../dom.js';
import { duration } from '../format.js';
import { glyph } from '../glyphs.js';
import { now, staleReason, store } from '../store.js';

const shapes = { ok: 'ok', stale: 'failed', unknown: 'waiting' };
const wordsFor = { ok: 'fine', stale: 'look here', unknown: 'not known' };

/** The pill in the top bar. */
export function trustPill() {
  const reason = staleReason();
  const worst = reason ? 'stale' : (store.status?.trust ?? []).some((line) => line.state === 'stale') ? 'stale' : 'ok';
  const poll = (store.status?.trust ?? []).find((line) => line.name === 'Poll');
  const age = poll?.atMs === undefined ? '' : ` · poll ${duration(now() - poll.atMs)}`;
  const first = (store.status?.trust ?? []).find((line) => line.state === 'stale');
  const text =
    store.connection === 'lost'
      ? 'Connection lost'
      : reason
        ? 'Data is stale'
        : worst === 'stale'
          ? `${first.name}: ${first.text}`
          : `Data is fresh${age}`;
  return h(
    'details.trust',
    { id: 'trust', class: worst },
    h('summary', {}, glyph(shapes[worst]), h('span', {}, text)),
    h(
      'div.panel',
      { role: 'group', 'aria-label': 'Can I trust this screen?' },
      h('h2', {}, 'Can I trust this screen?'),
      reason ? h('p', {}, reason) : '',
      h('ul', {}, (store.status?.trust ?? []).map(trustLine)),
    ),
  );
}

function trustLine({ name, state, text, atMs }) {
  return h(
    'li',
    { 'data-key': name, class: state },
    glyph(shapes[state]),
    h('b', {}, name),
    h('span', {}, `${text}${atMs === undefined ? '' : `, ${duration(now() - atMs)} ago`}`),
    h('span.sr', {}, `: ${wordsFor[state]}`),
  );
}
