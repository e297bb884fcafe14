// The daemon's path from an observation to committed records and decisions, and to jobs in their queue, without the sources of
// observations.
import type { Config } from '#config/load.ts';
import type { Settings } from '#config/settings.ts';
import { durationMs } from '#domain/duration.ts';
import { kinds } from '#domain/state-registry.ts';
import { Queues } from '#jobs/queues.ts';
import { Relay } from '#jobs/relay.ts';
import { decideAll, decideAnswer, decideDue } from '#rules/decide.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLogger, type Logger, Scrubber } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { connectRedis, disconnectRedis, type Redis } from '#runtime/redis.ts';
import { logMaxAgeMs, silentAfterMs } from '#shard/settings.ts';
import { type Committed, Pipeline, type PipelineStages } from '#src/pipeline.ts';
import { RedisState } from '#store/shared-state.ts';
import { applyObservation, splitObservation } from '#streams/changes.ts';
import { detectGaps } from '#streams/gaps.ts';
import { intentsDue } from '#workers/intents.ts';

export interface Core extends AsyncDisposable {
  readonly pipeline: Pipeline;
  readonly state: RedisState;
  readonly queues: Queues;
  readonly redis: Redis;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** So far. */
  readonly done: { commits: number; decisions: number };
}

/** The daemon's stages, as in a replica that has been running for a long time. */
export function stagesOf(settings: Settings, { hasEventQueue }: { readonly hasEventQueue: boolean }): PipelineStages {
  const options = { startedAtMs: 0 };
  const silent = silentAfterMs(settings);
  return {
    split: splitObservation,
    apply: (tx, observation) =>
      applyObservation(tx, observation, { retentionMs: durationMs(settings.retention.sessions) }),
    decide: (tx, changes, rules) => decideAll(tx, changes, rules, options),
    decideDue: (tx, rules) => decideDue(tx, rules, options),
    decideAnswer: (tx, said, rules) => decideAnswer(tx, said, rules, options),
    release: intentsDue,
    detectGaps: (tx) =>
      detectGaps(tx, {
        pollSilentAfterMs: silent.poll,
        eventsSilentAfterMs: hasEventQueue ? silent.events : undefined,
      }),
  };
}

export async function core({
  redisUrl,
  prefix,
  config: { settings, ruleset },
  hasEventQueue,
  onCommitted = () => undefined,
}: {
  redisUrl: string;
  prefix: string;
  config: Config;
  /** Without a source, its silence is not a gap. */
  hasEventQueue: boolean;
  onCommitted?: (committed: Committed) => void;
}): Promise<Core> {
  const logger = createLogger({ level: 'error', scrubber: new Scrubber() });
  const metrics = createMetrics();
  const redis = connectRedis({ url: redisUrl, role: 'store', logger });
  const queueRedis = connectRedis({ url: redisUrl, role: 'queue', logger });
  await redis.connect();
  const state = new RedisState({ redis, prefix, metrics, logMaxAgeMs: (log) => logMaxAgeMs(settings, log) });
  const queues = new Queues({ redis: queueRedis, prefix });
  const relay = new Relay({ state, queues, clock: systemClock, logger, random: Math.random });
  await relay.start();
  const done = { commits: 0, decisions: 0 };
  const pipeline = new Pipeline({
    state,
    ruleset,
    stages: stagesOf(settings, { hasEventQueue }),
    onCommitted: (committed) => {
      done.commits += 1;
      done.decisions += committed.decisions.length;
      if (state.view.count(kinds.job) > 0) relay.nudge();
      onCommitted(committed);
    },
  });
  return {
    pipeline,
    state,
    queues,
    redis,
    metrics,
    logger,
    done,
    async [Symbol.asyncDispose]() {
      await pipeline.drain();
      await relay.stop();
      await queues.close();
      await Promise.all([redis, queueRedis].map(disconnectRedis));
    },
  };
}
