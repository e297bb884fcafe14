// Signs of state: each has a shape of its own and stands beside its word, so that colour is never the only signal.
import { h } from './dom.js';
import { count, words } from './format.js';

const shapes = {
  healthy: () => h('circle', { cx: 8, cy: 8, r: 5 }),
  starving: () => h('path', { d: 'M8 1.5 15 14H1z' }),
  unknown: () => h('path', { d: 'M8 1 15 8 8 15 1 8z', class: 'hollow' }),
  waiting: () => h('circle', { cx: 8, cy: 8, r: 5, class: 'hollow' }),
  ended: () => h('rect', { x: 3, y: 3, width: 10, height: 10, class: 'hollow' }),
  failed: () => h('path', { d: 'M3 3l10 10M13 3L3 13', class: 'stroke' }),
  ok: () => h('path', { d: 'M2.5 8.5l3.5 4 7.5-9', class: 'stroke' }),
  firing: () => h('path', { d: 'M9.5 1 3 9h4l-1 6 7-8.5H8.6z' }),
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

/** A decision's outcome as a chip, with how often it came. */
export function outcome(name, times) {
  return h(
    'span.chip',
    { class: `outcome ${name}` },
    outcomeSign(name),
    times === undefined ? '' : h('b', {}, count(times)),
    words(name),
  );
}

/** Its sign alone; the word stands beside it. */
export function outcomeSign(name) {
  return glyph(outcomeShapes[name] ?? 'ended');
}

/**
 * Viewer counts as the points of a line in a box of 96 by 24; it has no words of its own, the number stands beside it. A change of
 * less than a tenth stays nearly flat: noise must not look like news.
 */
export function sparkPoints(values) {
  if (!values || values.length < 2) return '';
  const most = Math.max(...values);
  const least = Math.min(...values);
  const range = Math.max(most - least, most * 0.1, 1);
  const middle = (most + least) / 2;
  return values
    .map((value, index) => {
      const x = 2 + (92 * index) / (values.length - 1);
      return `${x.toFixed(1)},${(12 - (18 * (value - middle)) / range).toFixed(1)}`;
    })
    .join(' ');
}
