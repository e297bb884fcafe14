// How lines look on a terminal: tones that become colours, and tables that fit its width.
import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { visibleLine } from '#domain/visible-text.ts';

/** What a piece of text means; `bad` is the most severe. */
export type Tone = 'bad' | 'warn' | 'good' | 'faint' | 'strong';

export interface Piece {
  readonly text: string;
  readonly tone?: Tone | undefined;
}
export type Cell = string | Piece;
/** A line of output: a text, or pieces of it that follow each other. */
export type Line = string | readonly Cell[];

const colours = { bad: 'red', warn: 'yellow', good: 'green', faint: 'dim', strong: 'bold' } as const;
/** By the API's words. */
const tones: Readonly<Record<string, Tone>> = {
  STARVING: 'bad',
  UNKNOWN: 'warn',
  HEALTHY: 'good',
  failed: 'bad',
  critical: 'bad',
  CRITICAL: 'bad',
  refused: 'bad',
  stopped: 'bad',
  warning: 'warn',
  WARNING: 'warn',
  capped: 'warn',
  suppressed: 'warn',
  deferred: 'warn',
  created: 'warn',
  acted: 'good',
  would_act: 'strong',
  resolved: 'faint',
  pending: 'warn',
  already_done: 'good',
  done: 'good',
  delivered: 'good',
  ended: 'faint',
  offline: 'faint',
  skipped: 'faint',
  not_fired: 'faint',
};
const gap = '  ';
/** Columns are not cut below this width; if that is still too wide, each row becomes a block of lines. */
const narrowestColumn = 8;

/** The word in its usual tone. */
export function toned(word: string): Piece {
  return { text: word, tone: tones[word] };
}

/** The characters of a line, without its tones. */
export function plainText(line: Line): string {
  return typeof line === 'string' ? line : line.map(textOf).join('');
}

/** A line with the escape sequences of a terminal; text from strangers stays text. */
export function painted(line: readonly Piece[]): string {
  return line
    .map(({ text, tone }) => {
      const shown = visibleLine(text);
      return tone === undefined || shown === '' ? shown : styleText(colours[tone], shown, { validateStream: false });
    })
    .join('');
}

export interface TableRoom {
  /** The width of the terminal. Undefined: unlimited. */
  readonly columns?: number | undefined;
  /** The first row is no heading. */
  readonly headless?: boolean;
}

/**
 * Rows as aligned columns; the first row is the heading. If they do not fit, wide cells are cut; if that is not enough, each row becomes a
 * block of lines.
 */
export function table(cells: readonly (readonly Cell[])[], { columns, headless = false }: TableRoom = {}): Line[] {
  const rows = cells.map((row) => row.map((cell) => ({ ...asPiece(cell), text: visibleLine(textOf(cell)) })));
  const natural = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => stringWidth(row[column]?.text ?? ''))),
  );
  const widths = columns === undefined ? natural : fitted(natural, columns, headless ? 1 : narrowestColumn);
  if (widths === undefined) return blocks(headless ? [[], ...rows] : rows, columns!);
  return rows.map((row) => {
    const last = row.findLastIndex(({ text }) => text !== '');
    return row.slice(0, last + 1).flatMap((piece, column): Piece[] => {
      const text = cut(piece.text, widths[column]!);
      if (column === last) return [{ ...piece, text }];
      return [{ ...piece, text }, { text: ' '.repeat(widths[column]! - stringWidth(text)) + gap }];
    });
  });
}

/** The line, indented. */
export function indented(line: Line, by = gap): Line {
  return typeof line === 'string' ? by + line : [by, ...line];
}

/** The text, cut to a width with `…` at its end. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Narrows the widest columns until all fit; undefined if they cannot. */
function fitted(natural: readonly number[], columns: number, narrowest: number): number[] | undefined {
  const widths = [...natural];
  const room = columns - gap.length * (widths.length - 1);
  for (let over = sum(widths) - room; over > 0; over -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= narrowest) return undefined;
    widths[widest]! -= 1;
  }
  return widths;
}

/** Each row as lines `HEADING  value`, for a terminal that is too narrow for columns. */
function blocks([heading = [], ...rows]: readonly (readonly Piece[])[], columns: number): Line[] {
  const names = Math.max(0, ...heading.map(({ text }) => stringWidth(text)));
  const room = Math.max(narrowestColumn, columns - names - gap.length);
  return rows.flatMap((row, index) => [
    ...(index === 0 ? [] : ['']),
    ...row.flatMap(({ text, tone }, column) =>
      wrapped(text, room).map((part, at): Line => {
        const name = at === 0 ? (heading[column]?.text ?? '') : '';
        return [name + ' '.repeat(names - stringWidth(name)) + gap, { text: part, tone }];
      }),
    ),
  ]);
}

function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(lines.at(-1)! + segment) > width) lines.push('');
    lines[lines.length - 1] += segment;
  }
  return lines;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function asPiece(cell: Cell): Piece {
  return typeof cell === 'string' ? { text: cell } : cell;
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}
