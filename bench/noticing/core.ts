// The daemon's way from an observation to committed records and decisions, without the parts around it.
import type { Ruleset } from '#domain/rule.ts';
import { decideAll, decideDue } from '#rules/decide.ts';
import { createLogger, type Logger, Scrubber } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { connectRedis, disconnectRedis, type Redis } from '#runtime/redis.ts';
import { Pipeline } from '#src/pipeline.ts';
import { RedisState } from '#store/shared-state.ts';
import { applyObservation, splitObservation } from '#streams/apply.ts';
import { intentsDue } from '#workers/intents.ts';

export interface Core extends AsyncDisposable {
  readonly pipeline: Pipeline;
  readonly state: RedisState;
  readonly redis: Redis;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Commits and decisions so far. */
  readonly done: { commits: number; decisions: number };
}

const day = 86_400_000;

export async function core({
  redisUrl,
  prefix,
  ruleset,
}: {
  redisUrl: string;
  prefix: string;
  ruleset: Ruleset;
}): Promise<Core> {
  const logger = createLogger({ level: 'error', scrubber: new Scrubber() });
  const metrics = createMetrics();
  const redis = connectRedis({ url: redisUrl, role: 'store', logger });
  await redis.connect();
  const state = new RedisState({ redis, prefix, metrics });
  const done = { commits: 0, decisions: 0 };
  const options = { startedAtMs: 0 };
  const pipeline = new Pipeline({
    state,
    ruleset,
    stages: {
      split: splitObservation,
      apply: (tx, observation) => applyObservation(tx, observation, { retentionMs: 60 * day }),
      decide: (tx, changes, rules) => decideAll(tx, changes, rules, options),
      decideDue: (tx, rules) => decideDue(tx, rules, options),
      release: intentsDue,
      detectGaps: () => [],
    },
    onCommitted: ({ decisions }) => {
      done.commits += 1;
      done.decisions += decisions.length;
    },
  });
  return {
    pipeline,
    state,
    redis,
    metrics,
    logger,
    done,
    async [Symbol.asyncDispose]() {
      await pipeline.drain();
      await disconnectRedis(redis);
    },
  };
}
