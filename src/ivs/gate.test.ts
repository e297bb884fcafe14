import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Gate, type GateOptions, type GateWaiter } from './gate.ts';
import type { ExchangeReply, ExchangeRequest, Grant, SlotLedger } from './ledger.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A gate in front of a ledger that answers as `exchange` does. */
function gateOf(
  exchange: (attempt: number, request: ExchangeRequest) => Promise<ExchangeReply>,
  onRedisDown: GateOptions['onRedisDown'],
  perAccount = 155,
) {
  let attempts = 0;
  const ledger = { exchange: (request: ExchangeRequest) => exchange(++attempts, request) } as unknown as SlotLedger;
  return new Gate({
    operation: 'PutMetadata',
    limit: { perAccount },
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

/** A gate whose account has no slot before `freeAt`, and what its ledger was told and asked each time. */
function takenGate(perAccount: number, freeAt: number) {
  const exchanges: { readonly at: number; readonly wants: number; readonly releases: number }[] = [];
  const grant: Grant = { permit: 'p', epoch: 'e', sendAt: freeAt, lapsesAt: freeAt + 60_000 };
  const ledger = async (
    _attempt: number,
    { wants, releases, lookAheadMs }: ExchangeRequest,
  ): Promise<ExchangeReply> => {
    const at = performance.now();
    exchanges.push({ at, wants: wants.length, releases: releases.length });
    const isFree = freeAt - at <= lookAheadMs;
    const grants = new Map(isFree ? wants.map((_, place) => [place, grant]) : []);
    const accountWaitMs = isFree || wants.length === 0 ? 0 : freeAt - at;
    return { grants, channelWaitsMs: new Map(), accountWaitMs, fenceMs: 0, slotsInUse: perAccount };
  };
  return { gate: gateOf(ledger, 'wait', perAccount), exchanges };
}

const ended = (holdMs: number) => ({ permit: 'p', epoch: 'e', channel: undefined, endedAt: performance.now(), holdMs });

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

test.each([
  { perAccount: 5, asks: 3 },
  { perAccount: 155, asks: 11 },
])(
  'of $perAccount calls a second, a slot that is taken for 970 ms is asked for $asks times',
  async ({ perAccount, asks }) => {
    const freeAt = performance.now() + 970;
    const { gate, exchanges } = takenGate(perAccount, freeAt);
    let granted = 0;
    gate.join({ ...waiter(), granted: () => (granted += 1) });

    await vi.advanceTimersByTimeAsync(1_000);

    expect(granted).toBe(1);
    expect(exchanges).toHaveLength(asks);
    // Early enough for the call to leave at that moment.
    expect(exchanges.at(-1)!.at).toBeLessThan(freeAt - 30);
    gate.stop();
  },
);

test('a call that ended is reported without asking again for a slot that is taken; a permit that was not used is asked for at once', async () => {
  const { gate, exchanges } = takenGate(5, performance.now() + 970);
  gate.join(waiter());
  await vi.advanceTimersByTimeAsync(2);
  expect(exchanges).toMatchObject([{ wants: 1, releases: 0 }]);

  gate.ended(ended(1_000));
  await vi.advanceTimersByTimeAsync(100);
  expect(exchanges.slice(1)).toMatchObject([{ wants: 0, releases: 1 }]);

  gate.ended(ended(0));
  await vi.advanceTimersByTimeAsync(100);
  expect(exchanges.slice(2)).toMatchObject([
    { wants: 0, releases: 1 },
    { wants: 1, releases: 0 },
  ]);
  gate.stop();
});
