import Bottleneck from 'bottleneck';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '#runtime/clock.ts';
import { createMetrics } from '#runtime/metrics.ts';
import type { ExchangeReply, ExchangeRequest, SlotLedger } from './ledger.ts';
import { type Call, Limiter, Permit } from './limiter.ts';

afterEach(() => {
  // A spy on a faked timer puts the faked one back, so mocks come first.
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A limiter whose ledger grants everything at once. */
function limiterOf(): Limiter {
  const exchange = async ({ wants }: ExchangeRequest): Promise<ExchangeReply> => {
    const now = performance.now();
    const grants = new Map(
      wants.map((_, place) => [place, { permit: 'p', epoch: 'e', sendAt: now, lapsesAt: now + 600_000 }]),
    );
    return { grants, channelWaitsMs: new Map(), accountWaitMs: 0, fenceMs: 0, slotsInUse: 0 };
  };
  return new Limiter({
    shard: 'main',
    ledger: { exchange, close: () => undefined } as unknown as SlotLedger,
    limitOf: () => ({ perAccount: 155, perChannel: 5 }),
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    metrics: createMetrics(),
    random: () => 0.5,
    onRedisDown: 'wait',
  });
}

const sent: Call<string> = async (permit) => {
  await permit.untilSend();
  permit.answered();
  return 'sent';
};

function run(limiter: Limiter, channel: string, call: Call<string>): Promise<string | undefined> {
  return limiter.run({ operation: 'PutMetadata', channel, lane: 'normal' }, () => call);
}

test('calls share the jobs of Bottleneck, which takes several timers to start each', async () => {
  const schedule = vi.spyOn(Bottleneck.prototype, 'schedule');
  const limiter = limiterOf();

  for (let round = 0; round < 20; round += 1) {
    const calls = Array.from({ length: 10 }, (_, channel) => run(limiter, `c${channel}`, sent));
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['sent']));
  }

  expect(schedule.mock.calls.length).toBeLessThan(50);
  await limiter.stop();
});

test('of the jobs that begin together, the next call takes the one that Bottleneck starts first', async () => {
  const jobs: (() => Promise<void>)[] = [];
  vi.spyOn(Bottleneck.prototype, 'schedule').mockImplementation((async (
    _options: unknown,
    job: () => Promise<void>,
  ) => {
    jobs.push(job);
  }) as never);
  const limiter = limiterOf();
  const first = run(limiter, 'a', sent);
  // Its own job, and those for the calls after it.
  await vi.waitFor(() => expect(jobs).toHaveLength(9), { timeout: 60_000 });
  const [own, next, ...others] = jobs;
  const second = run(limiter, 'b', sent);

  void next!();

  await expect(second).resolves.toBe('sent');
  for (const job of [own!, ...others]) void job();
  await expect(first).resolves.toBe('sent');
  await limiter.stop();
});

test('a call that fails keeps its error, and the calls after it run', async () => {
  const limiter = limiterOf();
  const fails = async () => Promise.reject(new Error('refused'));

  for (let round = 0; round < 5; round += 1) {
    await expect(run(limiter, 'a', fails)).rejects.toThrow('refused');
    await expect(run(limiter, 'a', sent)).resolves.toBe('sent');
  }

  await limiter.stop();
});

test('a stop waits for the call that a job runs, and a call that comes later is sent away', async () => {
  const limiter = limiterOf();
  const { promise: answer, resolve } = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const call = run(limiter, 'a', async (permit) => {
    await permit.untilSend();
    begun.resolve();
    return answer;
  });
  await begun.promise;
  let isStopped = false;
  const stopped = limiter.stop().then(() => {
    isStopped = true;
  });

  await expect(run(limiter, 'b', sent)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(isStopped).toBe(false);
  resolve('answered');

  await expect(call).resolves.toBe('answered');
  await stopped;
});

/** A permit to send at this moment. */
function permitAt(sendAt: number): Permit {
  return new Permit({ permit: 'p', epoch: 'e', sendAt, lapsesAt: sendAt + 600_000 }, 0, () => undefined);
}

test('a permit waits by timers alone, and never sends early', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'setImmediate'] });
  const turns = vi.spyOn(globalThis, 'setImmediate');
  const permit = permitAt(performance.now() + 10.4);
  const sending = permit.untilSend();

  await vi.advanceTimersByTimeAsync(10);
  expect(permit.state.kind).toBe('granted');
  await vi.advanceTimersByTimeAsync(1);
  await sending;

  expect(permit.state.kind).toBe('sent');
  expect(turns).not.toHaveBeenCalled();
});

test('what is sent at about the same time is decided at the same moment, early enough', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  // Of the grid that all permits share.
  const start = Math.ceil(performance.now() / 12) * 12;
  const decided: number[] = [];
  const at = [start + 75, start + 80, start + 86.9, start + 87].map(async (sendAt) => {
    await permitAt(sendAt).untilBefore(15, 12);
    decided.push(performance.now());
  });

  await vi.advanceTimersByTimeAsync(200);
  await Promise.all(at);

  expect(decided.map((ms) => ms - start)).toEqual([60, 60, 60, 72]);
});
