// The marks above a plot, at the times of what happened. One mark is a tab stop, and the arrow keys move through them; pressing one
// describes it.
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { clock, plural } from '../format.ts';
import type { MarkGroup, MarkKind, PlotMark } from '../plotting.ts';

const words: Readonly<Record<MarkKind, string>> = {
  event: 'Event',
  decision: 'Decision',
  job: 'Action',
  incident: 'Incident',
};
/** Which one of several is shown. */
const weight: Readonly<Record<MarkKind, number>> = { incident: 3, decision: 2, job: 1, event: 0 };
const mostTold = 50;

const paths: Readonly<Record<MarkKind, string>> = {
  event: 'M8 3a5 5 0 1 0 .01 0z',
  decision: 'M8 1.5 14.5 8 8 14.5 1.5 8z',
  job: 'M3 3h10v10H3z',
  incident: 'M8 1.5 15 14H1z',
};

export function Marks({
  groups,
  left,
  width,
}: {
  readonly groups: readonly MarkGroup[];
  readonly left: number;
  readonly width: number;
}): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const [stop, setStop] = useState(0);
  const [open, setOpen] = useState<string | undefined>(undefined);
  const told = groups.find(({ marks }) => marks[0]?.id === open);
  const tabStop = Math.min(stop, groups.length - 1);
  const move = (to: number) => {
    const next = Math.max(0, Math.min(groups.length - 1, to));
    setStop(next);
    list.current?.querySelectorAll('button')[next]?.focus();
  };
  return (
    <>
      <div
        class="marks"
        ref={list}
        role="toolbar"
        aria-label="What happened"
        style={{ marginLeft: `${left}px`, width: `${width}px` }}
        onKeyDown={(event) => {
          const to = { ArrowLeft: tabStop - 1, ArrowRight: tabStop + 1, Home: 0, End: groups.length - 1 }[event.key];
          if (to === undefined) return;
          move(to);
          event.preventDefault();
          event.stopPropagation();
        }}
      >
        {groups.map((group, index) => {
          const kind = worst(group.marks);
          const [first] = group.marks as [PlotMark, ...PlotMark[]];
          return (
            <button
              key={first.id}
              type="button"
              class={`plot-mark ${kind}`}
              style={{ left: `${group.x}px` }}
              tabIndex={index === tabStop ? 0 : -1}
              aria-label={labelOf(group.marks)}
              aria-expanded={first.id === open}
              title={labelOf(group.marks)}
              onFocus={() => setStop(index)}
              onClick={() => setOpen(first.id === open ? undefined : first.id)}
            >
              <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
                <path d={paths[kind]} />
              </svg>
              {group.marks.length > 1 && <span>{group.marks.length}</span>}
            </button>
          );
        })}
      </div>
      {told && (
        <ul class="told" aria-label="What happened there">
          {told.marks.slice(0, mostTold).map((mark) => (
            <li key={mark.id}>
              <time>{clock(mark.at * 1000)}</time> <span class="dim">{words[mark.kind]}</span> {mark.text}{' '}
              {mark.href !== undefined && <a href={mark.href}>Details</a>}
            </li>
          ))}
          {told.marks.length > mostTold && <li class="dim">and {told.marks.length - mostTold} more: zoom in</li>}
        </ul>
      )}
    </>
  );
}

function worst(marks: readonly PlotMark[]): MarkKind {
  return marks.reduce<MarkKind>((kind, mark) => (weight[mark.kind] > weight[kind] ? mark.kind : kind), 'event');
}

function labelOf(marks: readonly PlotMark[]): string {
  const [first] = marks as [PlotMark, ...PlotMark[]];
  if (marks.length === 1) return `${clock(first.at * 1000)} ${words[first.kind]}: ${first.text}`;
  const counts = Object.entries(Object.groupBy(marks, ({ kind }) => kind)).map(([kind, of]) =>
    plural(of.length, words[kind as MarkKind].toLowerCase()),
  );
  // The visible number comes first, so that people who use voice control can name the button by it.
  return `${marks.length} from ${clock(first.at * 1000)}: ${counts.join(', ')}`;
}
