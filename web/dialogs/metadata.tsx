// Sends timed metadata to every live channel, to those with some tags, or to a list. First it shows who would get it and how long that
// takes, then it sends it and shows the batch's progress.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LiveRow } from '#api/live/row.ts';
import { parseDuration } from '#domain/duration.ts';
import { nearestName } from '#domain/nearest-name.ts';
import { api, query } from '../api.ts';
import { channelsMeant } from '../channel-names.ts';
import { count, duration, plural, words } from '../format.ts';
import { ask, Dialog, Field, type Values } from '../parts/dialog.tsx';
import { toast } from '../parts/toasts.tsx';
import { go, href } from '../route.ts';
import { channelName, rows, status } from '../store.ts';
import { payloadOf, useRequestKeys } from './actions.tsx';

/** The answer of `POST /v1/metadata/batches` to a dry run. */
interface Plan {
  readonly channels: number;
  readonly items: number;
  readonly plannedCalls: number;
  readonly estimatedSeconds: number;
  readonly bytes?: { readonly total: number; readonly largestCall: number; readonly mostInCall: number };
  readonly skipped: readonly {
    readonly reason: string;
    readonly count: number;
    readonly examples: readonly string[];
  }[];
}

interface Request {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const targetKinds = [
  ['live', 'every channel that is live'],
  ['tags', 'live channels with these tags'],
  ['list', 'these channels'],
] as const;
type TargetKind = (typeof targetKinds)[number][0];

const lanes = [
  ['normal', 'normal'],
  ['urgent', 'urgent: sent first'],
  ['bulk', 'bulk: sent last'],
] as const;

/** Opens the form with these channels as its list, or with these tags (`key=value`), if given. */
export function askMetadata({
  channels = [],
  tags = [],
}: {
  readonly channels?: readonly Pick<LiveRow, 'arn' | 'name'>[];
  readonly tags?: readonly string[];
} = {}): void {
  // People understand a name better, if it is a single line and belongs to one channel.
  const named = Map.groupBy(channels, ({ name }) => name.trim());
  const chosen = new Map(
    channels.map(({ name, arn }) => {
      const text = name.trim();
      return [text === '' || text.includes('\n') || named.get(text)!.length > 1 ? arn : text, arn];
    }),
  );
  ask(<MetadataDialog chosen={chosen} tags={tags} />);
}

/** @param props `chosen`: ARNs of the channels that are filled in, by the text that stands for them */
function MetadataDialog({
  chosen,
  tags,
}: {
  readonly chosen: ReadonlyMap<string, string>;
  readonly tags: readonly string[];
}): JSX.Element {
  const [kind, setKind] = useState<TargetKind>(chosen.size > 0 ? 'list' : tags.length > 0 ? 'tags' : 'live');
  /** The plan, and the request that it belongs to. */
  const [planned, setPlanned] = useState<{ readonly plan: Plan; readonly asked: string }>();
  const closing = useRef(new AbortController());
  useEffect(() => () => closing.current.abort(), []);
  const keyOf = useRequestKeys();
  /** Counts edits: a plan that arrives later belongs to another text. */
  const typed = useRef(0);
  const accounts = [...new Set((status.value?.quota?.operations ?? []).map(({ shard }) => shard))];

  const submit = async (values: Values): Promise<'stay' | undefined> => {
    const { signal } = closing.current;
    const before = typed.current;
    const request = await requestOf(values, kind, chosen, signal);
    const asked = JSON.stringify(request);
    const { path, body } = request;
    if (planned?.asked !== asked) {
      const plan = await api<Plan>('POST', path, { body: { ...body, dryRun: true }, signal });
      if (typed.current !== before) return 'stay';
      setPlanned({ plan, asked });
      if (plan.channels === 0) throw new Error(nobodyText(kind, values));
      return 'stay';
    }
    const headers = { 'idempotency-key': keyOf(asked) };
    const { batchId, channels: taken } = await api<Plan & { batchId: string }>('POST', path, { body, headers });
    toast(`Accepted for ${plural(taken, 'channel')}.`);
    if (!signal.aborted) go(href('batch', batchId));
    return undefined;
  };
  return (
    <Dialog
      title="Send timed metadata"
      confirm={
        planned && planned.plan.channels > 0 ? `Send to ${plural(planned.plan.channels, 'channel')}` : 'Show the plan'
      }
      // The recipients are filled in already.
      focus={kind === 'live' ? undefined : 'payload'}
      onInput={() => {
        typed.current += 1;
        setPlanned(undefined);
      }}
      onSubmit={submit}
    >
      <div class="field">
        <label for="field-target">To</label>
        <select
          id="field-target"
          name="target"
          value={kind}
          onChange={(event) => setKind(event.currentTarget.value as TargetKind)}
        >
          {targetKinds.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </div>
      <div hidden={kind !== 'tags'}>
        <Field
          label="Tags, one per line"
          name="tags"
          lines={2}
          initial={tags.join('\n')}
          placeholder="show=quiz"
          help="As key=value. All keys must match; repeat a key to allow several values."
        />
      </div>
      <div hidden={kind !== 'list'}>
        <Field
          label="Channels, one per line"
          name="channels"
          lines={4}
          initial={[...chosen.keys()].join('\n')}
          help="By name, ARN, or the last part of the ARN."
        />
      </div>
      <Field label="Payload: text, or JSON" name="payload" lines={4} required placeholder='{"type":"poll","id":17}' />
      <div class="fields">
        <Field label="Lane" name="lane" options={lanes} />
        <Field label="Not sent after" name="expires" placeholder="such as 20s" maxLength={20} />
        <Field label="Key" name="key" placeholder="replaces unsent" maxLength={128} />
        {accounts.length > 1 && kind !== 'list' && (
          <Field label="Account" name="account" options={accounts.map((name) => [name, name] as const)} />
        )}
      </div>
      <div class="plan" aria-live="polite">
        {planned && <PlanText plan={planned.plan} />}
      </div>
    </Dialog>
  );
}

function PlanText({
  plan: { channels, plannedCalls, estimatedSeconds, bytes, skipped },
}: {
  readonly plan: Plan;
}): JSX.Element {
  return (
    <>
      <dl>
        <dt>Reaches</dt>
        <dd>{plural(channels, 'channel')}</dd>
        <dt>Calls</dt>
        <dd>{count(plannedCalls)} of PutMetadata at most</dd>
        <dt>Takes</dt>
        <dd>about {duration(Math.ceil(estimatedSeconds) * 1000)}</dd>
        {bytes && (
          <>
            <dt>Bytes</dt>
            <dd>
              {count(bytes.total)} in all, {count(bytes.largestCall)} of {count(bytes.mostInCall)} in a call
            </dd>
          </>
        )}
      </dl>
      {skipped.map(({ reason, count: left, examples }) => (
        <p key={reason} class="dim">
          {plural(left, 'channel')} left out ({words(reason)}): {examples.slice(0, 3).map(channelName).join(', ')}
          {left > 3 && ', …'}
        </p>
      ))}
    </>
  );
}

/** @throws Error that names the field and what to write there */
async function requestOf(
  { tags = '', channels = '', payload = '', lane, expires = '', key = '', account }: Values,
  kind: TargetKind,
  chosen: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<Request> {
  if (payload.trim() === '') throw new Error('Payload: there is nothing to send.');
  const expiresInMs = expires.trim() === '' ? undefined : parseDuration(expires.trim());
  if (expires.trim() !== '' && !expiresInMs)
    throw new Error(`Not sent after: “${expires}” is not a duration: write it like 20s or 5m.`);
  const item = {
    payload: payloadOf(payload),
    ...(key.trim() === '' ? {} : { key: key.trim() }),
    ...(expiresInMs === undefined ? {} : { expiresInMs }),
  };
  const targets =
    kind === 'live'
      ? { live: true }
      : kind === 'tags'
        ? { tags: tagsOf(tags) }
        : { channelArns: await channelsMeant(linesOf(channels, 'Channels: name at least one.'), chosen, signal) };
  return {
    path: `/v1/metadata/batches${query({ account: kind === 'list' ? undefined : account })}`,
    body: { targets, items: [item], lane },
  };
}

/** @throws Error with `empty` where there is none */
function linesOf(text: string, empty: string): readonly string[] {
  const lines = text.split('\n').flatMap((line) => line.trim() || []);
  if (lines.length === 0) throw new Error(empty);
  return lines;
}

function tagsOf(text: string): Readonly<Record<string, readonly string[]>> {
  const tags = new Map<string, string[]>();
  for (const line of linesOf(text, 'Tags: name at least one, as key=value.')) {
    const at = line.indexOf('=');
    if (at < 1) throw new Error(`Tags: “${line}” is not a tag: write it as key=value.`);
    const key = line.slice(0, at).trim();
    tags.set(key, [...(tags.get(key) ?? []), line.slice(at + 1).trim()]);
  }
  return Object.fromEntries(tags);
}

/** Why nobody would get it, with the tags that were probably meant. */
function nobodyText(kind: TargetKind, { tags = '' }: Values): string {
  if (kind !== 'tags') return 'Nothing would be sent.';
  const known = new Set(
    Array.from(rows().values(), ({ tags: own = {} }) =>
      Object.entries(own).map(([key, value]) => `${key}=${value}`),
    ).flat(),
  );
  const meant = linesOf(tags, '').flatMap((line) => (known.has(line) ? [] : (nearestName(line, known) ?? [])));
  return `Nothing would be sent: no live channel has these tags${meant.length === 0 ? '' : ` (did you mean ${meant.join(', ')}?)`}.`;
}
