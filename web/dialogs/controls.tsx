// Pause, hold, the rest of a batch: what people tell automation. Silences are in silence.tsx, many holds at once in many.tsx.
import { api } from '../api.ts';
import { count } from '../format.ts';
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
      text="No rule acts until somebody resumes. Polling and this page continue, and actions that you request still work."
      confirm="Pause all"
      danger
      onSubmit={async ({ reason }) => {
        const { note } = await api<{ note?: string }>('POST', '/v1/pause', {
          body: { reason },
        });
        toast(note ?? 'All automation is paused.', note !== undefined);
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
      text="Rules act again from now on. A condition that was held back is judged by its current state. Events and times that came during the pause are dropped."
      confirm="Resume"
      onSubmit={async () => {
        await api('POST', '/v1/resume', { body: {} });
        toast('Automation has resumed.');
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
      text="Rules do not act on this channel."
      confirm="Hold"
      onSubmit={async (values) => {
        await api('PUT', `/v1/holds/${encodeURIComponent(arn)}`, { body: holdBody(values) });
        toast('The channel is on hold.');
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

export function askCancelBatch(id: string): void {
  const pending = status.peek()?.batches?.find((batch) => batch.id === id)?.counts['pending'];
  const dropped =
    pending === undefined
      ? 'Items that were not sent yet are dropped'
      : `${count(pending)} deliveries that were not sent yet are dropped`;
  ask(
    <Dialog
      title="Cancel the rest of this batch?"
      text={`${dropped}. Viewers keep what they have received.`}
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
  ['Enter', 'open the focused stream'],
  ['h', 'hold it'],
  ['x', 'select it; with Shift, select all in between'],
  ['g s', 'streams'],
  ['g d', 'decisions'],
  ['g p', 'approvals'],
  ['g h', 'history'],
  ['g r', 'rules'],
  ['g q', 'quota'],
  ['g b', 'metadata batches'],
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
