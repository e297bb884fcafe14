// Who did what, why, what it changed, and the result.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { personText } from '#api/person.ts';
import { api, download, query } from '../api.ts';
import { readable, words } from '../format.ts';
import { ChannelChoice, Choice, Pages, TimeChoice } from '../parts/choices.tsx';
import { Empty, ProblemLine, Skeleton, StreamLink, Time } from '../parts/text.tsx';
import { attempt } from '../parts/toasts.tsx';
import { UnknownParams } from '../parts/unknown-params.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href, route } from '../route.ts';
import { useResource } from '../use-resource.ts';
import { changedFields } from './changed-fields.ts';

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
  readonly params?: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

const pageSize = 100;
const choices = ['who', 'what', 'channelArn', 'since', 'until', 'after'];

export function AuditView(): JSX.Element {
  const { who = '', what = '', channelArn = '', since = '', until = '', after = '' } = route.value.params;
  const filter = { who, what, channelArn, since, until };
  const asked = query({ ...filter, before: after, limit: pageSize });
  const { value: page, problem } = useResource(
    `audit${asked}`,
    (signal) =>
      api<{ entries: readonly AuditEntry[]; next?: string }>('GET', `/v1/audit${asked}`, {
        signal,
      }),
    { everyMs: after === '' ? 5_000 : 30_000 },
  );
  const entries = page?.entries;
  const seen = (of: (entry: AuditEntry) => string) => Array.from(new Set((entries ?? []).map(of))).sort();
  return (
    <div class="page wide">
      <ViewHead title="Audit">
        <button
          type="button"
          title="Everything that the choices below select, as JSON lines"
          onClick={() =>
            void attempt('The audit is saved.', () => download(`/v1/audit/export${query(filter)}`, 'audit.jsonl'))
          }
        >
          Export
        </button>
      </ViewHead>
      <UnknownParams known={choices} />
      <div class="bar">
        <Choice name="what" label="What" options={seen((entry) => entry.what)} />
        <Choice
          name="who"
          label="Who"
          options={seen((entry) => entry.who).map((each): [string, string] => [each, personText(each)])}
        />
        <ChannelChoice />
        <TimeChoice />
      </div>
      <ProblemLine problem={problem} />
      {!entries && !problem && <Skeleton />}
      {entries?.length === 0 && (
        <Empty title="Nothing yet">
          {after === '' ? 'Every action and every command is recorded here.' : 'There is nothing older.'}
        </Empty>
      )}
      <ol class="lines audit">
        {entries?.map((entry) => (
          <AuditLine key={entry.id} entry={entry} />
        ))}
      </ol>
      {page && <Pages next={page.next} oldest={entries?.at(-1)?.at} />}
    </div>
  );
}

/** An action for many channels: it is not a job, its channels have one each. */
const bulkId = /^bulk-[\da-f]{8}-[\da-f-]{27}$/;

function AuditLine({ entry }: { readonly entry: AuditEntry }): JSX.Element {
  const { id, at, what, channelArn, channelName } = entry;
  const [isOpen, setOpen] = useState(false);
  const changes = `changes-${id}`;
  return (
    <li>
      <div class="one">
        <Time ms={Date.parse(at)} />
        <span class="chip">{words(what)}</span>
        <span class="where">{channelArn !== undefined && <StreamLink arn={channelArn} name={channelName} />}</span>
        <span class="what">{auditText(entry)}</span>
        <span class="more">
          {hasDetails(entry) && (
            <button
              type="button"
              class="link"
              aria-expanded={isOpen}
              aria-controls={changes}
              onClick={() => setOpen(!isOpen)}
            >
              What changed
            </button>
          )}
          <AuditLinks entry={entry} />
        </span>
      </div>
      <div id={changes} class="opened" hidden={!isOpen}>
        {isOpen && <Changed entry={entry} />}
      </div>
    </li>
  );
}

export function hasDetails({ params, before, after }: AuditEntry): boolean {
  return params !== undefined || before !== undefined || after !== undefined;
}

/** The request, and the values before and after: field by field, those that differ first. */
export function Changed({ entry: { params, before, after } }: { readonly entry: AuditEntry }): JSX.Element {
  const fields = changedFields(before, after);
  return (
    <>
      {params !== undefined && (
        <p>
          Asked: <code>{JSON.stringify(params)}</code>
        </p>
      )}
      {fields.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Before and after">
          <table>
            <thead>
              <tr>
                <th scope="col">Field</th>
                <th scope="col">Before</th>
                <th scope="col">After</th>
              </tr>
            </thead>
            <tbody>
              {fields.map(({ field, was, is, differs }) => (
                <tr key={field} class={differs ? 'differs' : ''}>
                  <th scope="row">{field}</th>
                  <td>
                    <code>{was}</code>
                  </td>
                  <td>
                    <code>{is}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** To the job, and to the decision that requested it. */
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

/** The result, the requester, and the given reason. */
export function auditText({ outcome, who, why, reason, dryRun }: AuditEntry): string {
  // It was handed over; its job shows the outcome, and this entry does if it reached nobody.
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
