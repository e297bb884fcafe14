// One job: the request, what was done step by step, and the result.
import type { JSX } from 'preact';
import { personText } from '#api/person.ts';
import type { CheckView } from '#api/routes/job-schemas.ts';
import { api } from '../api.ts';
import { type DeliveryView, deliverySentence, deliveryState } from '../delivery.ts';
import { type Job, outcomeOf } from '../dialogs/actions.tsx';
import { clock, count, fact, words } from '../format.ts';
import { Fact, Json, Since } from '../parts/facts.tsx';
import { ProblemLine, Skeleton, StreamLink, Time } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href } from '../route.ts';
import { now } from '../store.ts';
import { useResource } from '../use-resource.ts';
import { Checks } from './decisions.tsx';

interface WholeJob extends Job {
  readonly channelArn?: string;
  readonly cause: unknown;
  readonly params: unknown;
  readonly dryRun?: boolean;
  readonly decidedAt?: string;
  readonly startedAt?: string;
  readonly attempts: number;
  readonly checks: readonly CheckView[];
  readonly steps: readonly ({ readonly step: string; readonly at: string } & Readonly<Record<string, unknown>>)[];
  /** What became of the items of a put_metadata. */
  readonly delivery?: DeliveryView;
}

export function OneJob({ id }: { readonly id: string }): JSX.Element {
  const { value: job, problem } = useResource(
    `job/${id}`,
    (signal) => api<WholeJob>('GET', `/v1/jobs/${encodeURIComponent(id)}`, { signal }),
    { everyMs: 2000 },
  );
  return (
    <div class="page">
      <ViewHead title={job ? `Job: ${words(job.name ?? '')}` : 'Job'} />
      <ProblemLine problem={problem} />
      {!job && !problem && <Skeleton />}
      {job && <JobFacts id={id} job={job} />}
    </div>
  );
}

function JobFacts({ id, job }: { readonly id: string; readonly job: WholeJob }): JSX.Element {
  const at = now();
  const moment = (iso: string | undefined) => iso !== undefined && <Since ms={Date.parse(iso)} at={at} />;
  const { delivery } = job;
  return (
    <>
      <section class="panel" aria-label="Job">
        <dl>
          <Fact name="State">
            {job.finishedAt === undefined ? words(job.state) : delivery ? deliveryState(delivery) : outcomeOf(job)}
            {job.dryRun && <span class="chip">dry run</span>}
          </Fact>
          <Fact name="Metadata">
            {delivery && (
              <>
                {deliverySentence(delivery)}; <a href={href('batch', delivery.batchId)}>its batch</a>
                {delivery.finishedAt !== undefined && `, ended ${clock(Date.parse(delivery.finishedAt))}`}
              </>
            )}
          </Fact>
          <Fact name="Channel">{job.channelArn !== undefined && <StreamLink arn={job.channelArn} />}</Fact>
          <Fact name="Asked for by">
            <Cause cause={job.cause} />
          </Fact>
          <Fact name="Decided">{moment(job.decidedAt)}</Fact>
          <Fact name="Began">{moment(job.startedAt)}</Fact>
          <Fact name="Ended">{moment(job.finishedAt)}</Fact>
          <Fact name="Attempts">{count(job.attempts)}</Fact>
          <Fact name="Job">
            <code>{id}</code>
          </Fact>
        </dl>
      </section>
      <section class="panel" aria-labelledby="steps-title">
        <h2 id="steps-title">Steps</h2>
        <ol class="timeline">
          {job.steps.length === 0 && (
            <li class="dim">{job.finishedAt === undefined ? 'No step yet.' : 'It ended without a step.'}</li>
          )}
          {job.steps.map(({ step, at: when, ...values }, index) => (
            <li key={index}>
              <Time ms={Date.parse(when)} />
              <b>{words(step)}</b>
              <div class="dim">
                {Object.entries(values)
                  .map(([key, value]) => fact(key, value))
                  .join(', ')}
              </div>
            </li>
          ))}
        </ol>
      </section>
      {job.checks.length > 0 && (
        <section class="panel" aria-labelledby="checks-title">
          <h2 id="checks-title">Compared before acting</h2>
          <Checks checks={job.checks} />
        </section>
      )}
      <section class="panel" aria-labelledby="params-title">
        <h2 id="params-title">Parameters</h2>
        <Json value={job.params} />
      </section>
    </>
  );
}

/** The requester: a person with the reason, or a rule with its decision. */
function Cause({ cause }: { readonly cause: unknown }): JSX.Element | null {
  if (cause === null || typeof cause !== 'object') return null;
  const { rule, decisionId, who, reason } = cause as Readonly<Record<string, unknown>>;
  return (
    <>
      {typeof rule === 'string' && `rule ${rule} `}
      {typeof who === 'string' && personText(who)}
      {typeof reason === 'string' && reason !== '' && `: “${reason}” `}
      {typeof decisionId === 'string' && <a href={href('decision', decisionId)}>Decision {decisionId}</a>}
    </>
  );
}
