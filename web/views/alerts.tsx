// Who has which alert: the alerts of "Needs you" by their state, and those that ended within a day. If the address contains an id, as in
// the link of a message, that alert comes first, with its button. Opening it changes nothing.
import type { JSX } from 'preact';
import type { Alert } from '#api/alert.ts';
import { personText } from '#api/person.ts';
import { api } from '../api.ts';
import { plural, shortDuration } from '../format.ts';
import { Empty, ProblemLine, Time } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href } from '../route.ts';
import { now, status } from '../store.ts';
import { useResource } from '../use-resource.ts';
import { Need } from './needs.tsx';

/** From `GET /v1/alerts`, for one that is over. */
interface Ended {
  readonly id: string;
  readonly title: string;
  readonly cause: string;
  readonly link: string;
  readonly since: string;
  readonly end: string | null;
  readonly acknowledged?: { readonly who: string; readonly note: string; readonly at: string };
}

const everyMs = 10_000;
/** The newest of those that are over. */
const mostShown = 100;

export function AlertsView({ id }: { readonly id: string }): JSX.Element {
  const { value, problem } = useResource(
    'alerts/resolved',
    (signal) => api<{ alerts: readonly Ended[] }>('GET', '/v1/alerts?state=resolved', { signal }),
    { everyMs },
  );
  const needs = status.value?.needs ?? [];
  const ended = value?.alerts ?? [];
  return (
    <div class="page">
      <ViewHead title="On call" />
      <ProblemLine problem={problem} />
      {id !== '' && <Chosen id={id} open={needs} ended={value?.alerts} />}
      <Group title="Nobody has it" alerts={needs.filter((each) => !each.acknowledged && each.id !== id)} />
      <Group title="Taken" alerts={needs.filter((each) => each.acknowledged && each.id !== id)} />
      {needs.length === 0 && <Empty title="All clear">What needs somebody appears here, with who has it.</Empty>}
      {ended.length > 0 && (
        <section class="panel" aria-labelledby="ended-title">
          <h2 id="ended-title">Over</h2>
          <ul class="timeline">
            {ended.slice(0, mostShown).map((each) => (
              <li key={`${each.id} ${each.end}`}>
                <Time ms={Date.parse(each.end ?? each.since)} />
                <a href={href('alerts', each.id)}>{each.title}</a>
                <div class="dim">{endedText(each)}</div>
              </li>
            ))}
          </ul>
          {ended.length > mostShown && (
            <p class="dim">
              and {plural(ended.length - mostShown, 'older one')}:{' '}
              <code>ivs-autopilot alert list --state resolved</code>
            </p>
          )}
        </section>
      )}
    </div>
  );
}

/** The alert that the address names, open or over. */
function Chosen({
  id,
  open,
  ended,
}: {
  readonly id: string;
  readonly open: readonly Alert[];
  readonly ended: readonly Ended[] | undefined;
}): JSX.Element | null {
  const found = open.find((each) => each.id === id);
  if (found)
    return (
      <section class={`panel needs ${found.severity}`} aria-label="This alert">
        <ul>
          <Need need={found} />
        </ul>
      </section>
    );
  const over = ended?.find((each) => each.id === id);
  if (over)
    return (
      <section class="panel" aria-label="This alert">
        <h2>{over.title}: it is over</h2>
        <p>{over.cause}</p>
        <p class="dim">{endedText(over)}</p>
        <p class="links">
          <a href={over.link.replace(/^\//, '')}>Open what it was about</a>
        </p>
      </section>
    );
  if (!ended) return null;
  return (
    <Empty title="There is no such alert now">
      It is over, or never was. What ended within a day is listed below, what ended just now in a few seconds: {id}
    </Empty>
  );
}

function Group({ title, alerts }: { readonly title: string; readonly alerts: readonly Alert[] }): JSX.Element | null {
  if (alerts.length === 0) return null;
  return (
    <section class="panel needs" aria-label={title}>
      <h2>
        {title} <span class="badge">{alerts.length}</span>
      </h2>
      <ul>
        {alerts.map((each) => (
          <Need key={each.id} need={each} />
        ))}
      </ul>
    </section>
  );
}

function endedText({ cause, since, end, acknowledged }: Ended): string {
  const lasted = shortDuration(Date.parse(end ?? since) - Date.parse(since));
  const who = acknowledged ? `${personText(acknowledged.who)} had it` : 'nobody had taken it';
  const note = acknowledged?.note ? `: “${acknowledged.note}”` : '';
  const ago = end === null ? '' : `, over ${shortDuration(now() - Date.parse(end))} ago`;
  return `${cause}. It lasted ${lasted}${ago}; ${who}${note}`;
}
