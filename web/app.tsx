// The frame around the views: who is signed in, what is shown, the top bar. A view is drawn exactly as long as the address names it.
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { personText } from '#api/person.ts';
import { below, keepQueuesOpen, savedToken, saveToken, whenUnasked } from './api.ts';
import { askPause, askResume, showKeys } from './dialogs/controls.tsx';
import { askActivate } from './dialogs/standby.tsx';
import { count, duration, plural, shortDuration, stamp } from './format.ts';
import { listenToKeys } from './keys.ts';
import { follow } from './live.ts';
import { watchAlerts } from './notices.ts';
import { closeDialog, DialogHost, valuesOf } from './parts/dialog.tsx';
import { Glyph, type Shape } from './parts/signs.tsx';
import { Toasts, toastSeldom } from './parts/toasts.tsx';
import { followPreferences } from './preferences.ts';
import { followAddress, go, href, type Route, route } from './route.ts';
import {
  caller,
  connection,
  isPaused,
  mayOperate,
  now,
  refusal,
  staleReason,
  startClock,
  status,
  take,
  version,
} from './store.ts';
import { useTitle } from './title.ts';
import { AccountView } from './views/accounts.tsx';
import { AlertsView } from './views/alerts.tsx';
import { ApprovalsView, OneApproval } from './views/approvals.tsx';
import { AuditView } from './views/audit.tsx';
import { OneBatch } from './views/batch.tsx';
import { BatchesView } from './views/batches.tsx';
import { OneDecision } from './views/decision.tsx';
import { DecisionsView } from './views/decisions.tsx';
import { FleetView } from './views/fleet.tsx';
import { OneIncident } from './views/incident.tsx';
import { OneJob } from './views/job.tsx';
import { ActivityPanel, NeedsPanel } from './views/needs.tsx';
import type { Show } from './views/order.ts';
import { QuotaView } from './views/quota.tsx';
import { RulesView } from './views/rules.tsx';
import { Runbook } from './views/runbook.tsx';
import { SilencesPanel } from './views/silences.tsx';
import { StreamView } from './views/stream.tsx';
import { StreamsView } from './views/streams.tsx';
import { TrustPill } from './views/trust.tsx';

/** Entries of the navigation. */
const pages: readonly { readonly path: string; readonly title: string }[] = [
  { path: '', title: 'Streams' },
  { path: 'decisions', title: 'Decisions' },
  { path: 'approvals', title: 'Approvals' },
  { path: 'history', title: 'History' },
  { path: 'rules', title: 'Rules' },
  { path: 'quota', title: 'Quota' },
  { path: 'batches', title: 'Metadata' },
  { path: 'audit', title: 'Audit' },
];

/** The navigation entry of the view of a single thing. */
const parents: Readonly<Record<string, string>> = {
  decision: 'decisions',
  approval: 'approvals',
  batch: 'batches',
  job: 'audit',
  account: 'rules',
};

const views: Readonly<Record<string, (where: Route) => JSX.Element>> = {
  '': () => <StreamsView />,
  stream: ({ arg }) => <StreamView arn={arg} />,
  decisions: () => <DecisionsView />,
  approvals: () => <ApprovalsView />,
  approval: ({ arg }) => <OneApproval id={arg} />,
  alerts: ({ arg }) => <AlertsView id={arg} />,
  history: () => <FleetView />,
  rules: () => <RulesView />,
  account: ({ arg }) => <AccountView name={arg} />,
  quota: () => <QuotaView />,
  batches: () => <BatchesView />,
  audit: () => <AuditView />,
  decision: ({ arg }) => <OneDecision id={arg} />,
  batch: ({ arg }) => <OneBatch id={arg} />,
  job: ({ arg }) => <OneJob id={arg} />,
  incident: ({ arg }) => <OneIncident id={arg} />,
  runbook: ({ arg }) => <Runbook section={arg} />,
};

/** Counts tokens that were entered: each is tried again. */
const sessions = signal(0);

export function App(): JSX.Element {
  useLayoutEffect(() => {
    whenUnasked(toastSeldom);
    const ends = [startClock(), followAddress(), listenToKeys(), followPreferences(), watchAlerts()];
    return () => {
      for (const end of ends) end();
    };
  }, []);
  useEffect(() => follow({ event: take, state: tellConnection }), [sessions.value]);
  useEffect(() => (connection.value === 'open' ? keepQueuesOpen() : undefined), [connection.value]);
  useTitle();
  // A dialog belongs to its view; a sign-in in between does not close it.
  const identity = identityOf(route.value);
  useLayoutEffect(() => closeDialog, [identity]);
  return (
    <>
      {connection.value === 'denied' ? <SignIn /> : status.value ? <Frame /> : <Connecting />}
      <DialogHost />
      <Toasts />
    </>
  );
}

function tellConnection(state: 'open' | 'lost' | 'denied', why = ''): void {
  refusal.value = why;
  connection.value = state;
}

function Connecting(): JSX.Element {
  return (
    <main class="center">
      <p class="dim">Connecting…</p>
    </main>
  );
}

function SignIn(): JSX.Element {
  const wrong = savedToken() !== undefined;
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  return (
    <main class="center">
      <form
        class="login panel"
        onSubmit={(event) => {
          event.preventDefault();
          saveToken(valuesOf(event.currentTarget)['token']?.trim());
          connection.value = 'connecting';
          sessions.value += 1;
        }}
      >
        <h1>ivs-autopilot</h1>
        <label for="token">API token</label>
        <input
          type="password"
          id="token"
          name="token"
          required
          autocomplete="current-password"
          aria-describedby="token-help"
          ref={input}
        />
        <p class="dim" id="token-help">
          The value of AUTOPILOT_API_TOKEN, or a token of your own. It stays in this tab until you close it; the queues
          stay open in this browser for up to twelve hours.
        </p>
        {(wrong || refusal.value !== '') && (
          <p class="problem" role="alert">
            {refusal.value || 'This token is not accepted.'}
          </p>
        )}
        <button type="submit" class="primary">
          Open
        </button>
      </form>
    </main>
  );
}

/** Another view, or the same view of another thing, is drawn again. Choices within a view are not part of this. */
function identityOf({ page, arg }: Route): string {
  // Sections of the run book are one view.
  return page === 'runbook' ? page : `${views[page] ? page : ''}/${arg}`;
}

/** The parts that are always shown, and the view. */
function Frame(): JSX.Element {
  const where = route.value;
  const view = views[where.page] ?? views['']!;
  const page = views[where.page] ? where.page : '';
  const identity = identityOf(where);
  const reason = staleReason.value;
  const onStreams = page === '';
  // At once: later it would undo a person's scrolling.
  useLayoutEffect(() => scrollTo(0, 0), [identity]);
  const top = useRef<HTMLElement>(null);
  // What sticks below the top bar needs its height: a narrow window breaks its lines.
  useLayoutEffect(() => {
    const { style } = document.documentElement;
    const measured = new ResizeObserver(() => style.setProperty('--top', `${top.current?.offsetHeight ?? 0}px`));
    measured.observe(top.current!);
    return () => measured.disconnect();
  }, []);
  useEffect(() => {
    document.documentElement.dataset['stale'] = String(reason !== undefined);
    document.documentElement.dataset['paused'] = String(isPaused.value);
  });
  return (
    <div class="open">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        Skip to content
      </a>
      <header class="top" ref={top}>
        <TopBar page={page} />
      </header>
      <div role="alert">
        {reason !== undefined && (
          <p class="stale">
            <Glyph shape="failed" />
            {reason}
          </p>
        )}
      </div>
      <div class={`layout${onStreams ? '' : ' alone'}${where.params['q'] || where.params['show'] ? ' chosen' : ''}`}>
        <main id="main" tabIndex={-1} data-page={page || 'streams'} key={identity}>
          {view(where)}
        </main>
        {onStreams && (
          <aside
            aria-label="Needs you, silences, lately"
            class={(status.value?.needs ?? []).length === 0 ? 'calm' : ''}
          >
            <NeedsPanel />
            <SilencesPanel />
            <ActivityPanel />
          </aside>
        )}
      </div>
      <footer class="dim">
        <span>ivs-autopilot {version.value}</span>
        {caller.value && caller.value.name !== 'loopback' && (
          <span>
            signed in as {caller.value.name}, {caller.value.role}
          </span>
        )}
        <span>times are local: {Intl.DateTimeFormat().resolvedOptions().timeZone}</span>
        <a href={href('runbook')}>Run book</a>
        <a href={below('/docs')}>API</a>
        <button type="button" class="link" onClick={showKeys}>
          Keys: ?
        </button>
      </footer>
    </div>
  );
}

function TopBar({ page }: { readonly page: string }): JSX.Element {
  const nav = useRef<HTMLElement>(null);
  // A narrow window has no room for all entries: the current one is scrolled into view.
  useLayoutEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [page]);
  const { counts, config, standby = false } = status.value ?? {};
  return (
    <>
      <div class="line">
        <a class="brand" href="#/">
          <img src="icon.svg" alt="" width={28} height={28} />
          ivs-autopilot
        </a>
        {standby && <StandbyChip />}
        {(!standby || isPaused.value) && <Mode />}
        {!standby && <TrustPill />}
        <span class="grow" />
        {config && (
          <span class="dim config" title={`Configuration ${config.hash}, loaded ${stamp(config.loadedAtMs)}`}>
            config <code>{config.hash.slice(0, 7)}</code>, {shortDuration(now() - config.loadedAtMs)} ago
          </span>
        )}
        <PauseButton />
      </div>
      <div class="line">
        <div class="counts" role="group" aria-label="Show only">
          <Stat show="live" text="Live" value={counts?.live} shape="healthy" />
          <Stat show="starving" text="Starving" value={counts?.starving} shape="starving" />
          <Stat show="unknown" text="Unknown" value={counts?.unknown} shape="unknown" />
          <Stat show="held" text="Held" value={counts?.held} shape="pause" />
        </div>
        <nav aria-label="Pages" ref={nav}>
          {pages.map(({ path, title }) => (
            <a
              key={path}
              href={href(path)}
              aria-current={page === path ? 'page' : parents[page] === path ? 'true' : undefined}
            >
              {title}
            </a>
          ))}
          <a href={below('/queues')}>Queues</a>
        </nav>
      </div>
    </>
  );
}

/** Shows only one kind of streams, or all again; the search text stays. */
function Stat({
  show,
  text,
  value = 0,
  shape,
}: {
  readonly show: Show;
  readonly text: string;
  readonly value: number | undefined;
  readonly shape: Shape;
}): JSX.Element {
  const { page, params } = route.value;
  const onStreams = views[page] === undefined || page === '';
  const pressed = onStreams && params['show'] === show;
  return (
    <button
      type="button"
      class={`stat ${value > 0 ? show : 'none'}`}
      aria-pressed={pressed}
      onClick={() => {
        const { q, sort } = onStreams ? params : {};
        go(href('', '', { q, sort, show: pressed ? '' : show }));
      }}
    >
      <Glyph shape={shape} />
      <b>{count(value)}</b>
      <span>{text}</span>
    </button>
  );
}

function StandbyChip(): JSX.Element {
  return (
    <>
      <span class="chip mode standby">
        <Glyph shape="pause" />
        Standby: does nothing until it is activated
      </span>
      {mayOperate() && (
        <button type="button" onClick={() => void askActivate()}>
          Activate
        </button>
      )}
    </>
  );
}

function Mode(): JSX.Element {
  const { pause, rules = [] } = status.value ?? {};
  if (pause)
    return (
      <span class="chip mode paused" title={pause.reason}>
        <Glyph shape="pause" />
        Paused {duration(now() - pause.sinceMs)} by {personText(pause.who)}: {pause.reason}
        {pause.onlyHere && '; only this replica knows, until Redis can be written'}
      </span>
    );
  const enforcing = rules.filter(({ mode }) => mode === 'enforce').length;
  const dry = rules.filter(({ mode }) => mode === 'dry_run').length;
  if (enforcing === 0)
    return (
      <a class="chip mode dry_run" href={href('rules')}>
        <Glyph shape="unknown" />
        {dry > 0 ? `Dry run: ${plural(dry, 'rule')} only ${dry === 1 ? 'watches' : 'watch'}` : 'No rule is in force'}
      </a>
    );
  return (
    <a class="chip mode enforce" href={href('rules')}>
      <Glyph shape="ok" />
      Enforcing {count(enforcing)}
      {dry > 0 ? `, ${count(dry)} dry run` : ''}
    </a>
  );
}

function PauseButton(): JSX.Element {
  if (!mayOperate()) return <span class="chip">{caller.value?.name ?? ''}: looking only</span>;
  return isPaused.value ? (
    <button type="button" class="primary" onClick={askResume}>
      Resume
    </button>
  ) : (
    <button type="button" class="danger pause" onClick={askPause}>
      <Glyph shape="pause" />
      Pause all
    </button>
  );
}
