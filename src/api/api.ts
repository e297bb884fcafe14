// The HTTP API over all shards: each noun's routes with what they need. A new noun gets its routes file, and one line here.

import type { ConfigInForce } from '#config/in-force.ts';
import { modePatch } from '#config/mode-patch.ts';
import type { Control } from '#domain/control.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { DataSource } from '#domain/observation.ts';
import { notes } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger, Scrubber } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { packageRoot, packageVersion } from '#runtime/version.ts';
import type { ShardDirectory } from '#shard/directory.ts';
import type { FileAuthority } from '#shard/file-authority.ts';
import { silentAfterMs } from '#shard/settings.ts';
import type { Shard } from '#shard/shard.ts';
import { fleetState } from '#store/fleet-state.ts';
import { fleetCounts } from '#streams/fleet.ts';
import type { StandbyShard } from './activation.ts';
import { AdBreaks } from './ad-breaks.ts';
import { alertGauges } from './alert-gauges.ts';
import { Approvals } from './approvals.ts';
import type { ApiToken } from './auth.ts';
import { BulkActions } from './bulk-actions.ts';
import { escalations } from './escalation.ts';
import { Intents } from './intents.ts';
import { InventoryRefresh } from './inventory-refresh.ts';
import { Jobs } from './jobs.ts';
import { OperatorActions } from './operator-actions.ts';
import type { ReadinessCheck } from './ops.ts';
import { createPage } from './page.ts';
import { Receivers } from './receivers.ts';
import { actionRoutes } from './routes/actions.ts';
import { adBreakRoutes } from './routes/ad-breaks.ts';
import { alertRoutes } from './routes/alerts.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { auditRoutes } from './routes/audit.ts';
import { channelRoutes } from './routes/channels.ts';
import { configRoutes } from './routes/config.ts';
import { controlRoutes } from './routes/controls.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { eventRoutes } from './routes/events.ts';
import { intentRoutes } from './routes/intents.ts';
import { jobRoutes } from './routes/jobs.ts';
import { metadataRoutes } from './routes/metadata.ts';
import { quotaRoutes } from './routes/quota.ts';
import { receiverRoutes } from './routes/receivers.ts';
import { replicaRoutes } from './routes/replicas.ts';
import { reportRoutes } from './routes/reports.ts';
import { ruleRoutes } from './routes/rules.ts';
import { sampleRoutes } from './routes/samples.ts';
import { standbyRoutes } from './routes/standby.ts';
import { streamRoutes } from './routes/streams.ts';
import { triggerRoutes } from './routes/triggers.ts';
import { HttpServer } from './server.ts';
import type { ApiEnvironment } from './tokens.ts';

export interface ApiOptions {
  readonly shards: ShardDirectory<Shard>;
  readonly files: FileAuthority;
  readonly inForce: () => ConfigInForce;
  /** Whether the process was started as a standby. */
  readonly standby: boolean;
  readonly reload: (why: string) => Promise<ConfigInForce>;
  /** Told of what operators say to all automation. */
  readonly onControl?: ((control: Control) => void) | undefined;
  readonly env: ApiEnvironment;
  readonly tokens: readonly ApiToken[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scrubber: Scrubber;
}

export interface Api {
  readonly server: HttpServer;
  /** In the order in which they start. */
  readonly services: readonly Service[];
}

export function createApi(options: ApiOptions): Api {
  const { shards: directory, inForce, standby, reload, onControl, env, tokens, clock, logger, metrics } = options;
  const { settings } = inForce().config;
  const { all: shards, first } = directory;
  const state = fleetState(
    [first.state, ...shards.slice(1).map((shard) => shard.state)],
    (channelArn) => directory.findOfChannel(channelArn)?.state,
  );
  const shown = ({ config, ...rest }: ConfigInForce) => ({ hash: config.hash, ...rest });

  const standsBy = () => shards.some((shard) => shard.standsBy);
  const scrub = (text: string) => options.scrubber.scrubAnswer(text);
  const alerts = {
    shards: shards.map(alertShard),
    config: () => {
      const { loadedAtMs, triedAtMs, error } = inForce();
      return { loadedAtMs, triedAtMs, error };
    },
  };
  const page = createPage({
    shards,
    state,
    inForce,
    standsBy,
    alerts,
    depths: shards.flatMap(({ intake }) => intake.depth ?? []),
    packageRoot,
    version: packageVersion,
    logger,
    scrubber: options.scrubber,
  });
  const configHash = () => inForce().config.hash;
  const operators = { shards: directory, files: options.files, configHash };
  const bulks = new BulkActions({
    ...operators,
    mostOpen: () => inForce().config.settings.controls.max_bulk_actions,
  });
  const inventory = new InventoryRefresh(operators);
  const server = new HttpServer({
    ...env,
    tokens,
    maxBodyBytes: settings.http.max_body_bytes,
    requestsPerMinute: settings.http.requests_per_minute,
    trustedProxies: settings.http.trusted_proxies,
    connections: { max: settings.http.max_connections, maxHalfOpen: settings.http.max_half_open },
    clock,
    nowMs: () => first.state.nowMs(),
    version: packageVersion,
    metrics,
    logger: logger.child({ stage: 'http' }),
    standsBy,
    checks: { ...(standby ? { standby: standbyCheck(standsBy) } : {}), ...readinessChecks(shards, inForce) },
    scrub,
    onRefused: (refusal) =>
      first.state.transact((tx) => audit(tx, { ...refusal, outcome: 'refused', configHash: configHash() })),
    routes: [
      {
        prefix: '/v1',
        plugin: metadataRoutes({ shards: directory, clock }),
      },
      { prefix: '/v1', plugin: quotaRoutes({ quotas: shards.map((shard) => () => shard.ivs.quotaSnapshot()) }) },
      {
        prefix: '/v1',
        plugin: configRoutes({
          current: () => shown(inForce()),
          reload: async (who) => shown(await reload(`API (${who})`)),
        }),
      },
      {
        prefix: '/v1',
        plugin: streamRoutes({
          state,
          retentionMs: () => durationMs(inForce().config.settings.retention.sessions),
          silentSinceMs: (source) => {
            const since = shards.flatMap((shard) => shard.silentSinceMs(source) ?? []);
            return since.length === 0 ? undefined : Math.min(...since);
          },
        }),
      },
      { prefix: '/v1', plugin: sampleRoutes({ state, accounts: shards }) },
      { prefix: '/v1', plugin: reportRoutes({ state }) },
      { prefix: '/v1', plugin: channelRoutes({ state, refresh: inventory }) },
      {
        prefix: '/v1',
        plugin: ruleRoutes({
          shards: directory,
          patchOf: (rule) => modePatch(inForce().config, rule),
          onControl,
        }),
      },
      { prefix: '/v1', plugin: decisionRoutes({ shards: directory }) },
      {
        prefix: '/v1',
        plugin: controlRoutes({ shards: directory, limits: () => inForce().config.settings.controls, onControl }),
      },
      {
        prefix: '/v1',
        plugin: triggerRoutes({
          shards: directory,
          observe: (name, observation) => directory.named(name).pipeline.observe(observation),
        }),
      },
      { prefix: '/v1', plugin: actionRoutes({ actions: new OperatorActions(operators), bulks }) },
      { prefix: '/v1', plugin: jobRoutes({ jobs: new Jobs(operators) }) },
      { prefix: '/v1', plugin: adBreakRoutes({ adBreaks: new AdBreaks(operators) }) },
      { prefix: '/v1', plugin: intentRoutes({ intents: new Intents(operators) }) },
      { prefix: '/v1', plugin: approvalRoutes({ approvals: new Approvals({ shards: directory, onControl }) }) },
      { prefix: '/v1', plugin: alertRoutes(alerts) },
      { prefix: '/v1', plugin: receiverRoutes({ receivers: new Receivers(operators) }) },
      { prefix: '/v1', plugin: eventRoutes({ state }) },
      { prefix: '/v1', plugin: auditRoutes({ state, scrub }) },
      { prefix: '/v1', plugin: replicaRoutes({ shards }) },
      { prefix: '/v1', plugin: standbyRoutes({ shards: shards.map(standbyShard), standby }) },
      ...page.routes,
    ],
  });
  const escalation = escalations({
    shards: alerts.shards,
    config: alerts.config,
    settings: () => inForce().config.settings.alerts,
    externalUrl: settings.http.external_url,
    standsBy,
    clock,
    logger,
    random: Math.random,
  });
  const gauges = alertGauges({ ...alerts, metrics, clock, logger, random: Math.random });
  return { server, services: [page.feed, gauges, escalation, server] };
}

function alertShard(shard: Shard) {
  return {
    name: shard.name,
    state: shard.state,
    relay: shard.relay,
    silentSinceMs: (source: DataSource) => shard.silentSinceMs(source),
    deadLetters: () => {
      const { deadLetters, deadLettersSinceMs: sinceMs } = shard.intake.depth?.depth ?? {};
      return deadLetters && sinceMs !== undefined ? { count: deadLetters, sinceMs } : undefined;
    },
  };
}

function standbyShard(shard: Shard): StandbyShard {
  return {
    name: shard.name,
    region: shard.region,
    get standsBy() {
      return shard.standsBy;
    },
    state: shard.state,
    get ruleset() {
      return shard.ruleset;
    },
    hasQueue: shard.intake.consumer !== undefined,
  };
}

/** A standby is alive and not ready: no probe restarts it, and no load balancer sends it work. */
function standbyCheck(standsBy: () => boolean): ReadinessCheck {
  return async () => {
    if (standsBy()) throw new AppError('STANDBY', 'stands by until it is activated');
  };
}

/** What /readyz asks: Redis answers, the first full poll is done, the event queue is read. */
function readinessChecks(
  shards: readonly Shard[],
  inForce: () => ConfigInForce,
): Readonly<Record<string, ReadinessCheck>> {
  const checks: Record<string, ReadinessCheck> = {};
  for (const shard of shards) {
    const named = (name: string) => (shards.length === 1 ? name : `${name} ${shard.name}`);
    checks[named('redis')] = () => shard.state.probe();
    checks[named('poll')] = async () => {
      if (fleetCounts(shard.state.view).lastFullPollMs === undefined) {
        throw new AppError('POLL_FAILED', 'no full poll has been completed yet');
      }
      // The API and the page are needed most while IVS does not answer: a gap does not make this replica unready.
      const sinceMs = shard.silentSinceMs('poll');
      return sinceMs === undefined ? undefined : `no complete poll since ${new Date(sinceMs).toISOString()}`;
    };
    if (!shard.intake.consumer) continue;
    checks[named('sqs')] = async () => {
      const silentMs = silentAfterMs(inForce().config.settings).events;
      const readAtMs = shard.state.view.get(notes.queueRead)?.atMs;
      if (readAtMs === undefined) throw new AppError('SQS_UNREACHABLE', 'the event queue has not been read yet');
      if (shard.state.nowMs() - readAtMs > silentMs) {
        throw new AppError('SQS_UNREACHABLE', `the event queue was last read at ${new Date(readAtMs).toISOString()}`);
      }
    };
  }
  return checks;
}
