import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Gate, type GateOptions, type GateWaiter } from './gate.ts';
import type { ExchangeReply, ExchangeRequest, Grant, SlotLedger } from './ledger.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A gate in front of a ledger that answers as `exchange` does. */
function gateOf(
  exchange: (attempt: number, request: ExchangeRequest) => Promise<ExchangeReply>,
  onRedisDown: GateOptions['onRedisDown'],
) {
  let attempts = 0;
  const ledger = { exchange: (request: ExchangeRequest) => exchange(++attempts, request) } as unknown as SlotLedger;
  return new Gate({
    operation: 'PutMetadata',
    limit: { perAccount: 155 },
    ledger,
    random: () => 0.5,
    onRedisDown,
    maxWaiting: 100,
    oneWayMs: () => 0,
    onExchange: () => undefined,
    onFailure: () => undefined,
  });
}

/** A gate whose ledger grants at most `most` permits at a time, and how many it was asked for each time. */
function grantingGate(most = Number.POSITIVE_INFINITY) {
  const asked: number[] = [];
  const grant: Grant = { permit: 'p', epoch: 'e', sendAt: 0, lapsesAt: 60_000 };
  const gate = gateOf(async (_attempt, { wants }) => {
    asked.push(wants.length);
    const grants = new Map(wants.slice(0, most).map((_, place) => [place, grant]));
    return { grants, channelWaitsMs: new Map(), accountWaitMs: 0, fenceMs: 0, slotsInUse: 0 };
  }, 'wait');
  return { gate, asked };
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

test('permits are asked for several at a time: not before a third of those in hand have been used', async () => {
  const { gate, asked } = grantingGate();
  const use = async (calls: number) => {
    for (let call = 0; call < calls; call += 1) {
      gate.left('sent');
      await vi.advanceTimersByTimeAsync(2);
    }
  };
  for (let call = 0; call < 40; call += 1) gate.join(waiter());
  await vi.advanceTimersByTimeAsync(2);
  expect(asked).toEqual([12]);

  await use(3);
  expect(asked).toEqual([12]);
  await use(1);
  expect(asked).toEqual([12, 4]);
  await use(20);
  expect(asked).toEqual([12, 4, 4, 4, 4, 4, 4]);
  // The last ones find nobody who waits.
  await use(16);
  expect(asked.reduce((sum, each) => sum + each, 0)).toBe(40);
  gate.stop();
});

test('an urgent call waits for no other to leave', async () => {
  const { gate, asked } = grantingGate(10);
  for (let call = 0; call < 10; call += 1) gate.join(waiter());
  await vi.advanceTimersByTimeAsync(2);

  gate.join({ ...waiter(), lane: 'urgent' });
  await vi.advanceTimersByTimeAsync(2);

  expect(asked).toEqual([10, 1]);
  gate.stop();
});

test('an urgent call that finds no room waits for one other to leave, not for a third of them', async () => {
  const { gate, asked } = grantingGate();
  for (let call = 0; call < 20; call += 1) gate.join(waiter());
  await vi.advanceTimersByTimeAsync(2);
  gate.join({ ...waiter(), lane: 'urgent' });
  await vi.advanceTimersByTimeAsync(2);
  expect(asked).toEqual([12]);

  gate.left('sent');
  await vi.advanceTimersByTimeAsync(2);

  expect(asked).toEqual([12, 1]);
  gate.stop();
});
