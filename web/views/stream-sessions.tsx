// The sessions of a channel, and a comparison of some of them: figures of each, and their viewers from the beginning.
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { endText } from '#api/person.ts';
import { api, query } from '../api.ts';
import { clock, count, duration } from '../format.ts';
import { Plot } from '../parts/plot.tsx';
import { State } from '../parts/signs.tsx';
import { ProblemLine, Skeleton, Table, Time } from '../parts/text.tsx';
import { type Extent, sinceText } from '../plotting.ts';
import { href, route, setParams } from '../route.ts';
import { plotted, type Sample, sampleText } from '../samples.ts';
import { lasted, type Session, sessionEndMs } from '../sessions.ts';
import { useResource } from '../use-resource.ts';

const mostCompared = 4;
/** For the compared sessions, in their order; each is named next to its line. */
const colours = ['--accent', '--ok', '--warn', '--bad'];

/** The newest session and the earlier ones, with how each ended. Those that are compared are in the address: `compare=st-a,st-b`. */
export function Sessions({
  arn,
  sessions,
}: {
  readonly arn: string;
  readonly sessions: readonly Session[];
}): JSX.Element | null {
  const { session = '', compare = '' } = route.value.params;
  if (sessions.length < 2 && compare === '') return null;
  const chosen = compare.split(',').filter(Boolean);
  const choose = (streamId: string, on: boolean) => {
    const left = on ? [...chosen, streamId] : chosen.filter((each) => each !== streamId);
    setParams({ compare: left.slice(-mostCompared).join(',') });
  };
  return (
    <>
      <section class="panel" aria-labelledby="sessions-title">
        <h2 id="sessions-title">Sessions</h2>
        <Table
          names={['Compare', 'State', 'Began', 'Ended', 'Lasted', 'Why', 'Stream']}
          rows={sessions.map((each, index) => [
            <input
              key="compare"
              type="checkbox"
              aria-label={`Compare the session of ${clock(Date.parse(each.startedAt ?? each.stateSince))}`}
              checked={chosen.includes(each.streamId)}
              onChange={(event) => choose(each.streamId, event.currentTarget.checked)}
            />,
            <State key="state" of={each} />,
            each.startedAt === undefined ? '–' : <Time key="began" ms={Date.parse(each.startedAt)} />,
            each.state === 'live' || each.state === 'created' ? '–' : <Time key="ended" ms={sessionEndMs(each)} />,
            lasted(each).replace('live for ', '') || '–',
            endText(each) || '–',
            <a
              key="id"
              href={href('stream', arn, index === 0 ? {} : { session: each.streamId })}
              aria-current={(session || sessions[0]?.streamId) === each.streamId ? 'true' : undefined}
            >
              <code>{each.streamId}</code>
            </a>,
          ])}
        />
      </section>
      {chosen.length > 0 && <SideBySide arn={arn} streamIds={chosen.slice(0, mostCompared)} />}
    </>
  );
}

/** A session of `GET /v1/streams/{channelArn}/report`. */
interface Reported {
  readonly streamId: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly durationSeconds?: number;
  readonly endReason?: string;
  readonly stoppedBy?: string;
  readonly health: {
    readonly healthySeconds: number;
    readonly starvingSeconds: number;
    readonly unknownSeconds: number;
    readonly unseenSeconds: number;
  };
  readonly viewers: { readonly peak?: { readonly viewers: number; readonly at: string }; readonly average?: number };
  readonly samples: readonly Sample[];
  readonly limitBreaches: readonly unknown[];
  readonly actions: readonly unknown[];
  readonly withheld: readonly unknown[];
  readonly operators: readonly unknown[];
  readonly adBreaks: readonly unknown[];
  readonly full?: readonly string[];
}

function SideBySide({ arn, streamIds }: { readonly arn: string; readonly streamIds: readonly string[] }): JSX.Element {
  const { value: reports, problem } = useResource(
    `compare/${arn}/${streamIds.join()}`,
    (signal) =>
      Promise.all(
        streamIds.map(async (streamId) => {
          const path = `/v1/streams/${encodeURIComponent(arn)}/report${query({ streamId })}`;
          const { sessions } = await api<{ sessions: readonly Reported[] }>('GET', path, { signal });
          return sessions[0];
        }),
      ),
    { everyMs: 120_000 },
  );
  const found = reports?.filter((each) => each !== undefined);
  return (
    <section class="panel" aria-labelledby="compare-title">
      <div class="split wrap">
        <h2 id="compare-title">Side by side</h2>
        <button type="button" class="small" onClick={() => setParams({ compare: '' })}>
          Close
        </button>
      </div>
      <ProblemLine problem={problem} />
      {!found && !problem && <Skeleton />}
      {found && (
        <>
          <Overlay sessions={found} />
          <Table names={['Session of', ...found.map((each) => nameOf(each))]} rows={facts(found)} />
          {found.length === 1 && <p class="dim">Choose another session above to compare.</p>}
        </>
      )}
    </section>
  );
}

function nameOf({ startedAt, streamId }: Reported): string {
  return startedAt === undefined ? streamId : clock(Date.parse(startedAt));
}

function facts(sessions: readonly Reported[]): readonly (readonly (string | JSX.Element)[])[] {
  const seconds = (value: number) => (value === 0 ? '–' : duration(value * 1000));
  const listed = (list: 'limitBreaches' | 'actions' | 'withheld' | 'operators' | 'adBreaks') => (each: Reported) =>
    `${count(each[list].length)}${each.full?.includes(list) ? ' or more' : ''}`;
  const rows: readonly (readonly [string, (each: Reported) => string])[] = [
    ['Stream', ({ streamId }) => streamId],
    ['Lasted', ({ durationSeconds }) => (durationSeconds === undefined ? '–' : duration(durationSeconds * 1000))],
    ['Ended because', (each) => endText(each) || '–'],
    ['Most viewers', ({ viewers: { peak } }) => count(peak?.viewers)],
    ['Viewers on average', ({ viewers: { average } }) => count(average)],
    ['Starving', ({ health }) => seconds(health.starvingSeconds)],
    ['Health unknown', ({ health }) => seconds(health.unknownSeconds)],
    ['Not seen', ({ health }) => seconds(health.unseenSeconds)],
    ['Actions of rules', listed('actions')],
    ['Held back', listed('withheld')],
    ['Requested by people', listed('operators')],
    ['Limits exceeded', listed('limitBreaches')],
    ['Ad breaks', listed('adBreaks')],
  ];
  return rows.map(([name, of]) => [name, ...sessions.map(of)]);
}

/** Viewers of all, each from its own beginning. */
function Overlay({ sessions }: { readonly sessions: readonly Reported[] }): JSX.Element | null {
  const [range, setRange] = useState<Extent | undefined>(undefined);
  const { times, lines, told } = useMemo(() => overlaid(sessions), [sessions]);
  if (times.length === 0) return <p class="dim">There are no samples of these sessions.</p>;
  return (
    <>
      <p class="links">
        {sessions.map((each, index) => (
          <span key={each.streamId} class="key-of">
            <span class={`swatch ${(colours[index] ?? '').slice(2)}`} aria-hidden="true" /> {index + 1}: {nameOf(each)}
          </span>
        ))}
      </p>
      <Plot
        label="Viewers of these sessions, each from its start"
        times={times}
        lines={lines}
        extent={{ from: 0, to: Math.max(60, times.at(-1) ?? 60) }}
        range={range}
        onRange={setRange}
        timeText={sinceText}
        say={(index) =>
          `${duration((times[index] ?? 0) * 1000)} after the start: ${told
            .map((of, place) => `${place + 1}: ${sampleText(of[index])}`)
            .join('; ')}`
        }
      />
    </>
  );
}

/** All sessions on one axis: a time of any is a time of all, with each session's newest sample by then. */
function overlaid(sessions: readonly Reported[]) {
  const each = sessions.map(({ samples, startedAt }) =>
    plotted(samples, Date.parse(startedAt ?? samples[0]?.at ?? '') || 0),
  );
  const times = Array.from(new Set(each.flatMap((one) => one.times.filter((time) => time >= 0)))).toSorted(
    (a, b) => a - b,
  );
  const told = each.map((one) => {
    let place = -1;
    return times.map((time) => {
      while ((one.times[place + 1] ?? Infinity) <= time) place += 1;
      const isOver = place === one.times.length - 1 && time > (one.times[place] ?? 0);
      return place < 0 || isOver ? undefined : one.samples[place];
    });
  });
  const lines = told.map((samples, index) => ({
    colour: colours[index] ?? '--accent',
    values: samples.map((sample) => sample?.viewers ?? null),
  }));
  return { times, lines, told };
}
