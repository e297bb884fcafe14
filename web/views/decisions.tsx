// Decisions, also those not to act: each step with the values it compared.

import type { ComponentChildren, JSX } from 'preact';
import type { CheckView } from '#api/routes/job-schemas.ts';
import { api, query } from '../api.ts';
import type { DecisionView } from '../decisions.ts';
import { deliverySentence, outcomeText } from '../delivery.ts';
import { askTest } from '../dialogs/rule-test.tsx';
import { count, fact, words } from '../format.ts';
import { Choice, OlderLink, SinceChoice } from '../parts/choices.tsx';
import { Glyph, Outcome, type Shape } from '../parts/signs.tsx';
import { Empty, ProblemLine, Skeleton, StreamLink, Time } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href, route, setParams } from '../route.ts';
import { channelName, status } from '../store.ts';
import { useResource } from '../use-resource.ts';

const pageSize = 100;
const outcomes = ['acted', 'would_act', 'pending', 'suppressed', 'not_fired', 'resolved'];

export function DecisionsView(): JSX.Element {
  const { rule = '', channelArn = '', outcome = '', reason = '', since = '', until = '' } = route.value.params;
  const asked = query({ rule, channelArn, outcome, reason, since, until, limit: pageSize });
  const { value: decisions, problem } = useResource(`decisions${asked}`, async (signal) => {
    const answer = await api<{ decisions: readonly DecisionView[] }>('GET', `/v1/decisions${asked}`, { signal });
    return answer.decisions;
  });
  const rules = (status.value?.rules ?? []).map(({ name }) => name);
  return (
    <div class="page">
      <ViewHead title="Decisions" />
      <div class="bar">
        <Choice name="rule" label="Rule" options={rules} />
        <Choice name="outcome" label="Outcome" options={outcomes} />
        <SinceChoice />
        {reason !== '' && (
          <span class="chip">
            Reason: {words(reason)}{' '}
            <button type="button" class="link" onClick={() => setParams({ reason: '' })}>
              Show all
            </button>
          </span>
        )}
        {channelArn !== '' && (
          <span class="chip">
            Only {channelName(channelArn)}{' '}
            <button type="button" class="link" onClick={() => setParams({ channelArn: '' })}>
              Show all
            </button>
          </span>
        )}
      </div>
      <ProblemLine problem={problem} />
      {!decisions && !problem && <Skeleton />}
      {decisions?.length === 0 && <Empty title="No decision">Nothing was decided, or the filter shows nothing.</Empty>}
      <ol class="timeline decisions">
        {decisions?.map((decision) => (
          <DecisionLine key={decision.id} decision={decision} />
        ))}
      </ol>
      <OlderLink oldest={decisions?.at(-1)?.at} full={(decisions?.length ?? 0) >= pageSize} />
    </div>
  );
}

function DecisionLine({ decision }: { readonly decision: DecisionView }): JSX.Element {
  const { at, outcome, rule, reason, channelArn, mode, count: times = 1 } = decision;
  return (
    <li>
      <Time ms={Date.parse(at)} />
      <Outcome name={outcome} />
      <div>
        <p>
          <b>{rule}</b> {words(reason)}{' '}
          {times > 1
            ? `on ${count(times)} channels`
            : channelArn !== undefined && (
                <>
                  on <StreamLink arn={channelArn} name={decision.channelName} />
                </>
              )}
          {mode === 'dry_run' && <span class="chip">dry run</span>} <DecisionLink id={decision.id} />
        </p>
        <Became decision={decision} />
        <DecisionSteps decision={decision} />
      </div>
    </li>
  );
}

/** Where not all was done that it asked for. */
export function Became({ decision }: { readonly decision: DecisionView }): JSX.Element | null {
  const text = becameText(decision);
  return text === '' ? null : <p class="dim">{text}</p>;
}

/** To the decision's own address. */
export function DecisionLink({ id }: { readonly id: string }): JSX.Element {
  return (
    <a href={href('decision', id)} aria-label={`Details of decision ${id}`}>
      Details
    </a>
  );
}

/** What a guard found when it let pass. */
const passedWords: Readonly<Record<string, string>> = {
  warm_up: 'a complete poll since the start',
  on_data_gap: 'no gap in the data',
  stopped: 'not stopped by its cap',
  pause: 'not paused',
  hold: 'no hold',
};

const jobSigns: Readonly<Record<string, Shape>> = { done: 'ok', already_done: 'ok', failed: 'failed' };

/** The steps of a decision, folded. */
export function DecisionSteps({ decision }: { readonly decision: DecisionView }): JSX.Element {
  return (
    <details class="why">
      <summary>Why</summary>
      <Steps decision={decision} />
    </details>
  );
}

/** Decisions whose values are those of their own moment, not of the moment that set the rule off. */
const toldOfNow: ReadonlySet<string> = new Set(['not_fired', 'resolved']);

/** What was compared, step by step, and what was asked for. */
export function Steps({ decision }: { readonly decision: DecisionView }): JSX.Element {
  const { meaning, outcome, trigger, guards, withheld, jobs } = decision;
  return (
    <>
      {meaning !== undefined && <p class="dim">{meaning.replaceAll('`', '')}</p>}
      <Example decision={decision} />
      <ul class="steps">
        <Step passed>
          <b>set off by {trigger.kind}</b> {trigger.text}
          <Found
            name={toldOfNow.has(outcome) ? '; known when it was decided:' : '; known then:'}
            values={trigger.values}
          />
        </Step>
        {guards.map(({ guard, passed, values }) => (
          <Step key={guard} passed={passed}>
            <b>{words(guard)}</b>
            <span> {passed ? (passedWords[guard] ?? 'passed') : 'stopped it'}</span>
            <Found values={values} />
          </Step>
        ))}
        {withheld.map(({ action, reason, values }, index) => (
          <Step key={`${action}-${index}`} passed={false}>
            <b>{words(action)}</b> held back: {words(reason)}
            <Found values={values} />
          </Step>
        ))}
        {jobs.map((job) => (
          <JobStep key={job.jobId} job={job} isReal={decision.mode === 'enforce'} />
        ))}
      </ul>
      <button type="button" class="small" onClick={() => askTest(decision)}>
        Make a test from this
      </button>
    </>
  );
}

/** Whose values these are, where one entry stands for many channels. */
function Example({ decision: { count: times = 1, example, channelArn } }: { readonly decision: DecisionView }) {
  if (times <= 1 || example?.channelArn === undefined) return null;
  return (
    <p class="dim">
      The same was decided on {count(times)} channels. What is shown is that of{' '}
      <StreamLink arn={example.channelArn} name={example.channelName} />
      {channelArn !== undefined && channelArn !== example.channelArn && ', not of this channel'}.
    </p>
  );
}

/** @param props `isReal`: a rule in dry run only says what it would ask for */
function JobStep({
  job,
  isReal,
}: {
  readonly job: DecisionView['jobs'][number];
  readonly isReal: boolean;
}): JSX.Element {
  const { jobId, action, outcome, detail, delivery, checks = [] } = job;
  if (!isReal)
    return (
      <li>
        <Glyph shape="unknown" />
        <b>{words(action)}</b> not asked for: the rule only watches
      </li>
    );
  return (
    <li>
      <Glyph shape={outcome === undefined ? 'waiting' : (jobSigns[outcome] ?? 'ended')} />
      <b>{words(action)}</b>{' '}
      {delivery ? deliverySentence(delivery) : outcome === undefined ? 'on its way' : outcomeText(outcome, detail)}{' '}
      <a href={href('job', jobId)}>
        <code>{jobId}</code>
      </a>
      <Checks checks={checks} />
    </li>
  );
}

/** What became of what a decision asked for, in a line; '' where all was done. */
export function becameText({ mode, jobs }: DecisionView): string {
  if (mode !== 'enforce') return '';
  return jobs
    .filter(({ outcome }) => outcome !== undefined && outcome !== 'done' && outcome !== 'already_done')
    .map(({ action, outcome = '', detail, delivery }) =>
      delivery ? `${words(action)}: ${deliverySentence(delivery)}` : `${words(action)} ${outcomeText(outcome, detail)}`,
    )
    .join('; ');
}

/** What a worker compared right before it acted, or did not. */
export function Checks({ checks }: { readonly checks: readonly CheckView[] }): JSX.Element | null {
  if (checks.length === 0) return null;
  return (
    <ul class="steps">
      {checks.map(({ check, verdict, asked, found, at }, index) => (
        <Step key={index} passed={verdict === 'passed'}>
          <Time ms={Date.parse(at)} /> <b>{words(check)}</b> asked
          <Found values={asked} />, found
          <Found values={found} />
        </Step>
      ))}
    </ul>
  );
}

function Step({ passed, children }: { readonly passed: boolean; readonly children: ComponentChildren }): JSX.Element {
  return (
    <li class={passed ? 'passed' : 'stopped'}>
      <Glyph shape={passed ? 'ok' : 'failed'} />
      {children}
    </li>
  );
}

function Found({
  name = '',
  values,
}: {
  readonly name?: string;
  readonly values: Readonly<Record<string, unknown>>;
}): JSX.Element | null {
  const entries = Object.entries(values);
  if (entries.length === 0) return null;
  return (
    <span class="dim">
      {`${name} `}
      {entries.map(([key, value]) => fact(key, value)).join(', ')}
    </span>
  );
}
