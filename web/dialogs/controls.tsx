// Pause, hold, silence, the rest of a batch: what people say to automation.
import type { JSX } from 'preact';
import { api } from '../api.ts';
import { count, plural } from '../format.ts';
import { ask, Dialog, Field, Reason, type Values } from '../parts/dialog.tsx';
import { toast } from '../parts/toasts.tsx';
import { channelName, status } from '../store.ts';

/** How long a hold or a silence lasts. */
export const times = [
  ['', 'until released'],
  ['15m', '15 minutes'],
  ['1h', '1 hour'],
  ['4h', '4 hours'],
  ['24h', '1 day'],
] as const;

export function askPause(): void {
  ask(
    <Dialog
      title="Pause all automation?"
      text="No rule acts until somebody resumes. Polling and this page go on; actions that you ask for by hand still work."
      confirm="Pause all"
      danger
      onSubmit={async ({ reason }) => {
        await api('POST', '/v1/pause', { body: { reason } });
        toast('All automation is paused.');
      }}
    >
      <Reason />
    </Dialog>,
  );
}

export function askResume(): void {
  ask(
    <Dialog
      title="Resume automation?"
      text="Rules act again from now on. A condition that was held back and still holds is judged by what is true now; events and times that came during the pause are over."
      confirm="Resume"
      onSubmit={async () => {
        await api('POST', '/v1/resume', { body: {} });
        toast('Automation is resumed.');
      }}
    />,
  );
}

/** A hold as the API takes it. */
export function holdBody({ reason, duration }: Values): Readonly<Record<string, unknown>> {
  return { reason, ...(duration ? { duration } : {}) };
}

export function askHold(arn: string): void {
  ask(
    <Dialog
      title={`Hold ${channelName(arn)}?`}
      text="Automation keeps its hands off this channel."
      confirm="Hold"
      onSubmit={async (values) => {
        await api('PUT', `/v1/holds/${encodeURIComponent(arn)}`, { body: holdBody(values) });
        toast('The channel is held.');
      }}
    >
      <Reason />
      <Field label="For" name="duration" options={times} />
    </Dialog>,
  );
}

export function askRelease(arn: string): void {
  ask(
    <Dialog
      title={`Release ${channelName(arn)}?`}
      text="Rules may act on this channel again."
      confirm="Release"
      onSubmit={async () => {
        await api('DELETE', `/v1/holds/${encodeURIComponent(arn)}`);
        toast('The hold is released.');
      }}
    />,
  );
}

/** As Alertmanager writes them. The API looks closer. */
const matcher = /^[A-Za-z_][\w.:-]*\s*(=|!=|=~|!~)\s*(".*"|[^"\s]+)$/;

/** Silences decisions; `matchers` are filled in. */
export function askSilence(matchers = ''): void {
  ask(<SilenceDialog matchers={matchers} />);
}

function SilenceDialog({ matchers: initial }: { readonly matchers: string }): JSX.Element {
  const example = `rule="${status.peek()?.rules[0]?.name ?? 'starving-slate'}"`;
  return (
    <Dialog
      title="Silence decisions"
      text="What matches every line is held back until the silence ends."
      confirm="Silence"
      onSubmit={async ({ matchers = '', reason, duration, force }) => {
        const lines = matchers
          .split('\n')
          .map((line) => line.trim())
          .filter(Boolean);
        const wrong = lines.find((line) => !matcher.test(line));
        if (wrong !== undefined) throw new Error(`“${wrong}” is no matcher: write ${example}.`);
        const body = { matchers: lines, reason, duration };
        const { matches, matchesNothing, didYouMean } = await api<SilenceMatch>('POST', '/v1/silences', {
          body: { ...body, dryRun: true },
        });
        const found = `${plural(matches.rules, 'rule')} on ${plural(matches.channels, 'channel')}`;
        if (matchesNothing && force !== 'yes')
          throw new Error(
            `Nothing was silenced: it matches ${found}${didYouMean.length === 0 ? '' : ` (did you mean ${didYouMean.join(', ')}?)`}.`,
          );
        await api('POST', '/v1/silences', { body });
        toast(`The silence is in force. It matches ${found}.`);
      }}
    >
      <Field
        label="Matchers, one on a line"
        name="matchers"
        lines={3}
        required
        initial={initial}
        placeholder={example}
        help="A label, =, !=, =~ or !~, and a value in quotes. Labels: rule, channel, action and the channel’s tags."
      />
      <Reason />
      <Field label="For" name="duration" options={times.slice(1)} />
      <Field label="If it matches nothing" name="force" options={whenNothing} />
    </Dialog>
  );
}

const whenNothing = [
  ['no', 'do not make it'],
  ['yes', 'make it all the same, for what is still to come'],
] as const;

interface SilenceMatch {
  readonly matches: { readonly rules: number; readonly channels: number };
  readonly matchesNothing: boolean;
  readonly didYouMean: readonly string[];
}

export function askCancelBatch(id: string): void {
  const pending = status.peek()?.batches?.find((batch) => batch.id === id)?.counts['pending'];
  const dropped =
    pending === undefined
      ? 'What was not sent yet is dropped'
      : `${count(pending)} deliveries that were not sent yet are dropped`;
  ask(
    <Dialog
      title="Cancel the rest of this batch?"
      text={`${dropped}. What viewers have got stays with them.`}
      confirm="Cancel the rest"
      dismiss="Keep sending"
      danger
      onSubmit={async () => {
        await api('DELETE', `/v1/metadata/batches/${encodeURIComponent(id)}`);
        toast('The rest of the batch is cancelled.');
      }}
    />,
  );
}

const keys = [
  ['/', 'filter the streams'],
  ['j  k', 'next, previous stream'],
  ['Enter', 'open the stream that has the focus'],
  ['h', 'hold it'],
  ['x', 'select it; Shift with a press selects all in between'],
  ['g s', 'streams'],
  ['g d', 'decisions'],
  ['g r', 'rules'],
  ['g q', 'quota'],
  ['g b', 'batches'],
  ['g a', 'audit'],
  ['Shift P', 'pause all'],
  ['?', 'this list'],
] as const;

export function showKeys(): void {
  ask(
    <Dialog title="Keys" dismiss="Close">
      <dl>
        {keys.map(([key, text]) => [
          <dt key={key}>
            <kbd>{key}</kbd>
          </dt>,
          <dd key={text}>{text}</dd>,
        ])}
      </dl>
    </Dialog>,
  );
}
