// The operator's page over all shards: its files, its live stream and the view of the queues, with what each needs.
import { join } from 'node:path';
import type { ConfigInForce } from '#config/in-force.ts';
import type { Decision, JobResult, JournalEntry } from '#domain/decision.ts';
import type { OldPictureOf } from '#domain/picture.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { QueueDepth } from '#intake/events/queue-depth.ts';
import { readQuotaHour } from '#ivs/quota-hour.ts';
import { newestDecisions, resultsOf } from '#journal/query.ts';
import { decisionWords } from '#journal/words.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger, Scrubber } from '#runtime/logger.ts';
import { silentAfterMs } from '#shard/settings.ts';
import type { Shard } from '#shard/shard.ts';
import { arnsOf } from '#streams/queries.ts';
import type { AccountLine } from './account-lines.ts';
import type { AlertSources } from './alert-sources.ts';
import type { AlertsElsewhere } from './alerts-elsewhere.ts';
import { LiveFeed } from './live/feed.ts';
import { gatherExtras, gatherStatus } from './live/gather.ts';
import { quotaStatus } from './live/quota.ts';
import type { LiveSources } from './live/sources.ts';
import type { ActivityLine, BatchLine, QueueLine } from './live/status.ts';
import { liveRoutes } from './routes/live.ts';
import { pageRoutes } from './routes/page.ts';
import { queueBoard } from './routes/queues.ts';
import type { HttpRoutes } from './server.ts';

/** At most this many batches are listed. */
const mostBatches = 20;

export interface PageOptions {
  readonly shards: readonly Shard[];
  /** For the whole fleet. */
  readonly state: SharedState;
  readonly inForce: () => ConfigInForce;
  /** Whether this is a standby that was not activated. */
  readonly standsBy: () => boolean;
  /** Set while Redis cannot be used. */
  readonly picture: () => OldPictureOf | undefined;
  /** Of the shards that have an event queue. */
  readonly depths: readonly QueueDepth[];
  readonly alerts: AlertSources;
  /** If other processes carry accounts. */
  readonly alertsElsewhere: AlertsElsewhere | undefined;
  /** If there are several accounts. */
  readonly accounts: (() => readonly AccountLine[]) | undefined;
  /** The folder that holds package.json. */
  readonly packageRoot: string;
  readonly version: string;
  readonly logger: Logger;
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
    isOld: () => options.picture() !== undefined,
    logger: logger.child({ stage: 'page' }),
  });
  const queues = shards.flatMap((shard) => shard.queues.all());
  return {
    feed,
    routes: [
      { prefix: '/v1', plugin: liveRoutes({ feed, version }) },
      { prefix: '', plugin: pageRoutes({ directory: join(packageRoot, 'dist', 'web') }), access: 'public' },
      {
        prefix: '/queues',
        plugin: queueBoard({ queues, basePath: '/queues', scrub: (text) => scrubber.scrub(text) }),
        access: 'browser',
      },
    ],
  };
}

function sourcesOf(options: PageOptions): LiveSources {
  const { shards, state, inForce, standsBy, picture, depths, alerts, alertsElsewhere, accounts } = options;
  let latencyMs: number | undefined;
  let pingedAt = Number.NEGATIVE_INFINITY;
  const ping = async () => {
    const begin = performance.now();
    if (begin - pingedAt < 2_000) return latencyMs;
    pingedAt = begin;
    const answers = await Promise.all(shards.map((shard) => shard.store.ping().catch(() => undefined)));
    latencyMs = answers.every((answer) => answer === 'PONG') ? performance.now() - begin : Number.POSITIVE_INFINITY;
    return latencyMs;
  };
  return {
    state,
    ruleset: () => inForce().config.ruleset,
    standsBy,
    alerts,
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
            redrives: depths.every(({ depth }) => depth?.redrives ?? true),
          }),
        }),
    redisLatencyMs: ping,
    picture,
    replicas: () => {
      const known = shards.filter(({ oldPicture }) => oldPicture === undefined);
      return known.length === 0 ? undefined : known.flatMap(({ watch }) => watch.replicas);
    },
    ...(accounts ? { accounts } : {}),
    ...(alertsElsewhere ? { alertsElsewhere: behind(10_000, async () => (await alertsElsewhere.open()).alerts) } : {}),
    quota: async () => {
      const answers = await Promise.allSettled(shards.map((shard) => shard.ivs.quotaSnapshot()));
      const readings = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
      if (readings.length === 0) throw answers.find((answer) => answer.status === 'rejected')?.reason as unknown;
      const viewOf = (name: string) => shards.find((shard) => shard.name === name)!.state.view;
      return quotaStatus(readings, (shard, channelIds) => arnsOf(viewOf(shard), channelIds));
    },
    quotaHour: seldom(5_000, () => readQuotaHour(state, shards.length)),
    queues: () => queueLines(shards),
    batches: () => batchLines(shards),
    activity: recentActivity(state),
  };
}

/** Returns what `read` last returned, refreshed at most every `ms`; undefined until it succeeds once. */
function seldom<T>(ms: number, read: () => Promise<T>): () => Promise<T | undefined> {
  let last: T | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - readAt < ms) return last;
    readAt = performance.now();
    last = await read().catch(() => last);
    return last;
  };
}

/** As `seldom`, for slow reads: returns the last result and never waits for a new one. */
function behind<T>(ms: number, read: () => Promise<T>): () => Promise<T | undefined> {
  let last: T | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let isReading = false;
  return async () => {
    if (isReading || performance.now() - readAt < ms) return last;
    isReading = true;
    void read()
      .then((found) => (last = found))
      .catch(() => undefined)
      .finally(() => {
        isReading = false;
        readAt = performance.now();
      });
    return last;
  };
}

function total(depths: readonly QueueDepth[], value: (each: QueueDepth) => number | undefined): number | undefined {
  const known = depths.map(value).filter((found) => found !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, found) => sum + found, 0);
}

/** Of the accounts whose Redis answers; undefined: none does. */
async function queueLines(shards: readonly Shard[]): Promise<QueueLine[] | undefined> {
  const answers = await Promise.allSettled(
    shards.flatMap((shard) =>
      shard.queues.all().map(async (queue) => {
        const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
        const of = (name: string) => counts[name] ?? 0;
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
  const lines = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  return lines.length === 0 ? undefined : lines;
}

/** The newest batches of every account; undefined while Redis gives no answer. */
async function batchLines(shards: readonly Shard[]): Promise<BatchLine[] | undefined> {
  const lists = await Promise.all(shards.map((shard) => shard.metadata.newest(mostBatches))).catch(() => undefined);
  return lists
    ?.flat()
    .toSorted((x, y) => y.startedAtMs - x.startedAtMs)
    .slice(0, mostBatches)
    .map(({ batchId, state, lane, channels, items, startedAtMs, finishedAtMs, etaSeconds, counts, failures, who }) => ({
      id: batchId,
      state,
      lane,
      channels,
      items,
      startedMs: startedAtMs,
      finishedMs: finishedAtMs,
      etaSeconds,
      counts,
      failures,
      by: who,
    }));
}

function recentActivity(state: Pick<SharedState, 'readLog'>): () => Promise<ActivityLine[]> {
  const read = seldom(1_000, () => activityLines(state));
  return async () => (await read()) ?? [];
}

/** Recent actions with their results. */
async function activityLines(state: Pick<SharedState, 'readLog'>): Promise<ActivityLine[]> {
  const newest = await newestDecisions(state, { limit: 60 });
  const jobIds = newest.flatMap(({ entry }) => decisionOfEntry(entry).jobs.map(({ jobId }) => jobId));
  const oldestMs = newest.at(-1)?.entry.atMs ?? 0;
  const results = await resultsOf(state, new Set(jobIds), { sinceMs: oldestMs, readAtMost: 1_000 });
  return newest.map(({ id, entry }) => activityLine(id, entry, results));
}

function decisionOfEntry(entry: JournalEntry): Decision {
  return 'summary' in entry ? entry.example : entry;
}

/** `put_metadata, stop_stream (skipped)`: a rule's action was requested, but that does not mean that it was done. */
function actionsText({ jobs, mode }: Decision, results: ReadonlyMap<string, JobResult>): string {
  return jobs
    .map(({ jobId, action }) => {
      const { outcome, delivery } = (mode === 'enforce' ? results.get(jobId) : undefined) ?? {};
      if (outcome === undefined || outcome === 'done') return action;
      return `${action} (${delivery && outcome === 'skipped' ? 'not delivered' : outcome})`;
    })
    .join(', ');
}

function activityLine(id: string, entry: JournalEntry, results: ReadonlyMap<string, JobResult>): ActivityLine {
  const one = decisionOfEntry(entry);
  const actions = actionsText(one, results);
  const count = 'summary' in entry ? `, ${entry.count} channels` : '';
  return {
    id,
    atMs: entry.atMs,
    rule: entry.rule,
    outcome: entry.outcome,
    text: `${actions || decisionWords(one)}${count}`,
    ...('summary' in entry || one.channelArn === undefined ? {} : { arn: one.channelArn }),
  };
}
