// Signs of state: each has a shape of its own and stands beside its word, so that colour is never the only signal.
import { h } from './dom.js';
import { words } from './format.js';

const shapes = {
  healthy: () => h('circle', { cx: 8, cy: 8, r: 5 }),
  starving: () => h('path', { d: 'M8 1.5 15 14H1z' }),
  unknown: () => h('path', { d: 'M8 1 15 8 8 15 1 8z', class: 'hollow' }),
  waiting: () => h('circle', { cx: 8, cy: 8, r: 5, class: 'hollow' }),
  ended: () => h('rect', { x: 3, y: 3, width: 10, height: 10, class: 'hollow' }),
  failed: () => h('path', { d: 'M3 3l10 10M13 3L3 13', class: 'stroke' }),
  ok: () => h('path', { d: 'M2.5 8.5l3.5 4 7.5-9', class: 'stroke' }),
  pause: () => h('path', { d: 'M5 2.5v11M11 2.5v11', class: 'stroke' }),
};

/** A small sign, hidden from screen readers: its word stands beside it. */
export function glyph(shape) {
  return h(
    'svg',
    { class: `glyph ${shape}`, viewBox: '0 0 16 16', 'aria-hidden': 'true', focusable: 'false' },
    shapes[shape](),
  );
}

/** A row's state: how bad it is (0 is worst), its sign and its word. */
export function stateOf(row) {
  if (row.state === 'live') {
    if (row.health === 'STARVING') return { rank: 0, shape: 'starving', word: 'Starving' };
    if (row.health === 'UNKNOWN') return { rank: 2, shape: 'unknown', word: 'Unknown' };
    return { rank: 5, shape: 'healthy', word: 'Healthy' };
  }
  if (row.state === 'failed') return { rank: 1, shape: 'failed', word: 'Failed' };
  if (row.state === 'created') return { rank: 3, shape: 'waiting', word: 'Starting' };
  if (row.state === 'ended') return { rank: 6, shape: 'ended', word: 'Ended' };
  return { rank: 7, shape: 'ended', word: 'Offline' };
}

/** Sign and word together. */
export function state(row) {
  const { shape, word } = stateOf(row);
  return h('span.state', {}, glyph(shape), word);
}

const outcomeShapes = {
  acted: 'ok',
  would_act: 'unknown',
  pending: 'waiting',
  suppressed: 'failed',
  resolved: 'healthy',
};

/** A decision's outcome as a chip. */
export function outcome(name) {
  return h('span.chip', { class: `outcome ${name}` }, glyph(outcomeShapes[name] ?? 'ended'), words(name));
}

/** Viewer counts as a line; it has no words of its own, the number stands beside it. */
export function sparkline(values) {
  if (!values || values.length < 2) return h('svg', { class: 'spark', viewBox: '0 0 96 24', 'aria-hidden': 'true' });
  const least = Math.min(...values);
  const range = Math.max(...values) - least || 1;
  const points = values.map((value, index) => {
    const x = 2 + (92 * index) / (values.length - 1);
    return `${x.toFixed(1)},${(21 - (18 * (value - least)) / range).toFixed(1)}`;
  });
  return h(
    'svg',
    { class: 'spark', viewBox: '0 0 96 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    h('polyline', { points: points.join(' ') }),
  );
}
