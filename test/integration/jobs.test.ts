import { describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { Queues } from '#jobs/queues.ts';
import { Relay } from '#jobs/relay.ts';
import { systemClock } from '#runtime/clock.ts';
import { connectRedis } from '#runtime/redis.ts';
import { RedisState } from '#store/shared-state.ts';
import { eventually, quietLogger, testMetrics } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';
import { type JobHandler, WorkerHost } from '#workers/host.ts';

async function setup(handler: JobHandler, { graceMs = 2_000 }: { graceMs?: number } = {}) {
  const scope = await redisScope();
  const logger = quietLogger();
  const metrics = testMetrics();
  const queueConnection = connectRedis({ url: scope.url, role: 'queue', logger });
  await queueConnection.connect();
  const queues = new Queues({ redis: queueConnection, prefix: scope.prefix });
  const state = new RedisState({ redis: scope.connect(), prefix: scope.prefix, metrics });
  const relay = new Relay({ state, queues, clock: systemClock, logger, random: Math.random, sweepMs: 50 });
  const host = new WorkerHost({
    connect: scope.connect,
    prefix: scope.prefix,
    queues: { notifications: { concurrency: 5 }, 'poll-all': { concurrency: 1 } },
    handlers: { notify: handler, webhook: handler, 'poll-all': handler },
    clock: systemClock,
    logger,
    metrics,
    random: () => 0,
    graceMs,
  });
  return {
    scope,
    queues,
    state,
    relay,
    host,
    metrics,
    async [Symbol.asyncDispose]() {
      await host.stop();
      await relay.stop();
      await queues.close();
      queueConnection.disconnect();
      await scope[Symbol.asyncDispose]();
    },
  };
}

const notify = (jobId: string) => ({ jobId, name: 'notify', payload: { text: jobId } });

describe('from a committed decision to a finished job', () => {
  test('a committed job reaches its handler, and leaves the shared state', async () => {
    const ran: unknown[] = [];
    await using bundle = await setup(async (payload) => {
      ran.push(payload);
      return { outcome: 'done' };
    });
    await bundle.relay.start();
    await bundle.host.start();

    await bundle.state.transact((tx) => tx.enqueue(notify('a-1')));
    bundle.relay.nudge();

    await eventually(() => ran.length === 1);
    await eventually(() => bundle.state.view.count(kinds.job) === 0);
  });

  test('jobs that a dead replica committed are relayed by another', async () => {
    const ran: unknown[] = [];
    await using bundle = await setup(async (payload) => {
      ran.push(payload);
      return { outcome: 'done' };
    });
    const dead = new RedisState({ redis: bundle.scope.connect(), prefix: bundle.scope.prefix, metrics: testMetrics() });
    await dead.transact((tx) => tx.enqueue(notify('orphan-1')));

    await bundle.relay.start();
    await bundle.host.start();

    await eventually(() => ran.length === 1);
  });

  test('the same cause relayed twice runs once', async () => {
    let runs = 0;
    await using bundle = await setup(async () => {
      runs += 1;
      return { outcome: 'done' };
    });
    await bundle.host.start();

    await bundle.queues.add([notify('same-1')]);
    await bundle.queues.add([notify('same-1'), notify('other-1')]);

    await eventually(async () => (await bundle.queues.get('notifications').getCompletedCount()) === 2);
    expect(runs).toBe(2);
  });

  test('a postponed run uses up no attempt', async () => {
    const attempts: number[] = [];
    await using bundle = await setup(async (_payload, run) => {
      attempts.push(run.attempt);
      if (attempts.length < 3)
        throw new AppError('REDIS_UNREACHABLE', 'later', { disposition: { kind: 'retry-after', delayMs: 20 } });
      return { outcome: 'done' };
    });
    await bundle.host.start();

    await bundle.queues.add([notify('later-1')]);

    await eventually(async () => (await bundle.queues.get('notifications').getCompletedCount()) === 1);
    expect(attempts).toEqual([1, 1, 1]);
  });

  test('what cannot be repaired fails at once, with its code', async () => {
    let runs = 0;
    await using bundle = await setup(async () => {
      runs += 1;
      throw new AppError('JOB_PAYLOAD_INVALID', 'no such channel');
    });
    await bundle.host.start();

    await bundle.queues.add([notify('hopeless-1')]);

    const failed = await eventually(async () => (await bundle.queues.get('notifications').getFailed())[0]);
    expect([runs, failed.failedReason]).toEqual([1, 'JOB_PAYLOAD_INVALID: no such channel']);
  });

  test('a stop interrupts what does not finish in time, and another replica runs it again', async () => {
    const attempts: number[] = [];
    const started = Promise.withResolvers<void>();
    await using first = await setup(
      (_payload, run) => {
        attempts.push(run.attempt);
        started.resolve();
        return new Promise((_done, reject) =>
          run.signal.addEventListener('abort', () => reject(run.signal.reason as Error)),
        );
      },
      { graceMs: 50 },
    );
    await first.host.start();
    await first.queues.add([notify('slow-1')]);
    await started.promise;

    await first.host.stop();

    const job = await first.queues.find('slow-1');
    expect([await job?.getState(), job?.attemptsMade]).toEqual(['waiting', 0]);
  });

  test('a stop interrupts a sweep, which is read again anyway, and lets an action finish', async () => {
    const ended: string[] = [];
    const begun = { notify: Promise.withResolvers<void>(), 'poll-all': Promise.withResolvers<void>() };
    const cut = Promise.withResolvers<void>();
    await using bundle = await setup(
      async (_payload, { name, signal }) => {
        begun[name as keyof typeof begun].resolve();
        if (name === 'notify') await cut.promise;
        else
          await new Promise((_done, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
        ended.push(name);
        return { outcome: 'done' };
      },
      { graceMs: 600_000 },
    );
    await bundle.host.start();
    await bundle.queues.add([notify('action-1'), { jobId: 'sweep-1', name: 'poll-all', payload: {} }]);
    await Promise.all([begun.notify.promise, begun['poll-all'].promise]);

    const stopped = bundle.host.stop();
    await eventually(async () => (await (await bundle.queues.find('sweep-1'))?.getState()) === 'waiting');
    cut.resolve();
    await stopped;

    expect(ended).toEqual(['notify']);
    expect(await (await bundle.queues.find('action-1'))?.getState()).toBe('completed');
  });

  test('a stop abandons a run that ignores its interruption', async () => {
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    await using first = await setup(
      async () => {
        started.resolve();
        await release.promise;
        return { outcome: 'done' };
      },
      { graceMs: 50 },
    );
    await first.host.start();
    await first.queues.add([notify('deaf-1')]);
    await started.promise;

    await first.host.stop();
    const state = await (await first.queues.find('deaf-1'))?.getState();
    release.resolve();

    // Its lock is no longer renewed, so another replica can take it over.
    expect(state).toBe('active');
    await expect(first.host.start()).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

test('job ids repeat with their cause, and are valid for BullMQ', () => {
  const id = jobIdOf('rotate_stream_key', 'arn:aws:ivs:us-west-2:111122223333:channel/abc', 7);

  expect(id).toBe(jobIdOf('rotate_stream_key', 'arn:aws:ivs:us-west-2:111122223333:channel/abc', 7));
  expect(id).not.toBe(jobIdOf('rotate_stream_key', 'arn:aws:ivs:us-west-2:111122223333:channel/abc', 8));
  expect(id).toMatch(/^(?!\d+$)[^:]{1,60}$/);
});
