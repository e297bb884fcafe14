// One channel: its state, what comes next, and one timeline of events, polls, decisions, jobs and AWS's answers.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { LiveRow } from '#api/live/row.ts';
import { endText, personText } from '#api/person.ts';
import { api, query } from '../api.ts';
import type { DecisionView } from '../decisions.ts';
import { type ActionKind, askAction } from '../dialogs/actions.tsx';
import { askHold, askRelease } from '../dialogs/controls.tsx';
import { plannedOf, plannedText } from '../dialogs/planned.tsx';
import { clock, count, duration, words } from '../format.ts';
import { CopyLink } from '../parts/copy.tsx';
import { Fact, Since } from '../parts/facts.tsx';
import { Outcome, State } from '../parts/signs.tsx';
import { ProblemLine, Skeleton, Time } from '../parts/text.tsx';
import { UnknownParams } from '../parts/unknown-params.tsx';
import { href, route, setParams } from '../route.ts';
import { isOver, lasted, type Session, sessionEndMs } from '../sessions.ts';
import { channelName, learnName, mayOperate, now, rowOfChannel } from '../store.ts';
import type { LoadedStream, Story } from '../stream-story.ts';
import { useResource } from '../use-resource.ts';
import { type AuditEntry, AuditLinks, auditText } from './audit.tsx';
import { Became, DecisionLink, DecisionSteps } from './decisions.tsx';
import { StreamHistory } from './stream-history.tsx';
import { recordings } from './stream-row.tsx';
import { Sessions } from './stream-sessions.tsx';

const kinds = {
  event: 'Event',
  poll: 'Poll',
  history: 'Afterwards',
  decision: 'Decision',
  audit: 'Action',
  job: 'Job',
} as const;
type Kind = keyof typeof kinds;

export function StreamView({ arn }: { readonly arn: string }): JSX.Element {
  const { session: streamId = '' } = route.value.params;
  const {
    value: loaded,
    problem,
    reload,
  } = useResource<LoadedStream>(
    `${arn}/${streamId}`,
    async (signal) => {
      const story = await api<Story>('GET', `/v1/streams/${encodeURIComponent(arn)}${query({ streamId })}`, { signal });
      const about = { channelArn: arn, limit: 200, ...(streamId === '' ? {} : timeOf(story.record)) };
      const [{ decisions }, { entries }] = await Promise.all([
        api<{ decisions: readonly DecisionView[] }>('GET', `/v1/decisions${query(about)}`, { signal }),
        api<{ entries: readonly AuditEntry[] }>('GET', `/v1/audit${query(about)}`, { signal }),
      ]);
      return { story, decisions, audit: entries };
    },
    { everyMs: streamId === '' ? 5_000 : 30_000 },
  );
  const row = rowOfChannel(arn);
  // A change of the row appears in the history a moment later.
  const turn = `${row?.state}|${row?.since}|${row?.next?.id}|${row?.hold?.reason}`;
  useEffect(() => {
    const soon = setTimeout(reload, 300);
    return () => clearTimeout(soon);
  }, [turn, reload]);
  const { record, channel } = loaded?.story ?? {};
  const name = row?.name || record?.channelName || channel?.name || channelName(arn);
  useEffect(() => learnName(arn, name), [arn, name]);
  // A row leaves the list a while after the end; the record stays. An earlier session has no row.
  const sessions = sessionsOf(loaded?.story);
  const isEarlier = streamId !== '' && record !== undefined && sessions[0] !== record;
  const current = isEarlier ? undefined : row;
  const state = current && current.state !== 'offline' ? current : (record ?? current);
  return (
    <div class="page">
      <p>
        <a href="#/">← All streams</a>
      </p>
      <div class="split wrap">
        <h1>
          {name} {state && <State of={state} />}
        </h1>
        {mayOperate() && !isEarlier && (
          <Actions
            arn={arn}
            live={state?.state === 'live'}
            held={row?.hold !== undefined}
            streamId={record?.streamId}
          />
        )}
      </div>
      <p class="dim break arn links">
        <code>{arn}</code>
        <CopyLink />
        <Console arn={arn} />
      </p>
      <ProblemLine problem={problem} />
      <UnknownParams known={['session', 'compare', 'from', 'to', 'hide']} />
      {isEarlier && (
        <p class="links">
          <b>An earlier session.</b> <a href={href('stream', arn)}>Show the newest</a>
        </p>
      )}
      <Facts row={current} record={record ?? undefined} tags={row?.tags ?? channel?.tags} />
      {loaded && record && <StreamHistory arn={arn} session={record} loaded={loaded} />}
      <Timeline loaded={loaded} />
      <Sessions arn={arn} sessions={sessions} />
    </div>
  );
}

/** The causes of a session's first action lie before its beginning, and the effects of its end come later. */
const [beforeMs, afterMs] = [60_000, 600_000];

/** For requests about one session. */
function timeOf(session: Session | null): { readonly since?: string; readonly until?: string } {
  if (!session) return {};
  const iso = (ms: number) => new Date(ms).toISOString();
  const since = iso(Date.parse(session.startedAt ?? session.stateSince) - beforeMs);
  return isOver(session) ? { since, until: iso(sessionEndMs(session) + afterMs) } : { since };
}

/** All of them, newest first. */
function sessionsOf(story: Story | undefined): readonly Session[] {
  if (!story) return [];
  const beganMs = ({ startedAt, stateSince }: Session) => Date.parse(startedAt ?? stateSince);
  const all = story.record ? [story.record, ...story.sessions] : story.sessions;
  return all.toSorted((a, b) => beganMs(b) - beganMs(a));
}

/** The channel in the AWS console, in its partition and Region. */
function Console({ arn }: { readonly arn: string }): JSX.Element | null {
  const [, partition, service, region = ''] = arn.split(':');
  const host = {
    aws: 'console.aws.amazon.com',
    'aws-us-gov': 'console.amazonaws-us-gov.com',
    'aws-cn': 'console.amazonaws.cn',
  }[partition ?? ''];
  if (host === undefined || service !== 'ivs' || !/^[a-z0-9-]+$/.test(region)) return null;
  return (
    <a href={`https://${region}.${host}/ivs/channels/${arn}?region=${region}`} target="_blank" rel="noreferrer">
      AWS console
    </a>
  );
}

function Actions({
  arn,
  live,
  held,
  streamId,
}: {
  readonly arn: string;
  readonly live: boolean;
  readonly held: boolean;
  readonly streamId: string | undefined;
}): JSX.Element {
  const act = (kind: ActionKind) => () => askAction(kind, arn, kind === 'stop' ? streamId : undefined);
  return (
    <div class="actions">
      {held ? (
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
      <button type="button" disabled={!live} onClick={act('ads')}>
        Insert ad break
      </button>
      <button type="button" onClick={act('recording')}>
        Set recording
      </button>
      <button type="button" onClick={act('adConfiguration')}>
        Set ads
      </button>
      <button type="button" onClick={act('restriction')}>
        Restrict playback
      </button>
      <button type="button" onClick={act('policy')}>
        Edit policy
      </button>
      <button type="button" onClick={act('viewers')}>
        Revoke viewers
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
  tags = {},
}: {
  readonly row: LiveRow | undefined;
  readonly record: Session | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
}): JSX.Element {
  const at = now();
  const live = row?.state === 'live' || (row === undefined && record?.state === 'live');
  const told = record !== undefined && isOver(record) ? record : undefined;
  // The list learns of an end before the history is read again.
  const endedMs = told ? sessionEndMs(told) : row?.state === 'ended' || row?.state === 'failed' ? row.since : undefined;
  const over = !live && endedMs !== undefined;
  const started = record?.startedAt === undefined ? (live ? row?.started : undefined) : Date.parse(record.startedAt);
  const { next, hold } = row ?? {};
  return (
    <section class="panel" aria-labelledby="facts-title">
      <h2 id="facts-title">{over ? 'Last session' : 'Now'}</h2>
      <dl>
        <Fact name="Health since">{live && row?.health && <Since ms={row.since} at={at} />}</Fact>
        <Fact name={told?.endedAtLatest ? 'Ended at the latest' : 'Ended'}>
          {over && <Since ms={endedMs} at={at} />}
        </Fact>
        <Fact name="Why">{over && told && endText(told)}</Fact>
        <Fact name={live ? 'Live since' : 'Began'}>{started !== undefined && <Since ms={started} at={at} />}</Fact>
        <Fact name="Lasted">{over && told && lasted(told).replace('live for ', '')}</Fact>
        <Fact name="Viewers">{row?.viewers !== undefined && count(row.viewers)}</Fact>
        <Fact name="Recording">
          {row &&
            `${recordings[row.recording].toLowerCase()}${row.pending === undefined ? '' : `, pending: ${row.pending}`}`}
        </Fact>
        <Fact name="Ad break">{live && adBreakText(row?.ads, at)}</Fact>
        <Fact name="Key age">{row?.key !== undefined && duration(at - row.key)}</Fact>
        <Fact name={next?.more ? 'Next actions' : 'Next action'}>
          {next
            ? plannedOf({ next }).map((each) => <p key={each.id + each.text}>{plannedText(each, at)}</p>)
            : row || record
              ? 'none'
              : undefined}
        </Fact>
        <Fact name="Hold">
          {hold &&
            `${hold.reason} (${personText(hold.who)}${hold.until === undefined ? '' : `, ends in ${duration(hold.until - at)}`})`}
        </Fact>
        <Fact name="Stream">{record?.streamId}</Fact>
        <Fact name="Tags">
          {Object.keys(tags).length > 0 &&
            Object.entries(tags).map(([key, value]) => (
              <span key={key} class="tag">
                {key}={value}
              </span>
            ))}
        </Fact>
      </dl>
    </section>
  );
}

function adBreakText(ads: LiveRow['ads'], at: number): string {
  if (!ads) return '';
  const [from, to] = ads;
  if (at >= to) return `the last one ended ${duration(at - to)} ago`;
  return at < from ? `begins in ${duration(from - at)}` : `ends in ${duration(to - at)}`;
}

/** The kinds that are left out are in the address, as `hide=poll,job`. */
function Timeline({ loaded }: { readonly loaded: LoadedStream | undefined }): JSX.Element {
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
  readonly entry?: AuditEntry;
}

/** Everything about the channel in one order, newest first. */
function merged({ story, decisions, audit }: LoadedStream): readonly Line[] {
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
      kind: entry.outcome === 'requested' || entry.jobId === undefined ? ('audit' as const) : ('job' as const),
      key: `a${entry.id}`,
      atMs: Date.parse(entry.at),
      title: words(entry.what),
      text: auditText(entry),
      entry,
    })),
  ];
  return lines.toSorted((a, b) => b.atMs - a.atMs);
}

function TimelineLine({ line }: { readonly line: Line }): JSX.Element {
  const { kind, atMs, arrivedMs, title, text, decision, entry } = line;
  return (
    <li class={kind}>
      <Time ms={atMs} />
      <span class="kind">{kinds[kind]}</span>
      {decision ? (
        <div>
          <p>
            <Outcome name={decision.outcome} /> <b>{decision.rule}</b> {decision.words}{' '}
            <DecisionLink id={decision.id} />
          </p>
          <Became decision={decision} />
          <DecisionSteps decision={decision} />
        </div>
      ) : (
        <div>
          <p>
            <b>{title}</b> {text} {entry && <AuditLinks entry={entry} />}
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
