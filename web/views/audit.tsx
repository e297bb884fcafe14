// Who did what, why, and what came of it.
import type { JSX } from 'preact';
import { api, query } from '../api.ts';
import { person, words } from '../format.ts';
import { CopyLink } from '../parts/copy.tsx';
import { Empty, ProblemLine, Skeleton, StreamLink, Time } from '../parts/text.tsx';
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
  readonly jobId?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export function AuditView(): JSX.Element {
  const { value: entries, problem } = useResource('audit', async (signal) => {
    const answer = await api<{ entries: readonly AuditEntry[] }>('GET', `/v1/audit${query({ limit: 200 })}`, {
      signal,
    });
    return answer.entries;
  });
  return (
    <div class="page">
      <div class="split wrap">
        <h1>Audit</h1>
        <CopyLink />
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
                {entry.channelArn !== undefined && <StreamLink arn={entry.channelArn} />} {auditText(entry)}
              </p>
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** How it went, for whom, and the reason that was given. */
export function auditText({ outcome, who, why, reason, dryRun }: AuditEntry): string {
  return [
    words(outcome),
    dryRun ? 'dry run' : '',
    who ? `by ${person(who)}` : '',
    why && !/^d-[0-9a-f]+$/.test(why) ? `“${why}”` : '',
    words(reason ?? ''),
  ]
    .filter(Boolean)
    .join(', ');
}
