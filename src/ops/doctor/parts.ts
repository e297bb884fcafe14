// Puts the checks together that need connections, and closes these when all is asked.
import type { Config } from '#config/load.ts';
import { durationMs } from '#domain/duration.ts';
import { createIvsShard } from '#ivs/shard.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { connectRedis, keyPrefix } from '#runtime/redis.ts';
import { actionUses } from '../config-uses.ts';
import { eventPathClients } from '../event-path-aws.ts';
import { operationsFor } from '../permissions.ts';
import { type AccountFound, accountCheck } from './account.ts';
import { type Check, skipped } from './check.ts';
import { eventPathChecks } from './event-path.ts';
import { permissionCheck } from './permissions.ts';
import { redisChecks } from './redis.ts';

export { daemonChecks } from './daemon.ts';

export interface DoctorOptions {
  readonly config: Config;
  /** Undefined: nothing is asked of AWS. */
  readonly region: string | undefined;
  readonly redisUrl: string | undefined;
  readonly namespace: string;
}

export function doctorParts({ config, region, redisUrl, namespace }: DoctorOptions): { checks: Check[] } & Disposable {
  const { settings, ruleset } = config;
  const logger = createLogger({ level: 'silent', scrubber: new Scrubber() });
  const closing: (() => void)[] = [];
  const checks: Check[] = [];
  const account = settings.accounts?.[0];

  const redis = redisUrl === undefined ? undefined : connectRedis({ url: redisUrl, role: 'limiter', logger });
  if (redis) {
    closing.push(() => redis.disconnect());
    checks.push({
      name: 'Redis',
      // The connection is made first, so that the checks after it are answered or fail at once.
      run: async () => {
        await redis.connect().catch(() => undefined);
        return [];
      },
    });
    checks.push(...redisChecks(redis));
  }
  if (region !== undefined) {
    const found: AccountFound = { account: undefined };
    checks.push(accountCheck({ region, found }));
    const clients = eventPathClients({ region });
    closing.push(() => clients[Symbol.dispose]());
    checks.push(...eventPathChecks({ clients, queueUrl: account?.queue_url ?? settings.events.queue_url }));
    checks.push({
      name: 'Permission',
      run: async (signal) => {
        if (!redis || redis.status !== 'ready')
          return skipped('not asked: no call is made past the limiter, which needs Redis');
        if (found.account === undefined) return skipped('not asked: the account is not known');
        const shard = createIvsShard({
          name: account?.name ?? 'main',
          region,
          redis,
          keyPrefix: keyPrefix(namespace, account?.name ?? 'main'),
          ...(account?.assume_role_arn === undefined ? {} : { assumeRoleArn: account.assume_role_arn }),
          onRedisDown: 'fail',
          requestTimeoutMs: durationMs(settings.limits.request_timeout),
          clock: systemClock,
          logger,
          metrics: createMetrics(),
          random: Math.random,
        });
        await shard.start();
        try {
          const operations = operationsFor(actionUses(ruleset));
          return await permissionCheck({ client: shard.client, operations, region, account: found.account }).run(
            signal,
          );
        } finally {
          await shard.stop();
        }
      },
    });
  }
  return {
    checks,
    [Symbol.dispose]() {
      for (const close of closing) close();
    },
  };
}
