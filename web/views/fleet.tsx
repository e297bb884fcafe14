// The fleet over time: how many streams were live and how they were, who watched, and the incidents.
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { api, query } from '../api.ts';
import { clock, count } from '../format.ts';
import { Choice } from '../parts/choices.tsx';
import { Plot, type PlotLine } from '../parts/plot.tsx';
import { Empty, ProblemLine, Skeleton } from '../parts/text.tsx';
import { UnknownParams } from '../parts/unknown-params.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { type PlotMark, rangeOf, rangeParams } from '../plotting.ts';
import { href, route, setParams } from '../route.ts';
import { useResource } from '../use-resource.ts';

/** `GET /v1/fleet/samples` */
interface FleetSample {
  readonly at: string;
  readonly live: number;
  readonly starving: number;
  readonly unknown: number;
  readonly viewers: number;
}
interface Account {
  readonly account: string;
  readonly samples: readonly FleetSample[];
}

interface Incident {
  readonly id: string;
  readonly openedAt: string;
  /** Names its rule and the number of channels. */
  readonly text: string;
}

interface Loaded {
  readonly accounts: readonly Account[];
  readonly incidents: readonly Incident[];
}

const day = '24h';
const ranges = [
  ['1h', 'the last hour'],
  ['8h', 'the last 8 hours'],
  ['72h', 'the last 3 days'],
  ['168h', 'the last week'],
] as const;
/** Samples are written once a minute; after this long without one, nothing was seen. */
const unseenSeconds = 150;

export function FleetView(): JSX.Element {
  const { since = '', account = '', from, to } = route.value.params;
  const asked = since || day;
  const { value: loaded, problem } = useResource<Loaded>(
    `fleet/${asked}`,
    async (signal) => {
      const [{ accounts }, { incidents }] = await Promise.all([
        api<{ accounts: readonly Account[] }>('GET', `/v1/fleet/samples${query({ since: asked })}`, { signal }),
        api<{ incidents: readonly Incident[] }>('GET', '/v1/incidents', { signal }),
      ]);
      return { accounts, incidents };
    },
    { everyMs: 30_000 },
  );
  const names = loaded?.accounts.map((each) => each.account) ?? [];
  const plotted = useMemo(() => together(loaded?.accounts ?? [], account), [loaded, account]);
  const marks = useMemo(() => (loaded?.incidents ?? []).map(markOf), [loaded]);
  const { times, live, starving, unknown, viewers } = plotted;
  const unseen = loaded?.accounts.filter(({ samples }) => samples.length === 0).map((each) => each.account) ?? [];
  const range = rangeOf(from, to);
  const extent = { from: times[0] ?? 0, to: Math.max(times.at(-1) ?? 0, (times[0] ?? 0) + 60) };
  const around = range ?? extent;
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  const shared = {
    times,
    extent,
    range,
    height: 160,
    onRange: (chosen: typeof range) => setParams(rangeParams(chosen)),
  };
  const say = (index: number) => {
    const at = clock((times[index] ?? 0) * 1000);
    if (live[index] === null) return `${at}: not observed`;
    return `${at}: ${count(live[index])} live, ${count(starving[index])} starving, ${count(unknown[index])} unknown, ${count(viewers[index])} viewers`;
  };
  return (
    <div class="page wide">
      <ViewHead title="History" />
      <UnknownParams known={['since', 'account', 'from', 'to']} />
      <div class="bar">
        <Choice name="since" label="Time" options={ranges} all="the last day" />
        {(names.length > 1 || account !== '') && <Choice name="account" label="Account" options={names} />}
        {times.length > 0 && (
          <a href={href('decisions', '', { since: iso(around.from), until: iso(around.to) })}>Decisions of this time</a>
        )}
      </div>
      <ProblemLine problem={problem} />
      {account !== '' && loaded && !names.includes(account) && (
        <p class="problem" role="alert">
          There is no account “{account}”; there are {names.join(', ')}.
        </p>
      )}
      {!loaded && !problem && <Skeleton />}
      {loaded && times.length === 0 && (
        <Empty title="No sample">The fleet is counted once a minute, after a complete sweep.</Empty>
      )}
      {times.length > 0 && account === '' && unseen.length > 0 && (
        <p class="dim">Not in these pictures, because no sample is kept of this time: {unseen.join(', ')}.</p>
      )}
      {times.length > 0 && (
        <>
          <Panel title="Live streams">
            <Plot {...shared} label="Live streams" lines={plotted.liveLines} marks={marks} say={say} />
          </Panel>
          <Panel title="Starving (filled) and unknown">
            <Plot {...shared} label="Starving and unknown streams" lines={plotted.badLines} say={say} />
          </Panel>
          <Panel title="Viewers">
            <Plot {...shared} label="Viewers of all streams that were counted" lines={plotted.viewerLines} say={say} />
          </Panel>
        </>
      )}
    </div>
  );
}

function Panel({ title, children }: { readonly title: string; readonly children: JSX.Element }): JSX.Element {
  return (
    <section class="panel" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function markOf({ id, openedAt, text }: Incident): PlotMark {
  return {
    id,
    at: Date.parse(openedAt) / 1000,
    kind: 'incident',
    text,
    href: href('incident', id),
  };
}

type Values = readonly (number | null)[];

interface Together {
  readonly times: readonly number[];
  readonly live: Values;
  readonly starving: Values;
  readonly unknown: Values;
  readonly viewers: Values;
  readonly liveLines: readonly PlotLine[];
  readonly badLines: readonly PlotLine[];
  readonly viewerLines: readonly PlotLine[];
}

/** The accounts together, minute by minute; a minute in which one of them was not seen has no sum. */
function together(accounts: readonly Account[], only: string): Together {
  const chosen = accounts.filter(({ account, samples }) => (only === '' || account === only) && samples.length > 0);
  const each = chosen.map(({ samples }) =>
    samples.map((sample) => ({ ...sample, seconds: Date.parse(sample.at) / 1000 })),
  );
  const known = Array.from(new Set(each.flatMap((samples) => samples.map(({ seconds }) => seconds)))).toSorted(
    (a, b) => a - b,
  );
  // A time without values marks where nothing was seen.
  const times = known.flatMap((time, index) => {
    const next = known[index + 1];
    return next !== undefined && next - time > unseenSeconds ? [time, time + 1] : [time];
  });
  const seen = new Set(known);
  const places = each.map(() => -1);
  const sums = times.map((time) => {
    const now = each.map((samples, which) => {
      while ((samples[places[which]! + 1]?.seconds ?? Infinity) <= time) places[which]! += 1;
      const sample = samples[places[which]!];
      return sample && seen.has(time) && time - sample.seconds <= unseenSeconds ? sample : undefined;
    });
    return now.every((sample) => sample !== undefined) ? now : undefined;
  });
  const sum = (of: (sample: FleetSample) => number): Values =>
    sums.map((now) => (now ? now.reduce((total, sample) => total + of(sample), 0) : null));
  const live = sum((sample) => sample.live);
  const starving = sum((sample) => sample.starving);
  const unknown = sum((sample) => sample.unknown);
  const viewers = sum((sample) => sample.viewers);
  return {
    times,
    live,
    starving,
    unknown,
    viewers,
    liveLines: [{ colour: '--ok', values: live, isArea: true }],
    badLines: [
      { colour: '--bad', values: starving, isArea: true },
      { colour: '--warn', values: unknown },
    ],
    viewerLines: [{ colour: '--accent', values: viewers, isArea: true }],
  };
}
