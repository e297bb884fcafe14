// What a plot over time shows, without drawing it: ranges of time, groups of marks, texts of the axis.

/** Seconds. */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

export interface PlotSpan extends Extent {
  /** A colour of the style sheet. */
  readonly colour: string;
  /** How much of the strip's height, 0 to 1. */
  readonly part: number;
}

export type MarkKind = 'event' | 'decision' | 'job' | 'incident';

export interface PlotMark {
  readonly id: string;
  /** Seconds. */
  readonly at: number;
  readonly kind: MarkKind;
  /** In a single line. */
  readonly text: string;
  /** A link to more about it. */
  readonly href?: string;
}

/** Marks that are too close to each other to be distinguished. */
export interface MarkGroup {
  /** Position of the first mark, CSS pixels from the left of the plotted area. */
  readonly x: number;
  readonly marks: readonly PlotMark[];
}

/** Marks closer than this are one group, CSS pixels: the smallest width for a finger. */
const apart = 24;
const leastSeconds = 60;

/** Marks of the visible range, from left to right. @param width of the plotted area, CSS pixels */
export function clusters(marks: readonly PlotMark[], { from, to }: Extent, width: number): readonly MarkGroup[] {
  const groups: { x: number; marks: PlotMark[] }[] = [];
  for (const mark of marks.toSorted((a, b) => a.at - b.at)) {
    if (mark.at < from || mark.at > to) continue;
    const x = ((mark.at - from) / Math.max(1, to - from)) * width;
    const last = groups.at(-1);
    if (last && x - last.x < apart) last.marks.push(mark);
    else groups.push({ x, marks: [mark] });
  }
  return groups;
}

/** The visible range after a step; undefined: all. @param where `at`: the time that stays visible */
export function nextRange(
  step: 'in' | 'out' | 'left' | 'right' | 'show',
  { shown, extent, at }: { readonly shown: Extent; readonly extent: Extent; readonly at?: number | undefined },
): Extent | undefined {
  const length = shown.to - shown.from;
  const isIn = at !== undefined && at >= shown.from && at <= shown.to;
  const middle = step === 'show' || isIn ? (at ?? shown.from) : (shown.from + shown.to) / 2;
  if (step === 'left' || step === 'right') {
    const by = (step === 'left' ? -length : length) / 4;
    return within({ from: shown.from + by, to: shown.to + by }, extent);
  }
  const next = Math.max(leastSeconds, step === 'in' ? length / 2 : step === 'out' ? length * 2 : length);
  return within({ from: middle - next / 2, to: middle + next / 2 }, extent);
}

/** The part of the extent that has the length of the range; undefined if that is all of it. */
function within({ from, to }: Extent, extent: Extent): Extent | undefined {
  const length = to - from;
  if (length >= extent.to - extent.from) return undefined;
  const start = Math.max(extent.from, Math.min(from, extent.to - length));
  return { from: Math.round(start), to: Math.round(start + length) };
}

/** A range in an address; undefined if it is not one. */
export function rangeOf(from: string | undefined, to: string | undefined): Extent | undefined {
  const [start, end] = [Date.parse(from ?? '') / 1000, Date.parse(to ?? '') / 1000];
  return end > start ? { from: start, to: end } : undefined;
}

/** The same for an address. */
export function rangeParams(range: Extent | undefined): { readonly from: string; readonly to: string } {
  const text = (seconds: number) => new Date(Math.round(seconds) * 1000).toISOString();
  return range === undefined ? { from: '', to: '' } : { from: text(range.from), to: text(range.to) };
}

const pad = (value: number) => String(value).padStart(2, '0');

/** The local time of day; with seconds if the axis is short, and with the day if it is long. */
export function axisText(seconds: number, lengthSeconds: number): string {
  const at = new Date(seconds * 1000);
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  if (lengthSeconds <= 600) return `${time}:${pad(at.getSeconds())}`;
  return lengthSeconds > 129_600 || (time === '00:00' && lengthSeconds > 3600)
    ? `${at.getDate()}.${at.getMonth() + 1}. ${time}`
    : time;
}

/** Time since a beginning: `0:05`, `2:30`. */
export function sinceText(seconds: number, lengthSeconds: number): string {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const text = `${Math.floor(minutes / 60)}:${pad(minutes % 60)}`;
  return lengthSeconds <= 600 ? `${text}:${pad(Math.floor(Math.abs(seconds) % 60))}` : text;
}
