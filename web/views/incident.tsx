// One incident, open or over.
import type { JSX } from 'preact';
import { api, Problem } from '../api.ts';
import { clock, count, duration, plural } from '../format.ts';
import { Fact, Since } from '../parts/facts.tsx';
import { ProblemLine, Skeleton } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href } from '../route.ts';
import { runbookOf } from '../runbook.ts';
import { now } from '../store.ts';
import { useResource } from '../use-resource.ts';

/** An incident of `GET /v1/incidents`. */
interface Incident {
  readonly id: string;
  readonly kind: string;
  readonly rule: string;
  readonly openedAt: string;
  readonly closedAt?: string;
  readonly affected: number;
  readonly peak: number;
  readonly live: number;
  readonly withheld: number;
  readonly text: string;
}

/** The figures of a cap are those of the time when it stopped the rule. */
function channelsText({ kind, affected, live, peak, closedAt }: Incident): string {
  const share = `${count(affected)} of ${count(live)}`;
  if (kind === 'cap') return `${share} when the rule was stopped`;
  return `${share} ${closedAt === undefined ? 'now' : 'at its end'}, ${count(peak)} at most`;
}

function withheldText({ kind, withheld, closedAt }: Incident): string {
  const what = plural(withheld, 'action');
  if (withheld === 0 || closedAt !== undefined) return what;
  const end = kind === 'cap' ? 'When the rule is started again' : 'When the incident ends';
  return `${what}. ${end}, each is judged again: it acts if its condition still holds, and is dropped if not.`;
}

export function OneIncident({ id }: { readonly id: string }): JSX.Element {
  const { value: incident, problem } = useResource(`incident/${id}`, async (signal) => {
    const { incidents } = await api<{ incidents: readonly Incident[] }>('GET', '/v1/incidents', { signal });
    const found = incidents.find((each) => each.id === id);
    if (!found) throw new Problem(404, { detail: `There is no incident ${id}, or it ended long ago.` });
    return found;
  });
  const at = now();
  return (
    <div class="page">
      <ViewHead title={incident ? `Incident: ${incident.rule}` : 'Incident'} />
      <ProblemLine problem={problem} />
      {!incident && !problem && <Skeleton />}
      {incident && (
        <section class={incident.closedAt === undefined ? 'panel critical' : 'panel'} aria-label="Incident">
          <p>{incident.text}</p>
          <dl>
            <Fact name="State">{incident.closedAt === undefined ? 'open' : 'over'}</Fact>
            <Fact name="Since">
              <Since ms={Date.parse(incident.openedAt)} at={at} />
            </Fact>
            <Fact name="Until">
              {incident.closedAt !== undefined &&
                `${clock(Date.parse(incident.closedAt))}, after ${duration(Date.parse(incident.closedAt) - Date.parse(incident.openedAt))}`}
            </Fact>
            <Fact name="Channels">{channelsText(incident)}</Fact>
            <Fact name="Held back">{withheldText(incident)}</Fact>
          </dl>
          <p class="links">
            <a href={href('decisions', '', { rule: incident.rule, since: incident.openedAt })}>
              Decisions of {incident.rule} since then
            </a>
            <a href={runbookOf('incident')}>Run book</a>
          </p>
        </section>
      )}
    </div>
  );
}
