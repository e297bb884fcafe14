// The accounts of the configuration and which processes carry each, if there are several; and the streams of one account, whoever carries
// it.
import type { JSX } from 'preact';
import type { AccountLine } from '#api/account-lines.ts';
import { api, query } from '../api.ts';
import { carriedText } from '../carried.ts';
import { count, duration } from '../format.ts';
import { State } from '../parts/signs.tsx';
import { Empty, ProblemLine, Skeleton, StreamLink, Table } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href, route, setParams } from '../route.ts';
import type { Session } from '../sessions.ts';
import { now, status } from '../store.ts';
import { useResource } from '../use-resource.ts';

const words: Readonly<Record<AccountLine['state'], string>> = {
  carried: 'Carried',
  partly: 'In part',
  not_carried: 'By nobody',
  unknown: 'Not known',
};

const parts = { intake: 'nobody notices', worker: 'nobody acts' } as const;

export function Accounts(): JSX.Element | null {
  const { accounts = [] } = status.value ?? {};
  if (accounts.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="accounts-title">
      <h2 id="accounts-title">Accounts</h2>
      <Table
        names={['Account', 'Region', 'Carried', 'By']}
        rows={accounts.map(({ name, region, state, missing, here, carriers }) => [
          <a key="name" href={href('account', name)}>
            {name}
          </a>,
          region,
          <span key="state" class={state === 'carried' ? '' : 'bad'}>
            {words[state]}
            {missing.map(({ part, sinceMs }) => `, ${parts[part]} for ${duration(now() - sinceMs)}`)}
          </span>,
          <ul key="by" class="plain">
            {carriers.map(({ id, host, role }) => (
              <li key={id}>
                {host ?? id} <span class="dim">{host === undefined ? role : `${id}, ${role}`}</span>
              </li>
            ))}
            {here && carriers.length === 0 && <li class="dim">this process</li>}
          </ul>,
        ])}
      />
    </section>
  );
}

const pageSize = 100;

interface Streams {
  readonly counts: { readonly live: number; readonly starving: number; readonly channels: number };
  readonly streams: readonly Session[];
  readonly next?: string;
}

/** Live streams of one account, a page at a time: nothing else is known here of an account that others carry. */
export function AccountView({ name }: { readonly name: string }): JSX.Element {
  const { after = '' } = route.value.params;
  const line = status.value?.accounts?.find((each) => each.name === name);
  const asked = query({ account: name, limit: pageSize, after });
  const { value, problem } = useResource(
    `account${asked}`,
    (signal) => api<Streams>('GET', `/v1/streams${asked}`, { signal }),
    { everyMs: 15_000 },
  );
  return (
    <div class="page">
      <ViewHead title={`Account ${name}`} />
      {line && (
        <p class="dim">
          {line.region}. {carriedText(line)}
        </p>
      )}
      <ProblemLine problem={problem} />
      {!value && !problem && <Skeleton />}
      {value && (
        <section class="panel over-list" aria-labelledby="account-streams">
          <div class="split wrap">
            <h2 id="account-streams">Live streams</h2>
            <p class="dim">
              {count(value.counts.live)} live of {count(value.counts.channels)} channels, {count(value.counts.starving)}{' '}
              starving
            </p>
          </div>
          {value.streams.length === 0 && (
            <Empty title="No live stream">{after === '' ? 'Nothing is live there.' : 'There are no more.'}</Empty>
          )}
          <ol class="sessions">
            {value.streams.map((session) => (
              <li key={session.streamId} data-arn={session.channelArn}>
                <State of={{ state: session.state, health: session.health }} />
                <StreamLink arn={session.channelArn} name={session.channelName} />
                <span class="dim">
                  {session.startedAt !== undefined && `live for ${duration(now() - Date.parse(session.startedAt))}`}
                </span>
                <span>{session.viewerCount === undefined ? '' : `${count(session.viewerCount)} viewers`}</span>
              </li>
            ))}
          </ol>
          {value.next !== undefined && (
            <button type="button" onClick={() => setParams({ after: value.next })}>
              Next page
            </button>
          )}
        </section>
      )}
    </div>
  );
}
