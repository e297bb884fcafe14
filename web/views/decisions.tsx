// Decisions, also those not to act: each step with the values it compared.
import type { ComponentChildren, JSX } from 'preact';
import { api, query } from '../api.ts';
import type { DecisionView } from '../decisions.ts';
import { askTest } from '../dialogs/rule-test.tsx';
import { count, fact, words } from '../format.ts';
import { CopyLink } from '../parts/copy.tsx';
import { Glyph, Outcome, type Shape } from '../parts/signs.tsx';
import { Empty, ProblemLine, Skeleton, StreamLink, Time } from '../parts/text.tsx';
import { route, setParams } from '../route.ts';
import { channelName, status } from '../store.ts';
import { useResource } from '../use-resource.ts';

const outcomes = ['acted', 'would_act', 'pending', 'suppressed', 'not_fired', 'resolved'];

export function DecisionsView(): JSX.Element {
  const { rule = '', channelArn = '', outcome = '' } = route.value.params;
  const asked = query({ rule, channelArn, outcome, limit: 100 });
  const { value: decisions, problem } = useResource(`decisions${asked}`, async (signal) => {
    const answer = await api<{ decisions: readonly DecisionView[] }>('GET', `/v1/decisions${asked}`, { signal });
    return answer.decisions;
  });
  const rules = (status.value?.rules ?? []).map(({ name }) => name);
  return (
    <div class="page">
      <div class="split wrap">
        <h1>Decisions</h1>
        <CopyLink />
      </div>
      <div class="bar">
        <Select name="rule" label="Rule" value={rule} values={rules} />
        <Select name="outcome" label="Outcome" value={outcome} values={outcomes} />
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
    </div>
  );
}

function Select({
  name,
  label,
  value,
  values,
}: {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
}): JSX.Element {
  // A rule that is gone may still be asked for.
  const all = value === '' || values.includes(value) ? values : [...values, value];
  return (
    <label>
      {label}{' '}
      <select id={`by-${name}`} value={value} onChange={(event) => setParams({ [name]: event.currentTarget.value })}>
        <option value="">all</option>
        {all.map((each) => (
          <option key={each} value={each}>
            {words(each)}
          </option>
        ))}
      </select>
    </label>
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
            : channelArn !== undefined && <StreamLink arn={channelArn} name={decision.channelName} />}
          {mode === 'dry_run' && <span class="chip">dry run</span>}
        </p>
        <DecisionSteps decision={decision} />
      </div>
    </li>
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
  const { meaning, trigger, guards, withheld, jobs } = decision;
  return (
    <details class="why">
      <summary>Why</summary>
      {meaning !== undefined && <p class="dim">{meaning.replaceAll('`', '')}</p>}
      <ul class="steps">
        <Step passed>
          <b>trigger {trigger.kind}</b> {trigger.text}
          <Found values={trigger.values} />
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
        {jobs.map(({ jobId, action, outcome, detail }) => (
          <li key={jobId}>
            <Glyph shape={outcome === undefined ? 'waiting' : (jobSigns[outcome] ?? 'ended')} />
            <b>{words(action)}</b>{' '}
            {outcome === undefined
              ? 'on its way'
              : Array.from(new Set([words(outcome), words(detail ?? '')]))
                  .filter(Boolean)
                  .join(': ')}{' '}
            <code>{jobId}</code>
          </li>
        ))}
      </ul>
      <button type="button" class="small" onClick={() => askTest(decision)}>
        Make a test from this
      </button>
    </details>
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

function Found({ values }: { readonly values: Readonly<Record<string, unknown>> }): JSX.Element | null {
  const entries = Object.entries(values);
  if (entries.length === 0) return null;
  return <span class="dim"> {entries.map(([key, value]) => fact(key, value)).join(', ')}</span>;
}
