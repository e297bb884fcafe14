// Ended sessions: found by name, with when they ended and why.
import type { JSX } from 'preact';
import { endText } from '#api/person.ts';
import { api, query } from '../api.ts';
import { count, duration } from '../format.ts';
import { State } from '../parts/signs.tsx';
import { Empty, ProblemLine, Skeleton, StreamLink, Time } from '../parts/text.tsx';
import { lasted, type Session, sessionEndMs } from '../sessions.ts';
import { now, rowOfChannel } from '../store.ts';
import { useResource } from '../use-resource.ts';

const page = 100;

/** @param props `text`: words of name, id or tags; `among`: below a list of live streams, where an empty result is not shown */
export function EndedSessions({
  text,
  among = false,
}: {
  readonly text: string;
  readonly among?: boolean;
}): JSX.Element | null {
  const asked = query({ state: 'over', text, limit: page });
  const { value: sessions, problem } = useResource(`streams${asked}`, async (signal) => {
    const { streams } = await api<{ streams: readonly Session[] }>('GET', `/v1/streams${asked}`, { signal });
    return streams;
  });
  if (among && (!sessions || sessions.length === 0)) return null;
  const at = now();
  return (
    <section class="panel over-list" aria-labelledby="ended-title">
      <div class="split wrap">
        <h2 id="ended-title">Ended and failed{text === '' ? '' : ` that match “${text}”`}</h2>
        {sessions && (
          <p class="dim">
            {sessions.length < page ? count(sessions.length) : `the newest ${count(page)}; search for more`}
          </p>
        )}
      </div>
      <ProblemLine problem={problem} />
      {!sessions && !problem && <Skeleton />}
      {sessions?.length === 0 && (
        <Empty title="No past sessions">
          {text === '' ? 'Sessions appear here when they end, and stay for the retention.' : 'Change the filter above.'}
        </Empty>
      )}
      <ol class="sessions">
        {sessions?.map((session) => (
          <li key={session.streamId} data-arn={session.channelArn}>
            <State of={session} />
            <StreamLink arn={session.channelArn} name={session.channelName} />
            <span>
              {session.endedAtLatest && 'by '}
              <Time ms={sessionEndMs(session)} />
              <span class="dim">
                , {session.endedAtLatest && 'at least '}
                {duration(at - sessionEndMs(session))} ago
              </span>
            </span>
            <span class="dim">{lasted(session)}</span>
            <span>
              {endText(session)}
              <LiveAgain arn={session.channelArn} at={at} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** That an encoder has come back since. */
function LiveAgain({ arn, at }: { readonly arn: string; readonly at: number }): JSX.Element | null {
  const row = rowOfChannel(arn);
  if (row?.state !== 'live') return null;
  return <span class="dim">; live again{row.started === undefined ? '' : ` for ${duration(at - row.started)}`}</span>;
}
