// Redis: does it answer, does it keep data, how far away is it, and does its clock agree with ours?
import { errorCatalog } from '#domain/error-catalog.ts';
import { failureOf, type Redis } from '#runtime/redis.ts';
import { readRedisFacts, redisProblems } from '#runtime/redis-check.ts';
import type { RedisClock } from '#runtime/redis-clock.ts';
import { type Check, green, notChecked, red, type Verdict } from './check.ts';

const slowMs = 20;
const clockToleranceMs = 2_000;

/**
 * @param redis connected, or failing fast
 * @param probeKey a key that the daemon's user may write
 * @param setting the setting with its address, for messages
 */
export function redisChecks(redis: Redis, probeKey: string, clock: RedisClock, setting = 'REDIS_URL'): Check[] {
  return [
    {
      name: 'Redis',
      async run() {
        let facts: Awaited<ReturnType<typeof readRedisFacts>>;
        try {
          await redis.set(probeKey, '1', 'PX', 1);
          // A server that only answers reads is not enough.
          await redis.eval("return redis.call('EXISTS', KEYS[1])", 1, probeKey);
          facts = await readRedisFacts(redis);
        } catch (error) {
          const { code, message } = failureOf(redis, setting, error);
          const section = code === 'REDIS_REFUSES' ? 'redis-refuses' : 'redis-does-not-answer';
          return red(message, `${errorCatalog[code].remedy} See docs/operations.md#${section}.`);
        }
        const problems = redisProblems(facts);
        if (problems.length > 0)
          return problems.map((problem) => red(problem.replace(/: [^:]*$/, ''), sentence(problem)));
        const told =
          facts.maxmemoryPolicy === undefined ? 'does not show its settings' : 'noeviction, append-only file';
        return green(`version ${facts.version}, ${told}`);
      },
    },
    {
      name: 'Redis latency',
      run: unlessAway(redis, setting, async () => {
        const timesMs: number[] = [];
        for (let turn = 0; turn < 9; turn += 1) {
          const begin = performance.now();
          await redis.ping();
          timesMs.push(performance.now() - begin);
        }
        const medianMs = timesMs.toSorted((a, b) => a - b)[4]!;
        const text = `${medianMs.toFixed(1)} ms for a round trip`;
        return medianMs <= slowMs
          ? green(text)
          : red(text, `Move the daemon closer to Redis: above ${slowMs} ms metadata cannot use its whole quota.`);
      }),
    },
    {
      name: 'Clock',
      run: unlessAway(redis, setting, async () => {
        await clock.measure(
          () => redis.time(),
          ([seconds, micros]) => Number(seconds) * 1000 + Number(micros) / 1000,
        );
        const aheadMs = Math.round(clock.skew()?.ms ?? 0);
        const text = `${aheadMs} ms against Redis`;
        return Math.abs(aheadMs) <= clockToleranceMs
          ? green(text)
          : red(text, 'Run a time service (chrony, systemd-timesyncd) on both machines.');
      }),
    },
  ];
}

/** One outage is one fault: what needs Redis is not checked then. */
function unlessAway(redis: Redis, setting: string, run: () => Promise<Verdict>): () => Promise<Verdict> {
  return () => run().catch((error: unknown) => notChecked(failureOf(redis, setting, error)));
}

function sentence(problem: string): string {
  const todo = problem.slice(problem.lastIndexOf(': ') + 2);
  return `${todo[0]?.toUpperCase() ?? ''}${todo.slice(1)}.`;
}
