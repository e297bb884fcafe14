import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Gate, type GateOptions, type GateWaiter } from './gate.ts';
import type { ExchangeReply, SlotLedger } from './ledger.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A gate in front of a ledger that answers as `exchange` does. */
function gateOf(exchange: (attempt: number) => Promise<ExchangeReply>, onRedisDown: GateOptions['onRedisDown']) {
  let attempts = 0;
  const ledger = { exchange: () => exchange(++attempts) } as unknown as SlotLedger;
  return new Gate({
    operation: 'PutMetadata',
    limit: { perAccount: 155 },
    ledger,
    random: () => 0.5,
    onRedisDown,
    maxWaiting: 10,
    oneWayMs: () => 0,
    onExchange: () => undefined,
    onFailure: () => undefined,
  });
}

function waiter(): GateWaiter & { readonly end: { error?: unknown } } {
  const end: { error?: unknown } = {};
  return {
    lane: 'normal',
    channel: undefined,
    since: performance.now(),
    deadline: performance.now() + 60_000,
    granted: () => undefined,
    failed: (error) => void (end.error = error),
    end,
  };
}

const refused = () => Promise.reject(new Error('ECONNREFUSED'));
const hangs = () => new Promise<never>(() => undefined);

test('with on_redis_down: fail, a call fails a second after Redis went away, even while a later request hangs', async () => {
  const gate = gateOf((attempt) => (attempt < 3 ? refused() : hangs()), 'fail');
  const waiting = waiter();
  gate.join(waiting);

  await vi.advanceTimersByTimeAsync(990);
  expect(waiting.end).toEqual({});
  await vi.advanceTimersByTimeAsync(15);

  expect(waiting.end.error).toMatchObject({ code: 'LIMITER_UNAVAILABLE' });
  gate.stop();
});

test('a call does not fail if Redis comes back in time', async () => {
  const back: ExchangeReply = {
    grants: new Map(),
    channelWaitsMs: new Map(),
    accountWaitMs: 100,
    fenceMs: 0,
    slotsInUse: 155,
  };
  const gate = gateOf((attempt) => (attempt < 3 ? refused() : Promise.resolve(back)), 'fail');
  const waiting = waiter();
  gate.join(waiting);

  await vi.advanceTimersByTimeAsync(5_000);

  expect(waiting.end).toEqual({});
  gate.stop();
});
