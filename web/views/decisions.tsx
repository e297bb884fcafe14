// Decisions, including those not to act: each step with the values it compared.

import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { CheckView } from '#api/routes/job-schemas.ts';
import { api, query } from '../api.ts';
import type { DecisionView } from '../decisions.ts';
import { deliverySentence, outcomeText } from '../delivery.ts';
import { askTest } from '../dialogs/rule-test.tsx';
import { count, fact, words } from '../format.ts';
import { ChannelChoice, Choice, Pages, TimeChoice } from '../parts/choices.tsx';
import { Glyph, Outcome, type Shape } from '../parts/signs.tsx';
import { Empty, ProblemLine, Skeleton, StreamLink, Time } from '../parts/text.tsx';
import { UnknownParams } from '../parts/unknown-params.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href, route, setParams } from '../route.ts';
import { channelName, status } from '../store.ts';
import { useResource } from '../use-resource.ts';
import { useSettled } from '../use-settled.ts';

const pageSize = 100;
const outcomes = ['acted', 'would_act', 'pending', 'suppressed', 'not_fired', 'resolved'];
const choices = ['rule', 'channelArn', 'outcome', 'reason', 'text', 'since', 'until', 'after'];

interface Page {
  readonly decisions: readonly DecisionView[];
  readonly next?: string;
  readonly truncated: boolean;
}

export function DecisionsView(): JSX.Element {
  const {
    text = '',
    rule = '',
    channelArn = '',
    outcome = '',
    reason = '',
    since = '',
    until = '',
    after = '',
  } = route.value.params;
  const settled = useSettled(text);
  const asked = query({ rule, channelArn, outcome, reason, text: settled, since, until, after, limit: pageSize });
  const { value: page, problem } = useResource(
    `decisions${asked}`,
    (signal) => api<Page>('GET', `/v1/decisions${asked}`, { signal }),
    // The past rarely changes, and a search reads the whole journal.
    { everyMs: after !== '' || settled !== '' ? 30_000 : 5_000 },
  );
  const rules = (status.value?.rules ?? []).map(({ name }) => name);
  return (
    <div class="page wide">
      <ViewHead title="Decisions" />
      <UnknownParams known={choices} />
      <div class="bar">
        <label class="search">
          <span class="sr">Search</span>
          <input
            type="search"
            id="filter"
            placeholder="Name, id, action, person"
            autocomplete="off"
            value={text}
            onInput={(event) => setParams({ text: event.currentTarget.value }, { typing: true })}
          />
        </label>
        <Choice name="rule" label="Rule" options={rules} />
        <ChannelChoice />
        <Choice name="outcome" label="Outcome" options={outcomes} />
        <TimeChoice />
        {reason !== '' && (
          <span class="chip">
            Reason: {words(reason)}{' '}
            <button type="button" class="link" onClick={() => setParams({ reason: '' })}>
              Show all
            </button>
          </span>
        )}
        {choices.some((name) => name !== 'after' && route.value.params[name]) && (
          <button
            type="button"
            class="chip"
            onClick={() => setParams(Object.fromEntries(choices.map((name) => [name, ''])))}
          >
            Clear all
          </button>
        )}
      </div>
      <ProblemLine problem={problem} />
      {!page && !problem && <Skeleton />}
      {page?.decisions.length === 0 && (
        <Empty title="No decision">
          {after === '' ? 'No decision, or none that the filter shows.' : 'There is nothing older.'}
        </Empty>
      )}
      <ol class="lines decisions">
        {page?.decisions.map((decision) => (
          <DecisionLine key={decision.id} decision={decision} />
        ))}
      </ol>
      {page?.truncated && <p class="dim">The search did not reach the beginning of the journal: narrow it.</p>}
      {page && <Pages next={page.next} oldest={page.decisions.at(-1)?.at} />}
    </div>
  );
}

/** One line, and its steps on demand. */
function DecisionLine({ decision }: { readonly decision: DecisionView }): JSX.Element {
  const { id, at, outcome, rule, channelArn, mode, trigger, count: times = 1 } = decision;
  const [isOpen, setOpen] = useState(false);
  const steps = `steps-${id}`;
  return (
    <li>
      <div class="one">
        <Time ms={Date.parse(at)} />
        <Outcome name={outcome} />
        <span class="by" title={rule}>
          {rule}
          {mode === 'dry_run' && <span class="dim"> (dry run)</span>}
        </span>
        <span class="where">
          {times > 1
            ? `${count(times)} channels`
            : channelArn !== undefined && <StreamLink arn={channelArn} name={decision.channelName} />}
        </span>
        <span class="what">
          <b>{decision.words}</b> <Asked decision={decision} /> <Became decision={decision} />{' '}
          <span class="dim">{trigger.text}</span>
        </span>
        <span class="more">
          <button
            type="button"
            class="link"
            aria-expanded={isOpen}
            aria-controls={steps}
            onClick={() => setOpen(!isOpen)}
          >
            Why
          </button>
          <DecisionLink id={id} />
        </span>
      </div>
      <div id={steps} class="opened" hidden={!isOpen}>
        {isOpen && <Steps decision={decision} />}
      </div>
    </li>
  );
}

/** The actions that it requested, or would have; those that were not done are shown with their outcome. */
function Asked({ decision: { jobs } }: { readonly decision: DecisionView }): JSX.Element | null {
  const actions = Array.from(new Set(jobs.filter((job) => !isUndone(job)).map(({ action }) => words(action))));
  return actions.length === 0 ? null : <span>{actions.join(', ')}</span>;
}

/** Where not everything that it requested was done. */
export function Became({ decision }: { readonly decision: DecisionView }): JSX.Element | null {
  const text = becameText(decision);
  return text === '' ? null : <span class="became">{text}</span>;
}

/** Link to the decision's own address. */
export function DecisionLink({ id }: { readonly id: string }): JSX.Element {
  return (
    <a href={href('decision', id)} aria-label={`Details of decision ${id}`}>
      Details
    </a>
  );
}

/** What a guard found when it passed. */
const passedWords: Readonly<Record<string, string>> = {
  warm_up: 'a complete sweep since the start',
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

/** Decisions whose values are those of their own time, not of the moment that triggered the rule. */
const toldOfNow: ReadonlySet<string> = new Set(['not_fired', 'resolved']);

/** What was compared, step by step, and what was requested. */
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

/** Which channel these values belong to, if one entry stands for many channels. */
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

/** @param props `isReal`: a rule in dry run only says what it would request */
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
        <b>{words(action)}</b> not requested: the rule only watches
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

/** The outcome of what a decision requested, in a line; '' if everything was done. */
export function becameText({ mode, jobs }: DecisionView): string {
  if (mode !== 'enforce') return '';
  return jobs
    .filter(isUndone)
    .map(({ action, outcome = '', detail, delivery }) =>
      delivery ? `${words(action)}: ${deliverySentence(delivery)}` : `${words(action)} ${outcomeText(outcome, detail)}`,
    )
    .join('; ');
}

function isUndone({ outcome }: DecisionView['jobs'][number]): boolean {
  return outcome !== undefined && outcome !== 'done' && outcome !== 'already_done';
}

/** What a worker compared right before it acted, or did not act. */
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

/** Channels by their names. */
function withNames(value: unknown): unknown {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.map(nameOf).join(', ');
  return typeof value === 'string' ? nameOf(value) : value;
}

function nameOf(text: string): string {
  return /^arn:[^:]+:ivs:[^:]*:\d*:channel\//.test(text) ? channelName(text) : text;
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
      {entries.map(([key, value]) => fact(key, withNames(value))).join(', ')}
    </span>
  );
}
