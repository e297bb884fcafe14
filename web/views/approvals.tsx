// Actions that wait for approval: all of them, and a single one, where the link of a message leads. Opening it changes nothing.
import type { JSX } from 'preact';
import { personText } from '#api/person.ts';
import type { ApprovalView } from '#api/routes/approval-schemas.ts';
import { api } from '../api.ts';
import { askApprove, askReject } from '../dialogs/approvals.tsx';
import { duration, fact, plural, words } from '../format.ts';
import { Fact, Json, Since } from '../parts/facts.tsx';
import { Glyph, type Shape } from '../parts/signs.tsx';
import { Empty, ProblemLine, Skeleton, StreamLink, Time } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href, route } from '../route.ts';
import { mayOperate, now } from '../store.ts';
import { useResource } from '../use-resource.ts';

const everyMs = 2_000;

export function ApprovalsView(): JSX.Element {
  const { rule } = route.value.params;
  const query = rule ? `?${new URLSearchParams({ rule }).toString()}` : '';
  const { value, problem, reload } = useResource(
    `approvals${query}`,
    (signal) => api<{ approvals: readonly ApprovalView[] }>('GET', `/v1/approvals${query}`, { signal }),
    { everyMs },
  );
  const waiting = value?.approvals.filter(({ state }) => state === 'waiting') ?? [];
  const over = value?.approvals.filter(({ state }) => state !== 'waiting') ?? [];
  return (
    <div class="page">
      <ViewHead title={rule ? `Approvals of ${rule}` : 'Approvals'}>
        {rule && <a href={href('approvals')}>All rules</a>}
      </ViewHead>
      <ProblemLine problem={problem} />
      {!value && !problem && <Skeleton />}
      {value && waiting.length === 0 && (
        <Empty title="Nothing waits for approval">
          Actions of rules with “approval” appear here and wait until somebody decides or their time runs out.
        </Empty>
      )}
      <div class="cards">
        {waiting.map((each) => (
          <section key={each.id} class="panel" aria-label={each.deed}>
            <h2>
              <a href={href('approval', each.id)}>{each.deed}</a>
            </h2>
            <Countdown approval={each} />
            <p>{each.why}</p>
            <Values approval={each} />
            <Buttons approval={each} onAnswered={reload} />
          </section>
        ))}
      </div>
      {over.length > 0 && (
        <section class="panel" aria-labelledby="over-title">
          <h2 id="over-title">Of the last day</h2>
          <ul class="timeline">
            {over.map((each) => (
              <li key={each.id}>
                <Time ms={Date.parse(each.endedAt ?? each.askedAt)} />
                <a href={href('approval', each.id)}>{each.deed}</a>
                <div class="dim">{endText(each)}</div>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

export function OneApproval({ id }: { readonly id: string }): JSX.Element {
  const { value, problem, reload } = useResource(
    `approval/${id}`,
    (signal) => api<ApprovalView>('GET', `/v1/approvals/${encodeURIComponent(id)}`, { signal }),
    { everyMs },
  );
  return (
    <div class="page">
      <ViewHead title={value ? value.deed : 'Approval'} />
      <ProblemLine problem={problem} />
      {!value && !problem && <Skeleton />}
      {value && <Facts approval={value} onAnswered={reload} />}
    </div>
  );
}

function Facts({ approval, onAnswered }: { readonly approval: ApprovalView; readonly onAnswered: () => void }) {
  const at = now();
  const { rule, state, why, channelArn, channelName, decisionId, jobId, author, answers, endedAt } = approval;
  return (
    <>
      <section class="panel" aria-label="Approval">
        {state === 'waiting' ? (
          <>
            <Countdown approval={approval} />
            <Buttons approval={approval} onAnswered={onAnswered} />
          </>
        ) : (
          <p role="status">
            <Glyph shape={signs[state]} /> {endText(approval)}
          </p>
        )}
        <dl>
          <Fact name="Why">{why}</Fact>
          <Fact name="Channel">{channelArn !== undefined && <StreamLink arn={channelArn} name={channelName} />}</Fact>
          <Fact name={approval.now ? 'Now' : 'When it was asked'}>
            <Values approval={approval} />
          </Fact>
          <Fact name="Rule">
            <a href={href('decisions', '', { rule })}>{rule}</a>
          </Fact>
          <Fact name="Who decides">
            {approval.count === 1 ? `one ${approval.by}` : `${approval.count} different people, ${approval.by} or more`}
            {approval.notByAuthor && author !== undefined && `, but not ${personText(author)}, who caused it`}
          </Fact>
          <Fact name="Asked">
            <Since ms={Date.parse(approval.askedAt)} at={at} />
          </Fact>
          <Fact name="Over">{endedAt !== null && <Since ms={Date.parse(endedAt)} at={at} />}</Fact>
          <Fact name="Job">{jobId !== undefined && <a href={href('job', jobId)}>{jobId}</a>}</Fact>
          <Fact name="Decision">
            <a href={href('decision', decisionId)}>{decisionId}</a>
          </Fact>
        </dl>
      </section>
      {answers.length > 0 && (
        <section class="panel" aria-labelledby="answers-title">
          <h2 id="answers-title">Answers</h2>
          <ul class="timeline">
            {answers.map(({ who, verdict, from, reason, at: when, shown }) => (
              <li key={who}>
                <Time ms={Date.parse(when)} />
                <span class="kind">{verdict === 'approve' ? 'Yes' : 'No'}</span>
                <div>
                  <p>
                    by {personText(who)} from {from}
                    {reason !== '' && `: “${reason}”`}
                  </p>
                  <p class="dim">{valuesText(shown)}</p>
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section class="panel" aria-labelledby="params-title">
        <h2 id="params-title">Action</h2>
        <Json value={{ [approval.action]: approval.params }} />
      </section>
    </>
  );
}

/** How one ended: `approved by mara`, `cancelled: the condition that caused it is over`. */
function endText({ state, note }: ApprovalView): string {
  if (note === undefined) return words(state);
  return state === 'approved' || state === 'rejected' ? note : `${words(state)}: ${note}`;
}

const signs: Readonly<Record<ApprovalView['state'], Shape>> = {
  waiting: 'waiting',
  approved: 'ok',
  rejected: 'ended',
  timed_out: 'ended',
  cancelled: 'ended',
};

function Countdown({ approval: { until, missing, count } }: { readonly approval: ApprovalView }): JSX.Element {
  const leftMs = Date.parse(until) - now();
  return (
    <p>
      <Glyph shape="waiting" /> {leftMs > 0 ? `${duration(leftMs)} left` : 'Its time is over'}
      {count > 1 && `, ${plural(missing, 'approval')} missing`}
      <span class="dim">; without a yes nothing is done</span>
    </p>
  );
}

function Values({ approval: { now: current, shown } }: { readonly approval: ApprovalView }): JSX.Element | null {
  const text = valuesText(current ?? shown);
  return text === '' ? null : <span>{text}</span>;
}

function valuesText(values: ApprovalView['shown']): string {
  return Object.entries(values)
    .map(([name, value]) => fact(name, value))
    .join(', ');
}

function Buttons({ approval, onAnswered }: { readonly approval: ApprovalView; readonly onAnswered: () => void }) {
  if (!mayOperate()) return <p class="dim">Your token may look; an operator decides.</p>;
  return (
    <p class="actions">
      <button type="button" class="danger" onClick={() => askApprove(approval, onAnswered)}>
        Approve…
      </button>
      <button type="button" onClick={() => askReject(approval, onAnswered)}>
        Reject…
      </button>
    </p>
  );
}
