// Silences: creates, changes and extends one. What it would hold back now is shown before it is in force.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SilenceLine } from '#api/live/status.ts';
import { api, problemText } from '../api.ts';
import { clock, count, plural, words } from '../format.ts';
import { ask, Dialog, Field, Reason, type Values, valuesOf } from '../parts/dialog.tsx';
import { toast } from '../parts/toasts.tsx';
import { channelName, status } from '../store.ts';
import { times } from './controls.tsx';

/** What the matchers match, according to the API. */
interface Match {
  readonly matches: { readonly rules: number; readonly channels: number };
  readonly matchesNothing: boolean;
  readonly examples: { readonly rules: readonly string[]; readonly channelArns: readonly string[] };
  readonly didYouMean: readonly string[];
  readonly planned: { readonly count: number; readonly examples: readonly PlannedAction[] };
}

interface PlannedAction {
  readonly rule: string;
  readonly action: string;
  readonly channelArn: string;
  readonly channelName: string;
  readonly due?: string;
}

const durations = times.slice(1);
const shownExamples = 6;

const whenNothing = [
  ['no', 'do not create it'],
  ['yes', 'create it anyway, for future matches'],
] as const;

/** As Alertmanager writes them. The API checks more. */
const matcher = /^[A-Za-z_][\w.:-]*\s*(=|!=|=~|!~)\s*(".*"|[^"\s]+)$/;

/** Silences decisions; `matchers` are filled in. */
export function askSilence(matchers = ''): void {
  ask(<SilenceDialog matchers={matchers} />);
}

export function askEditSilence(silence: SilenceLine): void {
  ask(<SilenceDialog matchers={silence.matchers.join('\n')} known={silence} />);
}

export function askExtendSilence({ id, matchers, untilMs }: SilenceLine): void {
  ask(
    <Dialog
      title="Extend the silence?"
      text={`It ends at ${clock(untilMs)}: ${matchers.join(', ')}`}
      confirm="Extend"
      onSubmit={async ({ duration }) => {
        const { ends } = await api<{ ends: string }>('PUT', pathOf(id), { body: { duration } });
        toast(`The silence ends at ${clock(Date.parse(ends))}.`);
      }}
    >
      <Field label="From now on for" name="duration" options={durations} initial="1h" />
    </Dialog>,
  );
}

function pathOf(id: string): string {
  return `/v1/silences/${encodeURIComponent(id)}`;
}

function SilenceDialog({
  matchers: initial,
  known,
}: {
  readonly matchers: string;
  /** The silence that is changed. */
  readonly known?: SilenceLine;
}): JSX.Element {
  const example = `rule="${status.peek()?.rules[0]?.name ?? 'starving-slate'}"`;
  const [shown, setShown] = useState<JSX.Element>();
  const closing = useRef(new AbortController());
  useEffect(() => () => closing.current.abort(), []);
  /** Counts edits and requests: an answer that arrives later belongs to other matchers. */
  const turn = useRef(0);

  const matchOf = (matchers: readonly string[], signal?: AbortSignal) =>
    api<Match>('POST', '/v1/silences', {
      body: { matchers, reason: 'preview', duration: '1h', dryRun: true },
      signal,
    });
  const preview = async (form: HTMLFormElement | null) => {
    if (!form) return;
    const { signal } = closing.current;
    turn.current += 1;
    const mine = turn.current;
    setShown(<p class="dim">Looking…</p>);
    try {
      const match = await matchOf(linesOf(valuesOf(form), example), signal);
      if (mine === turn.current) setShown(<MatchText match={match} />);
    } catch (problem) {
      if (signal.aborted || mine !== turn.current) return;
      setShown(
        <p class="problem" role="alert">
          {problemText(problem)}
        </p>,
      );
    }
  };
  const submit = async (values: Values) => {
    const { reason, duration = '', force } = values;
    const matchers = linesOf(values, example);
    const match = await matchOf(matchers);
    const { rules, channels } = match.matches;
    const found = `${plural(rules, 'rule')} on ${plural(channels, 'channel')}`;
    if (match.matchesNothing && force !== 'yes')
      throw new Error(`Nothing was ${known ? 'changed' : 'silenced'}: it matches ${found}${meantText(match)}.`);
    const body = { matchers, reason, ...(duration === '' ? {} : { duration }) };
    await (known ? api('PUT', pathOf(known.id), { body }) : api('POST', '/v1/silences', { body }));
    toast(`The silence is in force. It matches ${found}.`);
  };
  return (
    <Dialog
      title={known ? 'Edit the silence' : 'Silence decisions'}
      text="What matches every line is held back until the silence ends."
      confirm={known ? 'Save' : 'Silence'}
      onInput={() => {
        turn.current += 1;
        setShown(undefined);
      }}
      onSubmit={submit}
    >
      <Field
        label="Matchers, one per line"
        name="matchers"
        lines={3}
        required
        initial={initial}
        placeholder={example}
        help="A label, =, !=, =~ or !~, and a value in quotes. Labels: rule, channel, action and the channel’s tags."
      />
      <Reason initial={known?.reason} />
      <Field
        label={known ? 'From now on for' : 'For'}
        name="duration"
        options={known ? [['', `unchanged: until ${clock(known.untilMs)}`], ...durations] : durations}
      />
      <Field label="If it matches nothing" name="force" options={whenNothing} />
      <p>
        <button type="button" onClick={(event) => void preview(event.currentTarget.form)}>
          Show what it would hold back
        </button>
      </p>
      <div class="plan" aria-live="polite">
        {shown}
      </div>
    </Dialog>
  );
}

function MatchText({ match }: { readonly match: Match }): JSX.Element {
  const { matches, examples, planned, matchesNothing } = match;
  return (
    <>
      {matchesNothing && <p class="note">It would hold nothing back{meantText(match)}.</p>}
      <dl>
        <dt>{plural(matches.rules, 'rule')}</dt>
        <dd>{some(examples.rules, matches.rules)}</dd>
        <dt>{plural(matches.channels, 'channel')}</dt>
        <dd>{some(examples.channelArns.map(channelName), matches.channels)}</dd>
        <dt>Planned now</dt>
        <dd>
          {planned.count === 0 ? 'nothing new' : `${plural(planned.count, 'action')}, held back from now on:`}
          <ul>
            {planned.examples.slice(0, shownExamples).map(({ rule, action, channelArn, channelName: name, due }) => (
              <li key={`${rule} ${action} ${channelArn}`}>
                {words(action)} on {name || channelName(channelArn)} ({rule}
                {due !== undefined && `, due ${clock(Date.parse(due))}`})
              </li>
            ))}
          </ul>
          {planned.count > shownExamples && `and ${count(planned.count - shownExamples)} more`}
        </dd>
      </dl>
    </>
  );
}

function some(names: readonly string[], all: number): string {
  const shown = names.slice(0, shownExamples);
  return `${shown.join(', ')}${all > shown.length ? ` and ${count(all - shown.length)} more` : ''}`;
}

function meantText({ didYouMean }: Match): string {
  return didYouMean.length === 0 ? '' : ` (did you mean ${didYouMean.join(', ')}?)`;
}

/** @throws Error that says how to write a matcher */
function linesOf({ matchers = '' }: Values, example: string): readonly string[] {
  const lines = matchers.split('\n').flatMap((line) => line.trim() || []);
  if (lines.length === 0) throw new Error(`Write at least one matcher, such as ${example}.`);
  const wrong = lines.find((line) => !matcher.test(line));
  if (wrong !== undefined) throw new Error(`“${wrong}” is not a matcher: write ${example}.`);
  return lines;
}
