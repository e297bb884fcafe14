// A plot over time: lines, a strip of health below them, and marks above. uPlot draws. Keys move a cursor that describes in words what is
// there, and zoom; the caller keeps the visible range.
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import UPlot from 'uplot';
import { axisText, clusters, type Extent, nextRange, type PlotMark, type PlotSpan } from '../plotting.ts';
import { Marks } from './plot-marks.tsx';

export interface PlotLine {
  /** A colour of the style sheet, such as `--accent`. */
  readonly colour: string;
  /** One for each time; null: not known, and no line. */
  readonly values: readonly (number | null)[];
  readonly isArea?: boolean;
}

export interface PlotProps {
  /** A label for screen readers. */
  readonly label: string;
  /** Seconds, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly PlotLine[];
  readonly spans?: readonly PlotSpan[];
  readonly marks?: readonly PlotMark[];
  /** The whole range of the data. */
  readonly extent: Extent;
  /** The visible range; undefined: all. */
  readonly range: Extent | undefined;
  /** Called when a range, or everything again, was chosen. */
  readonly onRange: (range: Extent | undefined) => void;
  /** What is known at the time with this index in `times`, in words. */
  readonly say: (index: number) => string;
  /** How the axis formats a time. @default the local time of day */
  readonly timeText?: (seconds: number, stepSeconds: number) => string;
  readonly height?: number;
}

/** The position of the plotted area in the element, and its range: CSS pixels and seconds. */
interface Frame extends Extent {
  readonly left: number;
  readonly width: number;
}

const scheme = matchMedia('(prefers-color-scheme: light)');
/** A shorter drag counts as a click. */
const leastDrag = 6;
const stripHeight = 9;

export function Plot(props: PlotProps): JSX.Element {
  const { label, times, lines, spans = [], marks = [], extent, range, onRange, say } = props;
  const { timeText = axisText, height = 210 } = props;
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [frame, setFrame] = useState<Frame | undefined>(undefined);
  /** The time that the cursor is at. */
  const [at, setAt] = useState<number | undefined>(undefined);
  const colours = useColours();
  const shown = range ?? extent;
  const shape = lines.map(({ colour, isArea }) => `${colour}${isArea}`).join();

  useLayoutEffect(() => {
    const element = root.current!;
    const made = new UPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        padding: [8, 12, 0, 0],
        scales: {
          x: { time: false, auto: false },
          y: { range: (_, __, most) => [0, Math.max(1, (most ?? 0) * 1.08)] },
        },
        axes: [
          {
            stroke: colours.dim,
            grid: { show: false },
            ticks: { show: false },
            gap: stripHeight + 6,
            values: (self, splits) =>
              splits.map((split) =>
                (latest.current.timeText ?? timeText)(
                  split,
                  (self.scales['x']!.max ?? 0) - (self.scales['x']!.min ?? 0),
                ),
              ),
            incrs: timeSteps,
            space: 84,
            font: '12px system-ui, sans-serif',
          },
          {
            stroke: colours.dim,
            grid: { stroke: colours.line, width: 1 },
            ticks: { show: false },
            values: (_, splits) => splits.map((split) => (Number.isInteger(split) ? compact.format(split) : '')),
            size: 52,
            font: '12px system-ui, sans-serif',
          },
        ],
        series: [
          {},
          ...lines.map(({ colour, isArea }) => ({
            stroke: colours.of(colour),
            width: 1.75,
            points: { show: false },
            ...(isArea ? { fill: `${colours.of(colour)}33` } : {}),
          })),
        ],
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: true, y: false, setScale: false },
          bind: {
            dblclick: () => () => {
              latest.current.onRange(undefined);
              return null;
            },
          },
        },
        hooks: {
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width < leastDrag) return;
              const [from, to] = [self.posToVal(left, 'x'), self.posToVal(left + width, 'x')];
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              latest.current.onRange({ from, to });
            },
          ],
          draw: [
            (self) => drawStrip(self, latest.current.spans ?? [], colours.of),
            (self) => setFrame((before) => sameOr(before, frameOf(self))),
          ],
        },
      },
      [[], ...lines.map(() => [])],
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, height, colours]);

  // Before anybody can press a key in it.
  useLayoutEffect(() => {
    const drawn = plot.current;
    if (!drawn) return;
    drawn.batch(() => {
      drawn.setData([times as number[], ...lines.map(({ values }) => values as (number | null)[])], false);
      drawn.setScale('x', { min: shown.from, max: Math.max(shown.to, shown.from + 1) });
    });
    drawn.redraw();
    // New data moves the point under the pointer.
    if (at !== undefined) drawn.setCursor({ left: drawn.valToPos(at, 'x'), top: 10 }, false);
  }, [times, lines, spans, shown.from, shown.to, shape, height, colours]);

  const moveTo = (index: number) => {
    const drawn = plot.current;
    const to = Math.max(0, Math.min(times.length - 1, index));
    const time = times[to];
    if (!drawn || time === undefined) return;
    if (time < shown.from || time > shown.to) onRange(nextRange('show', { shown, extent, at: time }));
    setAt(time);
    drawn.setCursor({ left: drawn.valToPos(time, 'x'), top: 10 }, false);
  };
  const point = (clientX: number) => {
    const drawn = plot.current;
    if (!drawn || times.length === 0) return;
    setAt(times[drawn.posToIdx(clientX - drawn.over.getBoundingClientRect().left)]);
  };
  const place = at === undefined ? -1 : times.findLastIndex((time) => time <= at);
  const here = place === -1 ? undefined : place;
  const zoom = (step: 'in' | 'out' | 'left' | 'right') => onRange(nextRange(step, { shown, extent, at }));
  const firstShown = times.findIndex((time) => time >= shown.from);
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => moveTo((here ?? times.length) - 1),
    ArrowRight: () => moveTo(here === undefined ? Math.max(0, firstShown) : here + 1),
    PageUp: () => moveTo((here ?? times.length) - 10),
    PageDown: () => moveTo((here ?? 0) + 10),
    Home: () => moveTo(0),
    End: () => moveTo(times.length - 1),
    '+': () => zoom('in'),
    '=': () => zoom('in'),
    '-': () => zoom('out'),
    '[': () => zoom('left'),
    ']': () => zoom('right'),
    '0': () => onRange(undefined),
    Escape: () => onRange(undefined),
  };
  const said = here === undefined ? '' : say(here);
  return (
    <div class="timeplot">
      {frame && marks.length > 0 && (
        <Marks groups={clusters(marks, frame, frame.width)} left={frame.left} width={frame.width} />
      )}
      <div
        ref={root}
        class="canvas"
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Arrow keys move through it, plus and minus zoom, brackets pan, 0 shows all`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, times.length - 1)}
        aria-valuenow={here ?? 0}
        aria-valuetext={said || 'nothing chosen'}
        onMouseMove={(event) => point(event.clientX)}
        onKeyDown={(event) => {
          const { key, ctrlKey, metaKey, altKey } = event;
          if (ctrlKey || metaKey || altKey || !Object.hasOwn(keys, key)) return;
          keys[key]!();
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <div class="split wrap under">
        <p class="dim said">{said || 'Point at the plot, or press an arrow key in it.'}</p>
        <div class="actions">
          <button type="button" class="small" aria-label="Zoom in" onClick={() => zoom('in')}>
            +
          </button>
          <button type="button" class="small" aria-label="Zoom out" disabled={!range} onClick={() => zoom('out')}>
            −
          </button>
          <button type="button" class="small" disabled={!range} onClick={() => onRange(undefined)}>
            Show all
          </button>
        </div>
      </div>
    </div>
  );
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
/** Seconds between the times of the axis. */
const timeSteps = [
  1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];

interface Colours {
  readonly dim: string;
  readonly line: string;
  readonly of: (name: string) => string;
}

/** The present colours of the style sheet; they change with the colour scheme. */
function useColours(): Colours {
  const [colours, setColours] = useState(readColours);
  useEffect(() => {
    const changed = () => setColours(readColours());
    scheme.addEventListener('change', changed);
    return () => scheme.removeEventListener('change', changed);
  }, []);
  return colours;
}

function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return { dim: of('--dim'), line: of('--line'), of };
}

/** Health below the lines: the worse, the taller, so that colour is not the only sign. */
function drawStrip(plot: UPlot, spans: readonly PlotSpan[], colourOf: (name: string) => string): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const top = bbox.top + bbox.height + 3 * ratio;
  ctx.save();
  for (const { from, to, colour, part } of spans) {
    const x = Math.max(bbox.left, plot.valToPos(from, 'x', true));
    const end = Math.min(bbox.left + bbox.width, plot.valToPos(to, 'x', true));
    if (end <= bbox.left || x >= bbox.left + bbox.width) continue;
    ctx.fillStyle = colourOf(colour);
    ctx.fillRect(x, top, Math.max(ratio, end - x), stripHeight * part * ratio);
  }
  ctx.restore();
}

function frameOf({ bbox, scales }: UPlot): Frame {
  const { min, max } = scales['x']!;
  return { left: bbox.left / devicePixelRatio, width: bbox.width / devicePixelRatio, from: min ?? 0, to: max ?? 1 };
}

function sameOr(before: Frame | undefined, now: Frame): Frame {
  const isSame =
    before?.left === now.left && before.width === now.width && before.from === now.from && before.to === now.to;
  return isSame ? before : now;
}
