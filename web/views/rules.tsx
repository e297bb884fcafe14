// The rules: what each does in a sentence, its present state, and what it did in the last day.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RuleLine } from '#api/live/status.ts';
import { api, Problem } from '../api.ts';
import { count, duration } from '../format.ts';
import { Glyph, Outcome } from '../parts/signs.tsx';
import { Empty, ProblemLine, Table } from '../parts/text.tsx';
import { attempt } from '../parts/toasts.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href } from '../route.ts';
import { mayOperate, now, status } from '../store.ts';
import { useResource } from '../use-resource.ts';
import type { WouldHave } from '../would-have.ts';
import { Accounts } from './accounts.tsx';
import { DryRun, type Patch } from './dry-run.tsx';
import { ResetRule } from './needs.tsx';

const modes: Readonly<Record<RuleLine['mode'], string>> = { enforce: 'Enforcing', dry_run: 'Dry run', off: 'Off' };

type Counts = Readonly<Record<string, number>>;

/** `GET /v1/rules/{rule}`, the part that is shown here. */
interface RuleDay {
  readonly last24h?: Counts;
  readonly wouldHave?: WouldHave;
  readonly patch?: Patch;
}

/** The last day of a rule is counted when that rule is requested alone: at most this many rules are requested. */
const mostCounted = 60;

export function RulesView(): JSX.Element {
  const rules = status.value?.rules ?? [];
  const config = status.value?.config;
  const [days, setDays] = useState<Readonly<Record<string, RuleDay>>>({});
  const { problem } = useResource(
    'rules',
    async (signal) => {
      for (const name of inOrder(status.peek()?.rules ?? []).slice(0, mostCounted)) {
        try {
          const day = await api<RuleDay>('GET', `/v1/rules/${encodeURIComponent(name)}`, { signal });
          setDays((known) => ({ ...known, [name]: day }));
        } catch (error) {
          // The configuration was reloaded meanwhile, without this rule.
          if (!(error instanceof Problem && error.status === 404)) throw error;
        }
      }
      return true;
    },
    { everyMs: 60_000 },
  );
  return (
    <div class="page">
      <ViewHead title="Rules">
        {mayOperate() && (
          <button
            type="button"
            onClick={() =>
              void attempt('The configuration was reloaded.', () => api('POST', '/v1/config/reload', { body: {} }))
            }
          >
            Reload configuration
          </button>
        )}
      </ViewHead>
      {config && (
        <p class="dim">
          Configuration <code>{config.hash.slice(0, 12)}</code>, loaded {duration(now() - config.loadedAtMs)} ago
        </p>
      )}
      {config?.error !== undefined && (
        <p class="problem" role="alert">
          The file on disk is not valid, so the configuration above stays in force: {config.error}
        </p>
      )}
      <ProblemLine problem={problem} />
      {rules.length === 0 ? (
        <Empty title="No rules">The configuration has none.</Empty>
      ) : (
        <div class="cards">
          {rules.map((rule) => (
            <Rule key={rule.name} rule={rule} day={days[rule.name]} isAsked={problem === undefined} />
          ))}
        </div>
      )}
      <Accounts />
      <Replicas />
    </div>
  );
}

/** Names of the rules, those in dry run first: people come to see what they would have done. */
function inOrder(rules: readonly RuleLine[]): readonly string[] {
  return rules.toSorted((a, b) => Number(b.mode === 'dry_run') - Number(a.mode === 'dry_run')).map(({ name }) => name);
}

/** Replicas with a recent sign of life; one whose configuration differs from the one in force here stands out. */
function Replicas(): JSX.Element | null {
  const { replicas = [], config } = status.value ?? {};
  if (replicas.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="replicas-title">
      <h2 id="replicas-title">Replicas</h2>
      <Table
        names={['Replica', 'Role', 'Version', 'Configuration', 'Running for', 'Clock']}
        rows={replicas.map(({ id, role, version, configHash, startedAtMs, clockOffsetSeconds }) => [
          id,
          role,
          version,
          <code key="config" class={configHash === config?.hash ? '' : 'bad'}>
            {configHash.slice(0, 7)}
          </code>,
          duration(now() - startedAtMs),
          clockOffsetSeconds === undefined
            ? 'not known'
            : clockOffsetSeconds === 0
              ? 'right'
              : `${Math.abs(clockOffsetSeconds)} s ${clockOffsetSeconds > 0 ? 'ahead' : 'behind'}`,
        ])}
      />
    </section>
  );
}

function Rule({
  rule,
  day,
  isAsked,
}: {
  readonly rule: RuleLine;
  readonly day: RuleDay | undefined;
  /** Whether the last day may still arrive. */
  readonly isAsked: boolean;
}): JSX.Element {
  return (
    <section class={`panel rule${rule.capped ? ' critical' : ''}`} aria-label={`Rule ${rule.name}`}>
      <div class="split">
        <h2>{rule.name}</h2>
        <span class={`chip mode ${rule.mode}`}>{modes[rule.mode]}</span>
      </div>
      {rule.description !== undefined && <p>{rule.description}</p>}
      <p class={rule.description === undefined ? '' : 'dim'}>{rule.sentence}</p>
      <p class="doing">
        <Doing rule={rule} />
      </p>
      <LastDay counts={day?.last24h} />
      {rule.mode === 'dry_run' && !day && isAsked && <p class="dim">Reading what it would have done…</p>}
      {rule.mode === 'dry_run' && day?.wouldHave && <DryRun rule={rule.name} did={day.wouldHave} patch={day.patch} />}
      <p class="links">
        <a href={href('decisions', '', { rule: rule.name })}>Decisions</a>
        {rule.capped && mayOperate() && <ResetRule rule={rule.name}>Start again</ResetRule>}
      </p>
    </section>
  );
}

function Doing({ rule }: { readonly rule: RuleLine }): JSX.Element {
  const at = now();
  if (rule.mode === 'off')
    return (
      <span class="part">
        <Glyph shape="ended" />
        Off
      </span>
    );
  const idle = !rule.capped && rule.firing + rule.heldBack + rule.pending + rule.cooling === 0;
  return (
    <>
      {rule.capped && (
        <span class="part">
          <Glyph shape="failed" />
          <b>Capped: </b>stopped until a person starts it again
        </span>
      )}
      {rule.firing > 0 && (
        <span class="part">
          <Glyph shape="firing" />
          <b>Firing for {count(rule.firing)}</b>
        </span>
      )}
      {rule.heldBack > 0 && (
        <span class="part">
          <Glyph shape="pause" />
          Held back on {count(rule.heldBack)}
        </span>
      )}
      {rule.pending > 0 && (
        <span class="part">
          <Glyph shape="waiting" />
          <b>Pending </b>
          {duration(Math.min(rule.forMs, at - (rule.pendingSinceMs ?? at)))} of {duration(rule.forMs)}
          {rule.pending > 1 ? `, ${count(rule.pending)} in all` : ''}
        </span>
      )}
      {rule.cooling > 0 && (
        <span class="part">
          <Glyph shape="pause" />
          Cooling {count(rule.cooling)}, {duration((rule.coolingUntilMs ?? at) - at)} at most
        </span>
      )}
      {idle && (
        <span class="part">
          <Glyph shape="healthy" />
          Idle
        </span>
      )}
    </>
  );
}

function LastDay({ counts }: { readonly counts: Counts | undefined }): JSX.Element | null {
  if (!counts) return null;
  const entries = Object.entries(counts).filter(([, value]) => typeof value === 'number' && value > 0);
  if (entries.length === 0) return <p class="dim">Nothing decided in the last 24 hours.</p>;
  return (
    <p class="chips">
      <span class="dim">Last 24 hours</span>
      {entries.map(([name, value]) => (
        <Outcome key={name} name={name} times={value} />
      ))}
    </p>
  );
}
