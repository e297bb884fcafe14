// Signs of state: each has its own shape and is shown next to its word, so that colour is never the only signal.
import type { JSX } from 'preact';
import type { LiveRow } from '#api/live/row.ts';
import { count, words } from '../format.ts';

export type Shape =
  | 'healthy'
  | 'starving'
  | 'unknown'
  | 'waiting'
  | 'ended'
  | 'failed'
  | 'ok'
  | 'firing'
  | 'pause'
  | 'copy'
  | 'pin'
  | 'up'
  | 'down'
  | 'options';

const shapes: Readonly<Record<Shape, () => JSX.Element>> = {
  healthy: () => <circle cx={8} cy={8} r={5} />,
  starving: () => <path d="M8 1.5 15 14H1z" />,
  unknown: () => <path d="M8 1 15 8 8 15 1 8z" class="hollow" />,
  waiting: () => <circle cx={8} cy={8} r={5} class="hollow" />,
  ended: () => <rect x={3} y={3} width={10} height={10} class="hollow" />,
  failed: () => <path d="M3 3l10 10M13 3L3 13" class="stroke" />,
  ok: () => <path d="M2.5 8.5l3.5 4 7.5-9" class="stroke" />,
  firing: () => <path d="M9.5 1 3 9h4l-1 6 7-8.5H8.6z" />,
  pause: () => <path d="M5 2.5v11M11 2.5v11" class="stroke" />,
  pin: () => <path d="M5.5 1.5h5l-.8 4.3 2.8 2.9h-9l2.8-2.9zM8 9v5.5" class="stroke" />,
  up: () => <path d="M3 10.5 8 5l5 5.5" class="stroke" />,
  down: () => <path d="M3 5.5 8 11l5-5.5" class="stroke" />,
  options: () => <path d="M2 4.5h12M2 11.5h12M5.5 2.5v4M10.5 9.5v4" class="stroke" />,
  copy: () => <path d="M6 5h7v9H6zM3 11V2h7" class="stroke" />,
};

/** A small sign, hidden from screen readers: its word is next to it. */
export function Glyph({ shape }: { readonly shape: Shape }): JSX.Element {
  return (
    <svg class={`glyph ${shape}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {shapes[shape]()}
    </svg>
  );
}

export interface RowState {
  /** 0 is worst. */
  readonly rank: number;
  readonly shape: Shape;
  readonly word: string;
}

const states: Readonly<Record<LiveRow['state'], RowState>> = {
  live: { rank: 5, shape: 'healthy', word: 'Healthy' },
  failed: { rank: 1, shape: 'failed', word: 'Failed' },
  created: { rank: 3, shape: 'waiting', word: 'Starting' },
  ended: { rank: 6, shape: 'ended', word: 'Ended' },
  offline: { rank: 7, shape: 'ended', word: 'Offline' },
};
const starving: RowState = { rank: 0, shape: 'starving', word: 'Starving' };
const unknown: RowState = { rank: 2, shape: 'unknown', word: 'Unknown' };

/** A row's state: how bad it is, its sign and its word. */
export function stateOf({ state, health }: Pick<LiveRow, 'state' | 'health'>): RowState {
  if (state === 'live' && health === 'STARVING') return starving;
  if (state === 'live' && health === 'UNKNOWN') return unknown;
  return states[state];
}

/** Sign and word together. */
export function State({ of }: { readonly of: Pick<LiveRow, 'state' | 'health'> }): JSX.Element {
  const { shape, word } = stateOf(of);
  return (
    <span class="state">
      <Glyph shape={shape} />
      {word}
    </span>
  );
}

const outcomeShapes: Readonly<Record<string, Shape>> = {
  acted: 'ok',
  would_act: 'unknown',
  pending: 'waiting',
  suppressed: 'failed',
  resolved: 'healthy',
};

/** The sign of a decision's outcome; the word is next to it. */
export function OutcomeSign({ name }: { readonly name: string }): JSX.Element {
  return <Glyph shape={outcomeShapes[name] ?? 'ended'} />;
}

/** A decision's outcome as a chip, with how often it occurred. */
export function Outcome({ name, times }: { readonly name: string; readonly times?: number }): JSX.Element {
  return (
    <span class={`chip outcome ${name}`}>
      <OutcomeSign name={name} />
      {times !== undefined && <b>{count(times)}</b>}
      {words(name)}
    </span>
  );
}

/**
 * Viewer counts as the points of a line in a box of 96 by 24; it has no text, the number is next to it. A change of
 * less than a tenth stays nearly flat: noise must not look like news.
 */
export function sparkPoints(values: readonly number[] | undefined): string {
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
