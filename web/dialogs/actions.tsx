// Actions on one channel: the request, a dry run of it, and the result.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, problemText } from '../api.ts';
import { outcomeText } from '../delivery.ts';
import { words } from '../format.ts';
import { ask, Dialog, Field, Reason, type Values, valuesOf } from '../parts/dialog.tsx';
import { toast } from '../parts/toasts.tsx';
import { channelName } from '../store.ts';

/** A job as `GET /v1/jobs/{id}` shows it. */
export interface Job {
  readonly jobId: string;
  readonly name?: string;
  readonly state: string;
  readonly finishedAt?: string;
  readonly result?: { readonly outcome?: string; readonly reason?: string; readonly calls?: readonly string[] };
  readonly error?: string;
}

interface ActionForm {
  readonly title: string;
  /** On the button. */
  readonly verb: string;
  readonly danger: boolean;
  readonly fields: (channel: string) => JSX.Element;
  readonly action: (values: Values) => Readonly<Record<string, unknown>>;
}

const forms = {
  stop: {
    title: 'Stop the stream of',
    verb: 'Stop stream',
    danger: true,
    fields: () => (
      <Field
        label="Afterwards"
        name="revoke"
        options={[
          ['', 'keep the stream key: the encoder may reconnect'],
          ['yes', 'delete the stream key: the encoder cannot reconnect'],
        ]}
      />
    ),
    action: ({ revoke }) => ({ stop_stream: revoke ? { revoke_key: true } : {} }),
  },
  ads: {
    title: 'Insert an ad break on',
    verb: 'Insert ad break',
    danger: false,
    fields: () => <Field label="How long, from 1s to 5m" name="duration" required initial="60s" />,
    action: ({ duration }) => ({ insert_ad_break: { duration } }),
  },
  key: {
    title: 'Rotate the stream key of',
    verb: 'Rotate key',
    danger: true,
    fields: (channel) => (
      <>
        <Field
          label="When"
          name="when"
          options={[
            ['offline', 'when the stream has ended'],
            ['now', 'now: the running stream continues'],
            ['now_and_stop', 'now, and stop the stream'],
          ]}
        />
        <Field
          label="Deliver to"
          name="sink"
          options={[
            ['secrets_manager', 'AWS Secrets Manager'],
            ['ssm_parameter', 'SSM Parameter Store'],
            ['file', 'a file on the daemon'],
          ]}
        />
        <Field
          label="Name there"
          name="where"
          required
          placeholder={`ivs/${plain(channel)}/stream-key`}
          suggestions={[
            `ivs/${plain(channel)}/stream-key`,
            `/ivs/${plain(channel)}/stream-key`,
            `/run/stream-keys/${plain(channel)}`,
          ]}
        />
      </>
    ),
    action: ({ when, sink = '', where }) => ({ rotate_stream_key: { when, deliver: { [sink]: where } } }),
  },
  recording: {
    title: 'Set the recording of',
    verb: 'Set recording',
    danger: false,
    fields: () => (
      <>
        <Field
          label="Recording configuration"
          name="configuration"
          required
          placeholder="name, ARN or bucket; none turns it off"
          suggestions={['none']}
        />
        <IfLive />
      </>
    ),
    action: ({ configuration, if_live }) => ({ set_recording: { configuration, if_live } }),
  },
  adConfiguration: {
    title: 'Set the ad configuration of',
    verb: 'Set ads',
    danger: false,
    fields: () => (
      <>
        <Field
          label="Ad configuration"
          name="configuration"
          required
          placeholder="name or ARN; none removes it"
          suggestions={['none']}
        />
        <IfLive />
      </>
    ),
    action: ({ configuration, if_live }) => ({ set_ad_configuration: { configuration, if_live } }),
  },
  restriction: {
    title: 'Set the playback restriction of',
    verb: 'Set restriction',
    danger: false,
    fields: () => (
      <>
        <Field
          label="Playback restriction policy"
          name="policy"
          required
          placeholder="name or ARN; none removes it"
          suggestions={['none']}
        />
        <IfLive />
      </>
    ),
    action: ({ policy, if_live }) => ({ set_playback_restriction: { policy, if_live } }),
  },
  policy: {
    title: 'Edit the playback restriction policy of',
    verb: 'Edit policy',
    danger: true,
    fields: () => (
      <>
        <Field label="Policy" name="policy" required placeholder="name or ARN; refused if other channels use it too" />
        <Field
          label="Countries"
          name="countries"
          placeholder="such as GB, IE; “all” for every country; empty: unchanged"
        />
        <Field
          label="Origins"
          name="origins"
          placeholder="such as https://www.example.com; “all” for every origin; empty: unchanged"
        />
      </>
    ),
    action: ({ policy, countries = '', origins = '' }) => ({
      edit_playback_restriction: {
        policy,
        ...(countries === '' ? {} : { allowed_countries: listOf(countries) }),
        ...(origins === '' ? {} : { allowed_origins: listOf(origins) }),
      },
    }),
  },
  viewers: {
    title: 'Revoke viewers of',
    verb: 'Revoke viewers',
    danger: true,
    fields: () => (
      <>
        <Field label="Viewer ids, one per line" name="viewers" lines={4} required />
        <Field label="Session versions up to" name="version" placeholder="0" />
      </>
    ),
    action: ({ viewers = '', version = '' }) => ({
      revoke_viewers: {
        viewers: viewers.split('\n').flatMap((line) => line.trim() || []),
        ...(version === '' ? {} : { versions_up_to: Number(version) }),
      },
    }),
  },
  metadata: {
    title: 'Send timed metadata to',
    verb: 'Send metadata',
    danger: false,
    fields: () => (
      <Field label="Payload: text, or JSON" name="payload" lines={4} required initial='{"type":"notice"}' />
    ),
    action: ({ payload = '' }) => ({ put_metadata: { payload: payloadOf(payload) } }),
  },
} satisfies Readonly<Record<string, ActionForm>>;

/** What to do with a live channel: for settings that take effect with the next stream. */
function IfLive(): JSX.Element {
  return (
    <Field
      label="If it is live"
      name="if_live"
      options={[
        ['defer', 'wait for the end of the stream'],
        ['skip', 'do nothing'],
        ['restart', 'stop the stream, so that the encoder reconnects with the change'],
      ]}
    />
  );
}

/** Texts separated by commas; none of them for `all`. */
function listOf(text: string): string[] {
  return text.trim() === 'all' ? [] : text.split(',').flatMap((part) => part.trim() || []);
}

export type ActionKind = keyof typeof forms;

/** An object is sent as JSON, anything else as plain text. @throws Error for what looks like JSON and is not */
export function payloadOf(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? text : value;
  } catch (error) {
    throw new Error(`The payload begins like JSON but is not valid: ${(error as Error).message}`, { cause: error });
  }
}

/** A channel's name as a part of the name of a secret, a parameter or a file. */
function plain(channel: string): string {
  return channel
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

/** Requests an action on a channel. With `streamId`, nothing is done if another stream is live by then. */
export function askAction(kind: ActionKind, arn: string, streamId?: string): void {
  ask(<ActionDialog kind={kind} arn={arn} streamId={streamId} />);
}

function ActionDialog({
  kind,
  arn,
  streamId,
}: {
  readonly kind: ActionKind;
  readonly arn: string;
  readonly streamId: string | undefined;
}): JSX.Element {
  const { title, verb, danger, fields, action }: ActionForm = forms[kind];
  const name = channelName(arn);
  const [plan, setPlan] = useState<JSX.Element>();
  const [looking, setLooking] = useState(false);
  const ending = useRef(new AbortController());
  useEffect(() => () => ending.current.abort(), []);
  const keyOf = useRequestKeys();

  const send = async (values: Values, dryRun: boolean) => {
    const body = {
      action: action(values),
      channelArn: arn,
      reason: values['reason'],
      ...(streamId === undefined ? {} : { streamId }),
      ...(dryRun ? { dryRun } : {}),
    };
    const { jobId } = await api<{ jobId: string }>('POST', '/v1/actions', {
      body,
      ...(dryRun ? {} : { headers: { 'idempotency-key': keyOf(JSON.stringify(body)) } }),
    });
    return jobId;
  };
  const look = async (form: HTMLFormElement | null) => {
    if (!form?.reportValidity()) return;
    const { signal } = ending.current;
    setLooking(true);
    setPlan(<p class="dim">Looking…</p>);
    try {
      const job = await finished(await send(valuesOf(form), true), signal);
      setPlan(<Plan job={job} />);
    } catch (problem) {
      if (signal.aborted) return;
      setPlan(
        <p class="problem" role="alert">
          {problemText(problem)}
        </p>,
      );
    }
    setLooking(false);
  };
  return (
    <Dialog
      title={`${title} ${name}?`}
      confirm={verb}
      danger={danger}
      onSubmit={async (values) => {
        const jobId = await send(values, false);
        toast(`Requested. Job ${jobId}.`);
        void sayEnd(jobId);
      }}
    >
      {fields(name)}
      <Reason />
      <p>
        <button type="button" disabled={looking} onClick={(event) => void look(event.currentTarget.form)}>
          Show what it would do
        </button>
      </p>
      <div class="plan" aria-live="polite">
        {plan}
      </div>
    </Dialog>
  );
}

/** Repeating the same request after a lost answer is the same job; a different request is another job. */
export function useRequestKeys(): (body: string) => string {
  const keys = useRef(new Map<string, string>());
  return (body) => {
    const key =
      keys.current.get(body) ??
      Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    keys.current.set(body, key);
    return key;
  };
}

function Plan({ job }: { readonly job: Job }): JSX.Element {
  const calls = job.result?.calls ?? [];
  return (
    <>
      <p>{planText(job)}</p>
      {calls.length > 0 && (
        <ol>
          {calls.map((call, index) => (
            <li key={index}>
              <code>{call}</code>
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

function planText(job: Job): string {
  const { reason, calls = [] } = job.result ?? {};
  if (reason !== 'dry_run') return outcomeOf(job);
  return calls.length === 0 ? 'It would make no calls.' : 'It would call:';
}

async function finished(jobId: string, signal?: AbortSignal): Promise<Job> {
  for (let turn = 0; turn < 40; turn += 1) {
    const job = await api<Job>('GET', `/v1/jobs/${encodeURIComponent(jobId)}`, { signal });
    if (job.finishedAt !== undefined) return job;
    await new Promise((done) => setTimeout(done, 250));
    signal?.throwIfAborted();
  }
  return { jobId, state: 'under way', result: { reason: 'The timeline will show the result.' } };
}

/** What became of a job, in words. */
export function outcomeOf({ state, result, error }: Job): string {
  return outcomeText(result?.outcome ?? state, error ?? result?.reason);
}

async function sayEnd(jobId: string): Promise<void> {
  try {
    const job = await finished(jobId);
    toast(`${words(job.name ?? 'Job')} ${outcomeOf(job)}`, job.state === 'failed');
  } catch (problem) {
    toast(problemText(problem), true);
  }
}
