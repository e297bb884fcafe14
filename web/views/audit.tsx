// Who did what, why, and what came of it.
import type { JSX } from 'preact';
import { personText } from '#api/person.ts';
import { api, query } from '../api.ts';
import { readable, words } from '../format.ts';
import { Choice, SinceChoice } from '../parts/choices.tsx';
import { Empty, ProblemLine, Skeleton, StreamLink, Time } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href, route } from '../route.ts';
import { useResource } from '../use-resource.ts';

/** An entry of `GET /v1/audit`. */
export interface AuditEntry {
  readonly id: string;
  readonly at: string;
  readonly who: string;
  readonly what: string;
  readonly outcome: string;
  readonly why: string;
  readonly channelArn?: string;
  readonly channelName?: string;
  readonly jobId?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export function AuditView(): JSX.Element {
  const { who = '', what = '', since = '' } = route.value.params;
  const asked = query({ who, what, since, limit: 200 });
  const { value: entries, problem } = useResource(`audit${asked}`, async (signal) => {
    const answer = await api<{ entries: readonly AuditEntry[] }>('GET', `/v1/audit${asked}`, { signal });
    return answer.entries;
  });
  const seen = (of: (entry: AuditEntry) => string) => Array.from(new Set((entries ?? []).map(of))).sort();
  return (
    <div class="page">
      <ViewHead title="Audit" />
      <div class="bar">
        <Choice name="what" label="What" options={seen((entry) => entry.what)} />
        <Choice
          name="who"
          label="Who"
          options={seen((entry) => entry.who).map((each): [string, string] => [each, personText(each)])}
        />
        <SinceChoice />
      </div>
      <ProblemLine problem={problem} />
      {!entries && !problem && <Skeleton />}
      {entries?.length === 0 && <Empty title="Nothing yet">Every action and every command is written down here.</Empty>}
      <ol class="timeline decisions">
        {entries?.map((entry) => (
          <li key={entry.id}>
            <Time ms={Date.parse(entry.at)} />
            <span class="chip">{words(entry.what)}</span>
            <div>
              <p>
                {entry.channelArn !== undefined && <StreamLink arn={entry.channelArn} name={entry.channelName} />}{' '}
                {auditText(entry)} <AuditLinks entry={entry} />
              </p>
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** An action for many channels: it is no job, its channels have one each. */
const bulkId = /^bulk-[\da-f]{8}-[\da-f-]{27}$/;

/** To the job, and to the decision that asked for it. */
export function AuditLinks({ entry: { jobId, why } }: { readonly entry: AuditEntry }): JSX.Element {
  return (
    <>
      {jobId !== undefined && !bulkId.test(jobId) && <a href={href('job', jobId)}>Job</a>}{' '}
      {isDecision(why) && <a href={href('decision', why)}>Decision</a>}
    </>
  );
}

function isDecision(why: string): boolean {
  return /^d-[0-9a-f]+$/.test(why);
}

/** How it went, for whom, and the reason that was given. */
export function auditText({ outcome, who, why, reason, dryRun }: AuditEntry): string {
  // It was handed over; what becomes of it is told by its job, and here where it reached nobody.
  const isAccepted = outcome === 'done' && reason === 'accepted';
  return [
    isAccepted ? 'accepted' : words(outcome),
    dryRun ? 'dry run' : '',
    who ? `by ${personText(who)}` : '',
    why && !isDecision(why) ? `“${why}”` : '',
    isAccepted ? '' : readable(reason ?? ''),
  ]
    .filter(Boolean)
    .join(', ');
}
