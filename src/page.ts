// The operator's page over all shards: its files, its live stream and the view of the queues, with what each needs.
import { join } from 'node:path';
import type { JournalEntry } from '#domain/decision.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { QueueDepth } from '#intake/events/queue-depth.ts';
import { liveRoutes } from '#intake/http/routes/live.ts';
import { pageRoutes } from '#intake/http/routes/page.ts';
import { queueBoard } from '#intake/http/routes/queues.ts';
import type { HttpRoutes } from '#intake/http/server.ts';
import { LiveFeed } from '#intake/live/feed.ts';
import { gatherExtras, gatherStatus, type LiveSources } from '#intake/live/gather.ts';
import { QuotaWatch } from '#intake/live/quota.ts';
import type { ActivityLine, BatchLine, QueueLine } from '#intake/live/status.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger, Scrubber } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { ConfigInForce } from './app.ts';
import type { Shard } from './shard.ts';
import { silentAfterMs } from './shard-settings.ts';

export interface PageOptions {
  readonly shards: readonly Shard[];
  /** Of the whole fleet. */
  readonly state: SharedState;
  readonly inForce: () => ConfigInForce;
  /** Of the shards that have a queue. */
  readonly depths: readonly QueueDepth[];
  /** The folder that holds package.json. */
  readonly packageRoot: string;
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scrubber: Scrubber;
}

export interface Page {
  readonly routes: readonly HttpRoutes[];
  /** Starts before the server, stops after it. */
  readonly feed: Service;
}

export function createPage(options: PageOptions): Page {
  const { shards, state, packageRoot, version, logger, scrubber } = options;
  const sources = sourcesOf(options);
  const feed = new LiveFeed({
    state,
    extras: () => gatherExtras(sources),
    status: () => gatherStatus(sources),
    logger: logger.child({ stage: 'page' }),
  });
  const queues = shards.flatMap((shard) => shard.queues.all());
  return {
    feed,
    routes: [
      { prefix: '/v1', plugin: liveRoutes({ feed, version }) },
      { prefix: '', plugin: pageRoutes({ directory: join(packageRoot, 'web') }), access: 'public' },
      {
        prefix: '/queues',
        plugin: queueBoard({ queues, basePath: '/queues', scrub: (text) => scrubber.scrub(text) }),
        access: 'browser',
      },
    ],
  };
}

function sourcesOf({ shards, state, inForce, depths, metrics }: PageOptions): LiveSources {
  let throttles = 0;
  const quota = new QuotaWatch({
    quotas: shards.map((shard) => () => shard.ivs.quotaSnapshot()),
    throttles: () => throttles,
  });
  let latencyMs: number | undefined;
  let pingedAtMs = 0;
  const ping = async () => {
    if (Date.now() - pingedAtMs < 2_000) return;
    pingedAtMs = Date.now();
    const begin = performance.now();
    const answers = await Promise.all(shards.map((shard) => shard.store.ping().catch(() => undefined)));
    latencyMs = answers.every((answer) => answer === 'PONG') ? performance.now() - begin : Number.POSITIVE_INFINITY;
  };
  return {
    state,
    ruleset: () => inForce().config.ruleset,
    config: () => {
      const { config, loadedAtMs, error } = inForce();
      return { hash: config.hash, loadedAtMs, error };
    },
    views: shards.map((shard) => shard.state.view),
    silentAfterMs: () => silentAfterMs(inForce().config.settings),
    ...(depths.length === 0
      ? {}
      : {
          events: () => ({
            waiting: total(depths, ({ depth }) => depth?.waiting),
            deadLetters: total(depths, ({ depth }) => depth?.deadLetters),
          }),
        }),
    redisLatencyMs: () => latencyMs,
    quota: async () => {
      const { values } = await metrics.ivsThrottles.get();
      throttles = values.reduce((sum, { value }) => sum + value, 0);
      await ping();
      return quota.read(state.nowMs());
    },
    queues: () => queueLines(shards),
    batches: () => batchLines(shards),
    activity: async () => {
      const newest = await state.readLog<JournalEntry>('journal', { limit: 60 });
      return newest.map(({ id, entry }) => activityLine(id, entry));
    },
  };
}

function total(depths: readonly QueueDepth[], value: (each: QueueDepth) => number | undefined): number | undefined {
  const known = depths.map(value).filter((found) => found !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, found) => sum + found, 0);
}

async function queueLines(shards: readonly Shard[]): Promise<QueueLine[]> {
  const lines = await Promise.all(
    shards.flatMap((shard) =>
      shard.queues.all().map(async (queue) => {
        const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed').catch(() => undefined);
        const of = (name: string) => counts?.[name] ?? 0;
        return {
          name: shards.length === 1 ? queue.name : `${shard.name} ${queue.name}`,
          waiting: of('waiting'),
          active: of('active'),
          delayed: of('delayed'),
          failed: of('failed'),
        };
      }),
    ),
  );
  return lines;
}

/** The newest batches; their ids are in the jobs that announce them. */
async function batchLines(shards: readonly Shard[]): Promise<BatchLine[]> {
  const lines = await Promise.all(
    shards.map(async (shard) => {
      const jobs = await shard.queues
        .get('metadata-fanout')
        .getJobs(['active', 'waiting', 'delayed', 'completed'], 0, 11)
        .catch(() => []);
      const ids = new Set(jobs.flatMap((job) => (job?.data as { batchId?: string } | undefined)?.batchId ?? []));
      return Promise.all([...ids].map((id) => shard.metadata.progress(id).catch(() => undefined)));
    }),
  );
  return lines
    .flat()
    .filter((batch) => batch !== undefined)
    .toSorted((a, b) => b.startedAtMs - a.startedAtMs)
    .slice(0, 12)
    .map(({ batchId, state, startedAtMs, etaSeconds, counts }) => ({
      id: batchId,
      state,
      startedAt: new Date(startedAtMs).toISOString(),
      etaSeconds,
      counts,
    }));
}

function activityLine(id: string, entry: JournalEntry): ActivityLine {
  const one = 'summary' in entry ? entry.example : entry;
  const actions = one.jobs.map(({ action }) => action).join(', ');
  const count = 'summary' in entry ? `, ${entry.count} channels` : '';
  return {
    id,
    atMs: entry.atMs,
    rule: entry.rule,
    outcome: entry.outcome,
    text: `${actions || entry.reason}${count}`,
    ...('summary' in entry || one.channelArn === undefined ? {} : { arn: one.channelArn }),
  };
}
