// A session as a picture: viewers and health over time, with events, decisions and actions as marks.
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { clock, words } from '../format.ts';
import { Plot } from '../parts/plot.tsx';
import { ProblemLine } from '../parts/text.tsx';
import { type PlotMark, rangeOf, rangeParams } from '../plotting.ts';
import { href, route, setParams } from '../route.ts';
import { sampleText, usePlotted, useSamples } from '../samples.ts';
import { isOver, type Session, sessionEndMs } from '../sessions.ts';
import type { LoadedStream } from '../stream-story.ts';
import { auditText } from './audit.tsx';
import { becameText } from './decisions.tsx';

/** The causes of a session's first action lie before its beginning; the effects of its end come later. */
const aroundMs = 60_000;

export function StreamHistory({
  arn,
  session,
  loaded,
}: {
  readonly arn: string;
  readonly session: Session;
  readonly loaded: LoadedStream;
}): JSX.Element | null {
  const over = isOver(session);
  const { value: samples, problem } = useSamples(arn, session.streamId, { isOver: over });
  const { times, viewers, spans, samples: shown } = usePlotted(samples);
  const lines = useMemo(() => [{ colour: '--accent', values: viewers, isArea: true }], [viewers]);
  const marks = useMemo(() => marksOf(loaded), [loaded]);
  const { from, to } = route.value.params;
  const range = rangeOf(from, to);
  const last = over ? sessionEndMs(session) : Math.max(...marks.map(({ at }) => at * 1000), (times.at(-1) ?? 0) * 1000);
  const first = Math.min(Date.parse(session.startedAt ?? session.stateSince), (times[0] ?? Infinity) * 1000);
  const extent = {
    from: (first - aroundMs) / 1000,
    to: (Math.max(last, first) + aroundMs) / 1000,
  };
  const around = range ?? extent;
  return (
    <section class="panel" aria-labelledby="history-title">
      <div class="split wrap">
        <h2 id="history-title">Viewers and health</h2>
        <p class="dim links">
          <a href={href('decisions', '', { channelArn: arn, since: iso(around.from), until: iso(around.to) })}>
            Decisions of this time
          </a>
        </p>
      </div>
      <ProblemLine problem={problem} />
      {samples?.length === 0 && (
        <p class="dim">There are no samples of this session: one is written per minute while it is live.</p>
      )}
      {samples && (samples.length > 0 || marks.length > 0) && (
        <Plot
          label={`Viewers and health from ${clock(extent.from * 1000)} to ${clock(extent.to * 1000)}`}
          times={times}
          lines={lines}
          spans={spans}
          marks={marks}
          extent={extent}
          range={range}
          onRange={(chosen) => setParams(rangeParams(chosen))}
          say={(index) => `${clock((times[index] ?? 0) * 1000)}: ${sampleText(shown[index])}`}
        />
      )}
      <p class="dim">
        Below the line: how the stream was, <Key colour="ok" text="healthy" />, <Key colour="warn" text="unknown" />,{' '}
        <Key colour="bad" text="starving" />; empty where it was not observed. Above it: events (round), decisions
        (diamond), actions (square).
      </p>
    </section>
  );
}

function Key({ colour, text }: { readonly colour: 'ok' | 'warn' | 'bad'; readonly text: string }): JSX.Element {
  return (
    <span class="key-of">
      <span class={`swatch ${colour}`} aria-hidden="true" /> {text}
    </span>
  );
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** Polls only repeat what the line shows. */
function marksOf({ story, decisions, audit }: LoadedStream): readonly PlotMark[] {
  return [
    ...story.timeline.flatMap(({ source, name, eventTime, text }, index): PlotMark[] =>
      source === 'poll'
        ? []
        : [{ id: `e${index}-${eventTime}`, at: Date.parse(eventTime) / 1000, kind: 'event', text: `${name}: ${text}` }],
    ),
    ...decisions.map((decision): PlotMark => {
      const became = becameText(decision);
      return {
        id: decision.id,
        at: Date.parse(decision.at) / 1000,
        kind: 'decision',
        text: `${decision.rule} ${words(decision.outcome)}: ${decision.words}${became === '' ? '' : `; ${became}`}`,
        href: href('decision', decision.id),
      };
    }),
    ...audit.map((entry): PlotMark => {
      const { jobId } = entry;
      return {
        id: entry.id,
        at: Date.parse(entry.at) / 1000,
        kind: 'job',
        text: `${words(entry.what)} ${auditText(entry)}`,
        ...(jobId === undefined ? {} : { href: href('job', jobId) }),
      };
    }),
  ];
}
