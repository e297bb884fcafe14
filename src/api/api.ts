// The HTTP API over all shards: each noun's routes with what they need. A new noun gets a routes file, and one line here.

import type { FastifyPluginAsync } from 'fastify';
import type { ConfigInForce } from '#config/in-force.ts';
import { modePatch } from '#config/mode-patch.ts';
import type { Carried } from '#domain/carrier.ts';
import type { By, Control } from '#domain/control.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import type { DataSource } from '#domain/observation.ts';
import { pictureOf } from '#domain/picture.ts';
import { notes } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger, Scrubber } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { packageRoot, packageVersion } from '#runtime/version.ts';
import type { ShardDirectory } from '#shard/directory.ts';
import type { DistantShard } from '#shard/distant.ts';
import type { FileAuthority } from '#shard/file-authority.ts';
import { briefOutageMs } from '#shard/old-picture.ts';
import { silentAfterMs } from '#shard/settings.ts';
import type { Shard } from '#shard/shard.ts';
import { slackAccess } from '#shard/slack-access.ts';
import { fleetState } from '#store/fleet-state.ts';
import { fleetCounts } from '#streams/fleet.ts';
import { accountLines } from './account-lines.ts';
import { AdBreaks } from './ad-breaks.ts';
import { alertGauges } from './alert-gauges.ts';
import { AlertLines } from './alert-lines.ts';
import { alertLog } from './alert-log.ts';
import type { RedisOutageOf } from './alert-sources.ts';
import { AlertsElsewhere } from './alerts-elsewhere.ts';
import { Approvals } from './approvals.ts';
import type { ApiToken } from './auth.ts';
import { BulkActions } from './bulk-actions.ts';
import { logControl } from './control-line.ts';
import { escalations } from './escalation.ts';
import { Intents } from './intents.ts';
import { InventoryRefresh } from './inventory-refresh.ts';
import { Jobs } from './jobs.ts';
import { fromCopy } from './old-answers.ts';
import { OperatorActions } from './operator-actions.ts';
import type { ReadinessCheck } from './ops.ts';
import { createPage } from './page.ts';
import { Reach } from './reach.ts';
import { Receivers } from './receivers.ts';
import { accountRoutes } from './routes/accounts.ts';
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
import { slackRoutes } from './routes/slack.ts';
import { standbyRoutes } from './routes/standby.ts';
import { streamRoutes } from './routes/streams.ts';
import { triggerRoutes } from './routes/triggers.ts';
import { HttpServer } from './server.ts';
import { shiftSummaries } from './shift-summary.ts';
import { SlackButtons } from './slack-buttons.ts';
import type { ApiEnvironment } from './tokens.ts';

export interface ApiOptions {
  readonly shards: ShardDirectory<Shard, DistantShard>;
  /** Who carries which accounts, if there are several. */
  readonly carried?: (() => readonly Carried[]) | undefined;
  readonly files: FileAuthority;
  readonly inForce: () => ConfigInForce;
  /** Whether the process was started as a standby. */
  readonly standby: boolean;
  readonly reload: (why: string) => Promise<ConfigInForce>;
  /** Called when an operator pauses or resumes all automation. */
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
  const { shards: directory, carried, inForce, standby, reload, env, tokens, clock, logger, metrics } = options;
  const { settings } = inForce().config;
  const { all: shards, first } = directory;
  const state = fleetState(
    [first.state, ...shards.slice(1).map((shard) => shard.state)],
    (channelArn) => directory.findOfChannel(channelArn)?.state,
  );
  const shown = ({ config, ...rest }: ConfigInForce) => ({ hash: config.hash, ...rest });

  const lines = new AlertLines({ logger: logger.child({ stage: 'alerts' }), clock });
  const controlLogger = logger.child({ stage: 'controls' });
  const onControl = (control: Control) => {
    logControl(controlLogger, control);
    options.onControl?.(control);
  };
  const onActivated = (by: By) => logControl(controlLogger, { kind: 'activate', ...by });
  const standsBy = () => shards.some((shard) => shard.standsBy);
  const scrub = (text: string) => options.scrubber.scrubAnswer(text);
  const alerts = {
    shards: shards.map(alertShard),
    isOne: directory.isOne,
    carried,
    outages: () => redisOutages(shards),
    config: () => {
      const { loadedAtMs, triedAtMs, error } = inForce();
      return { loadedAtMs, triedAtMs, error };
    },
    onAcknowledged: (...taken: Parameters<AlertLines['acknowledged']>) => lines.acknowledged(...taken),
  };
  const picture = () =>
    pictureOf(
      shards.flatMap(({ name, oldPicture }) => (oldPicture ? [{ name, picture: oldPicture }] : [])),
      shards.every(({ oldPicture }) => oldPicture !== undefined),
    );
  const nowMs = () => first.state.nowMs();
  const copied = (plugin: FastifyPluginAsync) => ({ prefix: '/v1', plugin: fromCopy(picture, nowMs, plugin) });
  const accounts = () => accountLines({ shards: directory, carried });
  const reach = new Reach(directory);
  const others = reach.all.filter(({ isHere }) => !isHere);
  const alertsElsewhere = others.length > 0 && carried ? new AlertsElsewhere({ shards: others, carried }) : undefined;
  const page = createPage({
    shards,
    accounts: directory.isOne ? undefined : accounts,
    alertsElsewhere,
    state,
    inForce,
    standsBy,
    picture,
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
  const approvals = new Approvals({ shards: directory, onControl });
  const slack = new SlackButtons({
    ...alerts,
    elsewhere: alertsElsewhere,
    standsBy,
    approvals,
    receivers: () => inForce().config.ruleset.receivers,
    approvers: () => inForce().config.settings.approvers,
    access: slackAccess({
      config: inForce().config,
      metrics,
      scrubber: options.scrubber,
      nowMs,
    }),
    scrub,
    logger: logger.child({ stage: 'slack' }),
  });
  const server = new HttpServer({
    ...env,
    tokens,
    maxBodyBytes: settings.http.max_body_bytes,
    requestsPerMinute: settings.http.requests_per_minute,
    trustedProxies: settings.http.trusted_proxies,
    authProxy: settings.http.auth_proxy,
    externalUrl: settings.http.external_url,
    connections: { max: settings.http.max_connections, maxHalfOpen: settings.http.max_half_open },
    clock,
    nowMs,
    version: packageVersion,
    metrics,
    logger: logger.child({ stage: 'http' }),
    standsBy,
    checks: { ...(standby ? { standby: standbyCheck(standsBy) } : {}), ...readinessChecks(directory, inForce) },
    scrub,
    onRefused: (refusal) =>
      first.state.transact((tx) => audit(tx, { ...refusal, outcome: 'refused', configHash: configHash() })),
    routes: [
      copied(metadataRoutes({ shards: directory, clock })),
      { prefix: '/v1', plugin: quotaRoutes({ quotas: shards.map((shard) => () => shard.ivs.quotaSnapshot()) }) },
      {
        prefix: '/v1',
        plugin: configRoutes({
          current: () => shown(inForce()),
          reload: async (who) => shown(await reload(`API (${who})`)),
        }),
      },
      copied(
        streamRoutes({
          state,
          reach,
          retentionMs: () => durationMs(inForce().config.settings.retention.sessions),
          silentSinceMs: (source) => {
            const since = shards.flatMap((shard) => shard.silentSinceMs(source) ?? []);
            return since.length === 0 ? undefined : Math.min(...since);
          },
        }),
      ),
      copied(sampleRoutes({ state, accounts: shards, reach })),
      copied(carriedHere(directory, reportRoutes({ state }))),
      copied(carriedHere(directory, channelRoutes({ state, refresh: inventory }))),
      copied(
        ruleRoutes({
          shards: directory,
          patchOf: (rule) => modePatch(inForce().config, rule),
          onControl,
        }),
      ),
      copied(decisionRoutes({ shards: directory })),
      copied(controlRoutes({ shards: directory, limits: () => inForce().config.settings.controls, onControl })),
      {
        prefix: '/v1',
        plugin: triggerRoutes({ shards: directory }),
      },
      copied(actionRoutes({ actions: new OperatorActions(operators), bulks })),
      copied(jobRoutes({ jobs: new Jobs(operators) })),
      copied(adBreakRoutes({ adBreaks: new AdBreaks(operators) })),
      copied(intentRoutes({ intents: new Intents(operators) })),
      copied(approvalRoutes({ approvals })),
      { prefix: '/v1', plugin: slackRoutes({ slack }), access: 'public' },
      copied(alertRoutes({ ...alerts, elsewhere: alertsElsewhere })),
      copied(receiverRoutes({ receivers: new Receivers(operators) })),
      copied(eventRoutes({ state })),
      copied(auditRoutes({ state, reach, scrub })),
      copied(replicaRoutes({ shards })),
      copied(standbyRoutes({ shards, elsewhere: others, standby, onActivated })),
      copied(accountRoutes({ accounts })),
      ...page.routes,
    ],
  });
  const escalation = escalations({
    ...alerts,
    elsewhere: alertsElsewhere,
    settings: () => inForce().config.settings.alerts,
    externalUrl: settings.http.external_url,
    standsBy,
    clock,
    logger,
    random: Math.random,
  });
  const gauges = alertGauges({ ...alerts, metrics, clock, logger, random: Math.random });
  const summary = shiftSummaries({
    ...alerts,
    isFirst: () => (inForce().config.document.accounts?.[0]?.name ?? first.name) === first.name,
    others,
    elsewhere: alertsElsewhere,
    standsBy,
    settings: () => inForce().config.settings.alerts.shift_summary,
    externalUrl: settings.http.external_url,
    clock,
    logger,
    random: Math.random,
  });
  const seen = alertLog({ ...alerts, lines, clock, logger, random: Math.random });
  return { server, services: [page.feed, gauges, escalation, seen, summary, server] };
}

/** Routes that need something only the carrying process has. For a channel of another account they say which process that is. */
function carriedHere(directory: ShardDirectory<Shard, DistantShard>, plugin: FastifyPluginAsync): FastifyPluginAsync {
  return async (app) => {
    app.addHook('preHandler', async ({ params }) => {
      const { channelArn } = params as { readonly channelArn?: string };
      if (channelArn !== undefined && directory.findElsewhere(channelArn)) directory.ofChannel(channelArn);
    });
    await app.register(plugin);
  };
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

/** A standby is alive but not ready: no probe restarts it, and no load balancer sends it work. */
function standbyCheck(standsBy: () => boolean): ReadinessCheck {
  return async () => {
    if (standsBy()) throw new AppError('STANDBY', 'stands by until it is activated');
  };
}

function hasOneRedis(shards: readonly Shard[]): boolean {
  return new Set(shards.map(({ redis }) => redis.address)).size === 1;
}

/** Each server that cannot be used, with its accounts. */
function redisOutages(shards: readonly Shard[]): RedisOutageOf[] {
  const byServer = Map.groupBy(shards, ({ redis }) => redis.address);
  return Array.from(byServer, ([address, ofServer]): RedisOutageOf[] => {
    const [first] = ofServer
      .flatMap(({ redisTrouble }) => redisTrouble ?? [])
      .toSorted((a, b) => a.sinceMs - b.sinceMs);
    if (!first || ofServer[0]!.state.nowMs() - first.sinceMs < briefOutageMs) return [];
    const accounts = ofServer.map(({ name }) => name);
    return [{ ...first, address, setting: ofServer[0]!.redis.setting, accounts, isOnly: byServer.size === 1 }];
  }).flat();
}

/** What /readyz checks: Redis answers, the first complete sweep is done, the event queue is read. */
function readinessChecks(
  { all: shards, isOne }: ShardDirectory<Shard>,
  inForce: () => ConfigInForce,
): Readonly<Record<string, ReadinessCheck>> {
  const checks: Record<string, ReadinessCheck> = {};
  for (const shard of shards) {
    const add = (name: string, check: ReadinessCheck) => {
      checks[isOne ? name : `${name} ${shard.name}`] = unlessItsRedisAlone(shards, shard, check);
    };
    add('redis', () => shard.state.probe());
    add('poll', async () => {
      if (fleetCounts(shard.state.view).lastFullPollMs === undefined) {
        throw new AppError('POLL_FAILED', 'no sweep has completed yet');
      }
      // The API and the page are needed most while IVS does not answer, so a gap does not make this replica unready.
      const sinceMs = shard.silentSinceMs('poll');
      return sinceMs === undefined ? undefined : `no complete sweep since ${new Date(sinceMs).toISOString()}`;
    });
    if (!shard.intake.consumer) continue;
    add('sqs', async () => {
      const silentMs = silentAfterMs(inForce().config.settings).events;
      const readAtMs = shard.state.view.get(notes.queueRead)?.atMs;
      if (readAtMs === undefined) throw new AppError('SQS_UNREACHABLE', 'the event queue has not been read yet');
      if (shard.state.nowMs() - readAtMs > silentMs) {
        throw new AppError('SQS_UNREACHABLE', `the event queue was last read at ${new Date(readAtMs).toISOString()}`);
      }
    });
  }
  return checks;
}

/** If one of several Redis servers does not answer, only its own accounts stop: the API for the others must stay ready. */
function unlessItsRedisAlone(shards: readonly Shard[], shard: Shard, check: ReadinessCheck): ReadinessCheck {
  if (hasOneRedis(shards)) return check;
  const others = shards.filter(({ redis }) => redis.address !== shard.redis.address);
  /** True from its outage until the check succeeds again, because recovery takes a while after Redis is back. */
  let isExcused = false;
  return async (signal) => {
    const late = new AppError('REDIS_UNREACHABLE', 'no answer in time');
    const silent = new Promise<never>((_, reject) => setTimeout(() => reject(late), 1_500).unref());
    try {
      const remark = await Promise.race([Promise.resolve(check(signal)), silent]);
      isExcused = false;
      return remark;
    } catch (error) {
      isExcused ||= shard.redisTrouble !== undefined || error === late;
      if (!isExcused || !others.some(({ redisTrouble }) => redisTrouble === undefined)) throw error;
      return `its Redis (${shard.redis.setting}) cannot be used, or was away a moment ago, and it stands still: ${messageOf(error)}`;
    }
  };
}
