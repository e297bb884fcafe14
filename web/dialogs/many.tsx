// Holds or releases many channels: one request for each, a few at a time; those that fail are listed by name and can be retried.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LiveRow } from '#api/live/row.ts';
import { api, problemText } from '../api.ts';
import { count, idOf, plural } from '../format.ts';
import { ask, Dialog, Field, Reason, type Values } from '../parts/dialog.tsx';
import { toast } from '../parts/toasts.tsx';
import { select } from '../selection.ts';
import { holdBody, times } from './controls.tsx';

type Kind = 'hold' | 'release';
type Channel = Pick<LiveRow, 'arn' | 'name'>;

interface Failure {
  readonly channel: Channel;
  readonly why: string;
}

/** Requests under way at once. */
const atOnce = 4;
/** At most this many names are listed. */
const mostNames = 12;

/** Asks before it holds or releases these. */
export function askMany(kind: Kind, channels: readonly Channel[]): void {
  ask(<ManyDialog kind={kind} channels={channels} />);
}

const wordings = {
  hold: {
    title: 'Hold',
    text: 'Rules do not act on these channels.',
    done: 'held',
    send: (arn: string, values: Values, signal: AbortSignal) =>
      api('PUT', `/v1/holds/${encodeURIComponent(arn)}`, { body: holdBody(values), signal }),
  },
  release: {
    title: 'Release',
    text: 'Rules may act on these channels again.',
    done: 'released',
    send: (arn: string, _values: Values, signal: AbortSignal) =>
      api('DELETE', `/v1/holds/${encodeURIComponent(arn)}`, { signal }),
  },
} as const;

function ManyDialog({ kind, channels }: { readonly kind: Kind; readonly channels: readonly Channel[] }): JSX.Element {
  const { title, text, done, send } = wordings[kind];
  /** The channels still to be requested: all, then those that failed. */
  const [left, setLeft] = useState(channels);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const [ended, setEnded] = useState<number>();
  const closing = useRef(new AbortController());
  useEffect(() => () => closing.current.abort(), []);

  const work = async (values: Values) => {
    const { signal } = closing.current;
    const todo = [...left];
    const failed: Failure[] = [];
    let finished = 0;
    setFailures([]);
    setEnded(0);
    const worker = async () => {
      for (let channel = todo.shift(); channel && !signal.aborted; channel = todo.shift()) {
        try {
          await send(channel.arn, values, signal);
          select([channel.arn], false);
        } catch (problem) {
          if (!signal.aborted) failed.push({ channel, why: problemText(problem) });
        }
        finished += 1;
        setEnded(finished);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    setEnded(undefined);
    const good = left.length - failed.length;
    if (signal.aborted) throw new Error('The dialog was closed before all were requested: check the list.');
    if (failed.length > 0) {
      setLeft(failed.map(({ channel }) => channel));
      setFailures(failed);
      throw new Error(`${plural(good, 'channel')} ${are(good)} ${done}, ${count(failed.length)} failed:`);
    }
    toast(`${plural(good, 'channel')} ${are(good)} ${done}.`);
  };
  const names = left.slice(0, mostNames).map(({ name, arn }) => name || idOf(arn));
  return (
    <Dialog
      title={`${title} ${plural(left.length, 'channel')}?`}
      text={text}
      confirm={failures.length > 0 ? 'Try again' : title}
      onSubmit={work}
    >
      {failures.length === 0 ? (
        <p class="names">
          {names.join(', ')}
          {left.length > names.length && ` and ${count(left.length - names.length)} more`}
        </p>
      ) : (
        <ul class="failures" aria-label="Failed">
          {failures.map(({ channel, why }) => (
            <li key={channel.arn}>
              <b title={channel.arn}>{channel.name || idOf(channel.arn)}</b> {why}
            </li>
          ))}
        </ul>
      )}
      {kind === 'hold' && (
        <>
          <Reason />
          <Field label="For" name="duration" options={times} />
        </>
      )}
      <p class="dim" role="status">
        {ended !== undefined && `${count(ended)} of ${count(left.length)} requested`}
      </p>
    </Dialog>
  );
}

function are(number: number): string {
  return number === 1 ? 'is' : 'are';
}
