// One channel: what is true, what comes next, and one timeline of events, polls, decisions, jobs and AWS's answers.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { LiveRow } from '#api/live/row.ts';
import { api, query } from '../api.ts';
import type { DecisionView } from '../decisions.ts';
import { type ActionKind, askAction } from '../dialogs/actions.tsx';
import { askHold, askRelease } from '../dialogs/controls.tsx';
import { clock, count, duration, idOf, person, stamp, words } from '../format.ts';
import { CopyLink } from '../parts/copy.tsx';
import { Outcome, State } from '../parts/signs.tsx';
import { ProblemLine, Skeleton, Time } from '../parts/text.tsx';
import { route, setParams } from '../route.ts';
import { mayOperate, now, rowOfChannel } from '../store.ts';
import { useResource } from '../use-resource.ts';
import { type AuditEntry, auditText } from './audit.tsx';
import { DecisionSteps } from './decisions.tsx';
import { recordings } from './stream-row.tsx';

const kinds = { event: 'Event', poll: 'Poll', decision: 'Decision', audit: 'Action', job: 'Job' } as const;
type Kind = keyof typeof kinds;

/** A session as `GET /v1/streams` shows it. */
interface Session {
  readonly streamId: string;
  readonly channelName: string;
  readonly state: LiveRow['state'];
  readonly stateSince: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly failureReason?: string;
}

/** `GET /v1/streams/{channelArn}` */
interface Story {
  readonly record: Session | null;
  readonly timeline: readonly {
    readonly source: 'event' | 'poll';
    readonly name: string;
    readonly eventTime: string;
    readonly arrivedAt: string;
    readonly text: string;
  }[];
}

interface Loaded {
  readonly story: Story;
  readonly decisions: readonly DecisionView[];
  readonly audit: readonly AuditEntry[];
}

export function StreamView({ arn }: { readonly arn: string }): JSX.Element {
  const {
    value: loaded,
    problem,
    reload,
  } = useResource<Loaded>(arn, async (signal) => {
    const [story, { decisions }, { entries }] = await Promise.all([
      api<Story>('GET', `/v1/streams/${encodeURIComponent(arn)}`, { signal }),
      api<{ decisions: readonly DecisionView[] }>('GET', `/v1/decisions${query({ channelArn: arn, limit: 100 })}`, {
        signal,
      }),
      api<{ entries: readonly AuditEntry[] }>('GET', `/v1/audit${query({ channelArn: arn, limit: 100 })}`, { signal }),
    ]);
    return { story, decisions, audit: entries };
  });
  const row = rowOfChannel(arn);
  // What changed in the row is in the story a moment later.
  const turn = `${row?.state}|${row?.since}|${row?.next?.id}|${row?.hold?.reason}`;
  useEffect(() => {
    const soon = setTimeout(reload, 300);
    return () => clearTimeout(soon);
  }, [turn, reload]);
  const record = loaded?.story.record ?? undefined;
  return (
    <div class="page">
      <p>
        <a href="#/">← All streams</a>
      </p>
      <div class="split wrap">
        <h1>
          {row?.name ?? (record?.channelName || idOf(arn))} {row && <State of={row} />}
        </h1>
        {mayOperate() && <Actions arn={arn} row={row} streamId={record?.streamId} />}
      </div>
      <p class="dim break arn">
        <code>{arn}</code> <CopyLink />
      </p>
      <ProblemLine problem={problem} />
      <Facts row={row} record={record} />
      <Timeline loaded={loaded} />
    </div>
  );
}

function Actions({
  arn,
  row,
  streamId,
}: {
  readonly arn: string;
  readonly row: LiveRow | undefined;
  readonly streamId: string | undefined;
}): JSX.Element {
  const live = row?.state === 'live';
  const act = (kind: ActionKind) => () => askAction(kind, arn, kind === 'stop' ? streamId : undefined);
  return (
    <div class="actions">
      {row?.hold ? (
        <button type="button" onClick={() => askRelease(arn)}>
          Release hold
        </button>
      ) : (
        <button type="button" onClick={() => askHold(arn)}>
          Hold
        </button>
      )}
      <button type="button" disabled={!live} onClick={act('metadata')}>
        Send metadata
      </button>
      <button type="button" onClick={act('recording')}>
        Set recording
      </button>
      <button type="button" onClick={act('key')}>
        Rotate key
      </button>
      <button type="button" class="danger" disabled={!live} onClick={act('stop')}>
        Stop stream
      </button>
    </div>
  );
}

function Facts({
  row,
  record,
}: {
  readonly row: LiveRow | undefined;
  readonly record: Session | undefined;
}): JSX.Element {
  const at = now();
  const ended = row?.state === 'ended' || row?.state === 'failed';
  const started = row?.started ?? (record?.startedAt === undefined ? undefined : Date.parse(record.startedAt));
  const { next, hold, tags = {} } = row ?? {};
  return (
    <section class="panel" aria-labelledby="facts-title">
      <h2 id="facts-title">Now</h2>
      <dl>
        <Item name="Health since">{row?.health && <Since ms={row.since} at={at} />}</Item>
        <Item name="Ended">{ended && <Since ms={row.since} at={at} />}</Item>
        <Item name={ended ? 'Began' : 'Live since'}>{started !== undefined && <Since ms={started} at={at} />}</Item>
        <Item name="Viewers">{row?.viewers !== undefined && count(row.viewers)}</Item>
        <Item name="Recording">
          {row &&
            `${recordings[row.recording].toLowerCase()}${row.pending === undefined ? '' : `, pending: ${row.pending}`}`}
        </Item>
        <Item name="Key age">{row?.key !== undefined && duration(at - row.key)}</Item>
        <Item name="Next action">
          {next
            ? `${words(next.text)}${next.dueMs === undefined ? '' : ` in ${duration(next.dueMs - at)}`}${next.rule === undefined ? '' : ` (rule ${next.rule})`}`
            : 'none'}
        </Item>
        <Item name="Hold">
          {hold &&
            `${hold.reason} (${person(hold.who)}${hold.until === undefined ? '' : `, ends in ${duration(hold.until - at)}`})`}
        </Item>
        <Item name="Stream">{record?.streamId}</Item>
        <Item name="Failure">{record?.failureReason}</Item>
        <Item name="Tags">
          {Object.keys(tags).length > 0 &&
            Object.entries(tags).map(([key, value]) => (
              <span key={key} class="tag">
                {key}={value}
              </span>
            ))}
        </Item>
      </dl>
    </section>
  );
}

/** A fact; nothing where nothing is known. */
function Item({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element | null {
  if (children === undefined || children === null || children === false || children === '') return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Since({ ms, at }: { readonly ms: number | undefined; readonly at: number }): JSX.Element | null {
  if (ms === undefined) return null;
  return (
    <span title={stamp(ms)}>
      {clock(ms)} ({duration(at - ms)} ago)
    </span>
  );
}

/** The kinds that are left out are in the address, as `hide=poll,job`. */
function Timeline({ loaded }: { readonly loaded: Loaded | undefined }): JSX.Element {
  const hidden = new Set((route.value.params['hide'] ?? '').split(',').filter(Boolean));
  const lines = loaded ? merged(loaded).filter(({ kind }) => !hidden.has(kind)) : [];
  const show = (kind: string, shown: boolean) => {
    const left = new Set(hidden);
    if (shown) left.delete(kind);
    else left.add(kind);
    setParams({ hide: Array.from(left).join(',') });
  };
  return (
    <section class="panel" aria-labelledby="timeline-title">
      <div class="split wrap">
        <h2 id="timeline-title">Timeline</h2>
        <fieldset class="kinds">
          <legend class="sr">Show</legend>
          {Object.entries(kinds).map(([kind, text]) => (
            <label key={kind}>
              <input
                type="checkbox"
                checked={!hidden.has(kind)}
                onChange={(event) => show(kind, event.currentTarget.checked)}
              />
              {text}
            </label>
          ))}
        </fieldset>
      </div>
      {loaded ? (
        <ol class="timeline">
          {lines.length === 0 && <li class="dim">Nothing is known yet.</li>}
          {lines.map((line) => (
            <TimelineLine key={line.key} line={line} />
          ))}
        </ol>
      ) : (
        <Skeleton />
      )}
    </section>
  );
}

interface Line {
  readonly kind: Kind;
  readonly key: string;
  readonly atMs: number;
  readonly arrivedMs?: number;
  readonly title?: string;
  readonly text?: string;
  readonly decision?: DecisionView;
}

/** Everything about the channel in one order, newest first. */
function merged({ story, decisions, audit }: Loaded): readonly Line[] {
  const lines: readonly Line[] = [
    ...story.timeline.map((entry, index) => ({
      kind: entry.source,
      key: `t${entry.eventTime}-${entry.name}-${index}`,
      atMs: Date.parse(entry.eventTime),
      arrivedMs: Date.parse(entry.arrivedAt),
      text: entry.text,
      title: entry.name,
    })),
    ...decisions.map((decision) => ({
      kind: 'decision' as const,
      key: `d${decision.id}`,
      atMs: Date.parse(decision.at),
      decision,
    })),
    ...audit.map((entry) => ({
      kind: entry.outcome === 'requested' ? ('audit' as const) : ('job' as const),
      key: `a${entry.id}`,
      atMs: Date.parse(entry.at),
      title: words(entry.what),
      text: auditText(entry),
    })),
  ];
  return lines.toSorted((a, b) => b.atMs - a.atMs);
}

function TimelineLine({ line }: { readonly line: Line }): JSX.Element {
  const { kind, atMs, arrivedMs, title, text, decision } = line;
  return (
    <li class={kind}>
      <Time ms={atMs} />
      <span class="kind">{kinds[kind]}</span>
      {decision ? (
        <div>
          <p>
            <Outcome name={decision.outcome} /> <b>{decision.rule}</b> {words(decision.reason)}
          </p>
          <DecisionSteps decision={decision} />
        </div>
      ) : (
        <div>
          <p>
            <b>{title}</b> {text}
          </p>
          {arrivedMs !== undefined && arrivedMs - atMs > 2000 && (
            <p class="dim">
              arrived {clock(arrivedMs)}, {duration(arrivedMs - atMs)} late
            </p>
          )}
        </div>
      )}
    </li>
  );
}
