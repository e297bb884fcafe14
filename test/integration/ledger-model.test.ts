// The ledger's script against a model of the service, in virtual time: whatever happens to calls, answers, replicas, Redis and its clock,
// no trailing second contains more counted calls than the quota.

import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ExchangeRequest,
  type Grant,
  mayLieMs,
  type Release,
  SlotLedger,
  strayMs,
  type ThrottleNotice,
  windowMs,
} from '#ivs/ledger.ts';
import type { Redis } from '#runtime/redis.ts';
import { type RedisScope, redisScope } from '#test/support/redis.ts';

const perAccount = 6;
const perChannel = 2;
/** For ListStreams, which has no limit per channel. */
const listsPerSecond = 3;
/** As gate.ts asks: the account's look-ahead with a latency to the service, and the gap of an operation with channels. */
const lookAheadMs = 85;
const gapMs = 3;
const requestTimeoutMs = 500;
/** How long a new ledger grants nothing. */
const patienceMs = mayLieMs + requestTimeoutMs + windowMs;
const channels = ['a', 'b', 'c', 'd'];
/** Jumps of Redis's clock smaller than this cannot be distinguished from the uncertainty of the latency; see docs/performance.md. */
const smallestStepMs = 60;

type Command =
  | { readonly do: 'pass'; readonly ms: number }
  | {
      readonly do: 'ask';
      readonly replica: number;
      readonly wants: readonly number[];
      /** This many of them, from the front. */
      readonly urgent: number;
      readonly answerLost: boolean;
      readonly fates: readonly Fate[];
    }
  | { readonly do: 'list'; readonly replica: number; readonly urgent: boolean; readonly fates: readonly Fate[] }
  | { readonly do: 'throttled'; readonly replica: number; readonly channel: number }
  | { readonly do: 'crash'; readonly replica: number }
  | { readonly do: 'step'; readonly ms: number }
  | { readonly do: 'restart'; readonly from: 'empty' | 'snapshot' }
  | { readonly do: 'snapshot' };

/** The outcome of one granted call. */
interface Fate {
  readonly lieMs: number;
  readonly thereMs: number;
  readonly backMs: number;
  readonly answered: boolean;
  readonly unspent: boolean;
}

const fate: fc.Arbitrary<Fate> = fc.record({
  lieMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3000 })),
  thereMs: fc.integer({ min: 0, max: 200 }),
  backMs: fc.integer({ min: 0, max: 200 }),
  answered: fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  unspent: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
const replica = fc.integer({ min: 0, max: 2 });
const pass = fc.record({
  do: fc.constant('pass' as const),
  ms: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 1200 })),
});
const ask = fc.record({
  do: fc.constant('ask' as const),
  replica,
  wants: fc.uniqueArray(fc.integer({ min: 0, max: channels.length - 1 }), { minLength: 1 }),
  urgent: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
  answerLost: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  fates: fc.array(fate, { minLength: channels.length, maxLength: channels.length }),
});
const list = fc.record({
  do: fc.constant('list' as const),
  replica,
  urgent: fc.boolean(),
  fates: fc.array(fate, { minLength: 1, maxLength: 3 }),
});
const calm: fc.Arbitrary<Command>[] = [pass, ask, ask, list];
const awkward: fc.Arbitrary<Command>[] = [
  fc.record({
    do: fc.constant('throttled' as const),
    replica,
    channel: fc.integer({ min: 0, max: channels.length - 1 }),
  }),
  fc.record({ do: fc.constant('crash' as const), replica }),
  fc
    .oneof(fc.integer({ min: smallestStepMs, max: 4000 }), fc.integer({ min: -4000, max: -1 }))
    .map((ms) => ({ do: 'step' as const, ms })),
  fc.record({ do: fc.constant('restart' as const), from: fc.constantFrom('empty' as const, 'snapshot' as const) }),
  fc.constant({ do: 'snapshot' as const }),
];
const history = fc.array(
  fc.oneof(
    ...calm.map((arbitrary) => ({ arbitrary, weight: 30 })),
    ...awkward.map((arbitrary) => ({ arbitrary, weight: 1 })),
  ),
  { minLength: 40, maxLength: 160, size: 'max' },
);

interface Replica {
  readonly ledger: SlotLedger;
  readonly releases: Record<'PutMetadata' | 'ListStreams', Release[]>;
  /** Counts its lives: whatever an earlier one was doing is dropped. */
  life: number;
}

/** Three replicas, one Redis whose clock and process the test controls, and the service that counts. */
class World {
  /** Calls of PutMetadata, and of ListStreams. */
  readonly counted: { at: number; channel: string }[] = [];
  readonly listed: { at: number }[] = [];
  granted = 0;
  #now = 1_000_000;
  #redisOffsetMs = 1_700_000_000_000;
  #run = 0;
  #steppedAt = 0;
  #snapshot: [string, Buffer][] = [];
  readonly #events: { at: number; happen: () => void }[] = [];
  readonly #scope: RedisScope;
  readonly #prefix: string;
  readonly #clockKey: string;
  readonly #connections = new EventEmitter();
  readonly #replicas: Replica[];

  constructor(scope: RedisScope) {
    this.#scope = scope;
    this.#prefix = `${scope.prefix}:${randomBytes(4).toString('hex')}`;
    this.#clockKey = `{${scope.namespace}:clock}${randomBytes(4).toString('hex')}`;
    this.#connections.setMaxListeners(20);
    // The real connection, except that the test sets the server's name and reports that it was lost.
    const redis = Object.assign(Object.create(scope.redis) as Redis, {
      info: async () => `run_id:run-${this.#run}\r\n`,
      on: (event: string, listener: () => void) => this.#connections.on(event, listener),
      off: (event: string, listener: () => void) => this.#connections.off(event, listener),
    });
    this.#replicas = [0, 1, 2].map((index) => ({
      ledger: new SlotLedger({
        redis,
        keyPrefix: this.#prefix,
        replica: `r${index}-`,
        requestTimeoutMs,
        scriptClock: { kind: 'key', key: this.#clockKey },
        monotonic: () => this.#now,
      }),
      releases: { PutMetadata: [], ListStreams: [] },
      life: 0,
    }));
  }

  async start(): Promise<void> {
    for (const index of this.#replicas.keys()) await this.ask(index, [], []);
    this.pass(patienceMs + 1);
    for (const index of this.#replicas.keys()) await this.ask(index, [], []);
  }

  /** Lets time pass; scheduled events happen in their order. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      this.#events.sort((a, b) => a.at - b.at);
      if ((this.#events[0]?.at ?? Number.POSITIVE_INFINITY) > end) break;
      const event = this.#events.shift()!;
      this.#now = event.at;
      event.happen();
    }
    this.#now = end;
  }

  /** Requests PutMetadata permits; returns how many of them were granted. */
  async ask(
    index: number,
    wants: readonly number[],
    fates: readonly Fate[],
    how: { readonly answerLost?: boolean; readonly throttled?: number; readonly urgent?: number } = {},
  ): Promise<number> {
    const { answerLost = false, throttled, urgent = 0 } = how;
    return this.#exchange(index, {
      operation: 'PutMetadata',
      limits: { perAccount, perChannel, gapMs },
      wants: wants.map((channel) => channels[channel]),
      fates,
      answerLost,
      urgent: Math.min(urgent, wants.length),
      throttles: throttled === undefined ? [] : [{ channel: channels[throttled], account: true }],
    });
  }

  /** Requests one ListStreams permit for each fate. */
  async list(index: number, fates: readonly Fate[], urgent: boolean): Promise<number> {
    return this.#exchange(index, {
      operation: 'ListStreams',
      limits: { perAccount: listsPerSecond, perChannel: undefined, gapMs: 0 },
      wants: fates.map(() => undefined),
      fates,
      answerLost: false,
      urgent: urgent ? fates.length : 0,
      throttles: [],
    });
  }

  async #exchange(
    index: number,
    asked: {
      readonly operation: 'PutMetadata' | 'ListStreams';
      readonly limits: Pick<ExchangeRequest, 'perAccount' | 'perChannel' | 'gapMs'>;
      readonly wants: readonly (string | undefined)[];
      readonly fates: readonly Fate[];
      readonly answerLost: boolean;
      readonly urgent: number;
      readonly throttles: readonly ThrottleNotice[];
    },
  ): Promise<number> {
    const self = this.#replicas[index]!;
    const { operation, limits, wants, fates, answerLost, urgent, throttles } = asked;
    const releases = self.releases[operation];
    self.releases[operation] = [];
    await this.#setClock();
    const reply = await self.ledger.exchange(
      { operation, ...limits, lookAheadMs, wants, urgent, releases, throttles },
      () => undefined,
    );
    // The answer was lost on its way: nobody knows of these permits, only their leases end them.
    if (answerLost) return 0;
    for (const [position, grant] of reply.grants) this.#send(self, operation, wants[position], grant, fates[position]!);
    return reply.grants.size;
  }

  /**
   * What a replica does with a permit: it may leave it, let it lapse, return it, or use it; the service counts, the answer arrives or not.
   */
  #send(
    self: Replica,
    operation: 'PutMetadata' | 'ListStreams',
    channel: string | undefined,
    grant: Grant,
    fate: Fate,
  ): void {
    this.granted += 1;
    const { life } = self;
    const end = (holdMs: number) => {
      if (self.life !== life) return;
      const { permit, epoch } = grant;
      self.releases[operation].push({ permit, epoch, channel, endedAt: this.#now, holdMs });
    };
    this.#at(Math.max(this.#now, grant.sendAt) + fate.lieMs, () => {
      if (self.life !== life) return;
      if (fate.unspent || this.#now > grant.lapsesAt) return end(0);
      this.#at(this.#now + fate.thereMs, () => {
        if (channel === undefined) this.listed.push({ at: this.#now });
        else this.counted.push({ at: this.#now, channel });
        if (fate.answered) this.#at(this.#now + fate.backMs, () => end(windowMs));
      });
      if (!fate.answered) this.#at(this.#now + requestTimeoutMs, () => end(windowMs + strayMs));
    });
  }

  #at(at: number, happen: () => void): void {
    this.#events.push({ at, happen });
  }

  /** Killed and started again: it has lost what it had to report. Calls on their way are counted anyway. */
  crash(index: number): void {
    const replica = this.#replicas[index]!;
    replica.life += 1;
    replica.releases.PutMetadata = [];
    replica.releases.ListStreams = [];
  }

  /** The clock of Redis jumps; not again while the fence after the last jump may still be in force. */
  step(ms: number): void {
    if (this.#now - this.#steppedAt <= patienceMs + 1000) return;
    this.#steppedAt = this.#now;
    this.#redisOffsetMs += ms;
  }

  /** Redis's file on disk, which may be old at the next restart. */
  async snapshot(): Promise<void> {
    const keys = await this.#keys();
    this.#snapshot = await Promise.all(
      keys.map(async (key) => [key, await this.#scope.redis.dumpBuffer(key)] as [string, Buffer]),
    );
  }

  async restart(from: 'empty' | 'snapshot'): Promise<void> {
    const keys = await this.#keys();
    if (keys.length > 0) await this.#scope.redis.unlink(...keys);
    if (from === 'snapshot')
      for (const [key, dump] of this.#snapshot) await this.#scope.redis.restore(key, 0, dump, 'REPLACE');
    this.#run += 1;
    this.#connections.emit('close');
  }

  async #keys(): Promise<string[]> {
    const state = `${this.#prefix}:ledger`;
    const epoch = await this.#scope.redis.hget(state, 'epoch');
    const slots = (operation: string) => `${this.#prefix}:slots:${epoch ?? ''}:${operation}`;
    const metadata = slots('PutMetadata');
    const keys = [state, metadata, slots('ListStreams'), ...channels.map((channel) => `${metadata}:${channel}`)];
    const there = await Promise.all(keys.map((key) => this.#scope.redis.exists(key)));
    return keys.filter((_, i) => there[i] === 1);
  }

  /** After a quiet time every slot must be available again. */
  async everySlotIsFree(): Promise<boolean> {
    this.pass(40_000);
    const idle = Array.from({ length: listsPerSecond }, () => sleeper);
    for (let tries = 0; tries < 8; tries += 1) {
      const before = this.granted;
      await this.ask(
        0,
        [0, 1, 2, 3],
        Array.from({ length: 4 }, () => sleeper),
      );
      await this.ask(1, [0, 1], [sleeper, sleeper]);
      if (this.granted - before === perAccount) return (await this.list(0, idle, false)) === listsPerSecond;
      this.pass(2000);
    }
    return false;
  }

  async #setClock(): Promise<void> {
    await this.#scope.redis.set(this.#clockKey, Math.round((this.#now + this.#redisOffsetMs) * 1000));
  }
}

/** A typical call, there and back. */
const used: Fate = { lieMs: 0, thereMs: 10, backMs: 10, answered: true, unspent: false };
/** A permit that is never used. */
const sleeper: Fate = { lieMs: 0, thereMs: 0, backMs: 0, answered: true, unspent: true };

function worstSecond(at: readonly number[]): number {
  return Math.max(0, ...at.map((end) => at.filter((each) => each > end - 1000 && each <= end).length));
}

async function live(scope: RedisScope, commands: readonly Command[]): Promise<World> {
  const world = new World(scope);
  await world.start();
  for (const command of commands) {
    switch (command.do) {
      case 'pass':
        world.pass(command.ms);
        break;
      case 'ask':
        await world.ask(command.replica, command.wants, command.fates, command);
        break;
      case 'list':
        await world.list(command.replica, command.fates, command.urgent);
        break;
      case 'throttled':
        await world.ask(command.replica, [], [], { throttled: command.channel });
        break;
      case 'crash':
        world.crash(command.replica);
        break;
      case 'step':
        world.step(command.ms);
        break;
      case 'restart':
        await world.restart(command.from);
        break;
      case 'snapshot':
        await world.snapshot();
        break;
    }
  }
  world.pass(2000);
  return world;
}

describe('the ledger of permits', () => {
  it('never lets more calls be counted in a second than the quota, whatever happens', async () => {
    await using scope = await redisScope();
    let granted = 0;

    await fc.assert(
      fc.asyncProperty(history, async (commands) => {
        const world = await live(scope, commands);
        granted += world.granted;
        expect(worstSecond(world.counted.map(({ at }) => at))).toBeLessThanOrEqual(perAccount);
        expect(worstSecond(world.listed.map(({ at }) => at))).toBeLessThanOrEqual(listsPerSecond);
        for (const channel of channels) {
          const ofChannel = world.counted.filter((call) => call.channel === channel).map(({ at }) => at);
          expect(worstSecond(ofChannel)).toBeLessThanOrEqual(perChannel);
        }
        expect(await world.everySlotIsFree()).toBe(true);
      }),
      // A history is printed as it is: shrinking one takes minutes.
      { numRuns: Number(process.env['LEDGER_RUNS'] ?? 60), endOnFailure: true },
    );

    // The property would hold trivially for a ledger that grants nothing.
    expect(granted).toBeGreaterThan(500);
  });

  it('uses its quota: a greedy caller whose calls take 20 ms gets 98 % of it', async () => {
    await using scope = await redisScope();
    const world = new World(scope);
    await world.start();
    world.pass(2000);
    const quick: Fate = { lieMs: 0, thereMs: 10, backMs: 10, answered: true, unspent: false };

    for (let ms = 0; ms < 60_000; ms += 10) {
      await world.ask(0, [0, 1, 2, 3], [quick, quick, quick, quick]);
      world.pass(10);
    }

    expect(world.counted.length).toBeGreaterThan(60 * perAccount * 0.97);
    expect(worstSecond(world.counted.map(({ at }) => at))).toBe(perAccount);
  });

  it('lets no channel wait behind another that waits for its own slot', async () => {
    await using scope = await redisScope();
    const world = new World(scope);
    await world.start();
    const quick: Fate = { lieMs: 0, thereMs: 10, backMs: 10, answered: true, unspent: false };
    await world.ask(0, [0], [quick]);
    world.pass(5);
    await world.ask(0, [0], [quick]);
    world.pass(1000);

    await world.ask(0, [0, 1], [quick, quick]);
    world.pass(100);

    expect(world.counted.map(({ channel }) => channel)).toEqual(['a', 'a', 'b', 'a']);
  });

  it('grants again within its patience when the clock of Redis goes back by an hour', async () => {
    await using scope = await redisScope();
    const world = new World(scope);
    await world.start();
    await world.ask(0, [0, 1, 2, 3], [used, used, used, used]);
    world.pass(10);

    world.step(-3_600_000);
    await world.ask(0, [0, 1], [used, used]);
    expect(world.granted).toBe(4);
    world.pass(patienceMs + 1);
    await world.ask(1, [0, 1], [used, used]);

    expect(world.granted).toBe(6);
  });

  it('loses only the lease when a replica dies with permits', async () => {
    await using scope = await redisScope();
    const world = new World(scope);
    await world.start();
    const leaseMs = mayLieMs + requestTimeoutMs + strayMs + windowMs;
    expect(await world.ask(0, [0, 1, 2, 3], [used, used, used, used])).toBe(4);
    world.crash(0);

    world.pass(leaseMs - lookAheadMs - 1);
    const before = [await world.ask(1, [0, 1], [sleeper, sleeper]), await world.ask(2, [2], [sleeper])];
    world.pass(lookAheadMs + 1);
    await world.ask(1, [], []);
    await world.ask(2, [], []);
    const after = [
      await world.ask(1, [0, 1, 2, 3], [sleeper, sleeper, sleeper, sleeper]),
      await world.ask(2, [0, 1], [sleeper, sleeper]),
    ];

    // Two of six were free; a third call waited.
    expect(before).toEqual([2, 0]);
    expect(after).toEqual([4, 2]);
  });

  it('keeps the next slot for an urgent call of another replica', async () => {
    await using scope = await redisScope();
    const world = new World(scope);
    await world.start();
    await world.ask(0, [0, 1, 2, 3], [used, used, used, used]);
    await world.ask(0, [0, 1], [used, used]);
    world.pass(500);

    expect(await world.ask(1, [2], [used], { urgent: 1 })).toBe(0);
    world.pass(520 - lookAheadMs / 2);
    const bulk = await world.ask(0, [3], [used]);
    const urgent = await world.ask(1, [2], [used], { urgent: 1 });

    expect([bulk, urgent]).toEqual([0, 1]);
  });

  it('lets bulk proceed, slowly, during endless urgent calls of another replica', async () => {
    await using scope = await redisScope();
    const world = new World(scope);
    await world.start();
    let [urgent, bulk] = [0, 0];

    for (let ms = 0; ms < 60_000; ms += 20) {
      bulk += await world.list(1, [used], false);
      urgent += await world.list(0, [used, used, used, used], true);
      world.pass(20);
    }

    // One grant in sixteen is open to all lanes: bulk gets a part of those.
    expect(urgent + bulk).toBeGreaterThan(60 * listsPerSecond * 0.9);
    expect(bulk).toBeGreaterThan((urgent + bulk) / 60);
    expect(bulk).toBeLessThan((urgent + bulk) / 12);
  });

  it('notices a jump of 60 ms after an hour without calls, if it was read every ten seconds', async () => {
    await using scope = await redisScope();
    const world = new World(scope);
    await world.start();
    for (let second = 0; second < 3600; second += 10) {
      world.pass(10_000);
      for (const replica of [0, 1, 2]) await world.ask(replica, [], []);
    }
    await world.ask(0, [0, 1, 2, 3], [used, used, used, used]);

    world.step(smallestStepMs);
    await world.ask(1, [0, 1], [used, used]);
    expect(world.granted).toBe(4);
    world.pass(patienceMs + 1);
    await world.ask(1, [0, 1], [used, used]);

    expect(world.granted).toBe(6);
  });

  it.each(['empty', 'snapshot'] as const)(
    'grants nothing while calls from before a restart (%s) may still be counted',
    async (from) => {
      await using scope = await redisScope();
      const world = new World(scope);
      await world.start();
      await world.snapshot();
      await world.ask(0, [0, 1, 2, 3], [used, used, used, used]);

      await world.restart(from);
      await world.ask(1, [0, 1], [used, used]);
      world.pass(patienceMs - 10);
      await world.ask(1, [0, 1], [used, used]);
      expect(world.granted).toBe(4);
      world.pass(11);
      await world.ask(1, [0, 1], [used, used]);

      expect(world.granted).toBe(6);
    },
  );

  it('withholds half of the slots when throttled, once a second, and returns them one by one', async () => {
    await using scope = await redisScope();
    const world = new World(scope);
    await world.start();
    const grantedNow = async () => {
      const before = world.granted;
      await world.ask(0, [0, 1, 2, 3], [sleeper, sleeper, sleeper, sleeper]);
      await world.ask(1, [0, 1, 2, 3], [sleeper, sleeper, sleeper, sleeper]);
      world.pass(30);
      await world.ask(0, [], []);
      await world.ask(1, [], []);
      return world.granted - before;
    };
    expect(await grantedNow()).toBe(6);

    for (let i = 0; i < 3; i += 1) await world.ask(0, [], [], { throttled: 0 });
    const slowed = [await grantedNow()];
    for (let second = 0; second < 10; second += 1) {
      world.pass(1000);
      slowed.push(await grantedNow());
    }

    expect(slowed[0]).toBe(3);
    expect(slowed.at(-1)).toBe(6);
    expect(slowed.every((slots, i) => i === 0 || slots >= slowed[i - 1]!)).toBe(true);
  });
});
