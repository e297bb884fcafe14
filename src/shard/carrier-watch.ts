// Tells the other processes of the fleet which accounts this one carries, and learns what they carry. One small exchange with Redis for the
// whole process: an account that is carried elsewhere adds only its name to it.
import { hostname } from 'node:os';
import { type Carried, type Carrier, carrierParts, MissingParts, namesOf, roleDoes } from '#domain/carrier.ts';
import type { ReplicaRole } from '#domain/replica.ts';
import type { Clock } from '#runtime/clock.ts';
import { codeOf, loggedEpisode } from '#runtime/episode.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Redis } from '#runtime/redis.ts';
import { packageVersion } from '#runtime/version.ts';
import { CarrierRegister } from '#store/carriers.ts';

export interface CarrierWatchOptions {
  /** Role `store`, to the Redis of REDIS_URL. */
  readonly redis: Redis;
  readonly namespace: string;
  /** The id of this process. */
  readonly id: string;
  readonly role: ReplicaRole;
  /** Whether this process does nothing until it is activated: then it carries nothing, and reports no account as missing. */
  readonly standsBy: () => boolean;
  /** Names of the accounts in the configuration, in its order. */
  readonly accounts: readonly string[];
  /** Those that this process carries. */
  readonly own: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'shardCarriers'>;
  /** Epoch ms, for times shown to people. */
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly pace?: CarrierPace | undefined;
}

export interface CarrierPace {
  readonly everyMs: number;
  /** How long after its last sign of life a process counts as gone. */
  readonly goneMs: number;
  /** How long an account may be carried by nobody before this is reported. */
  readonly patienceMs: number;
}

/** A process that restarts is back before anything is reported. */
const usualPace: CarrierPace = { everyMs: 2_000, goneMs: 10_000, patienceMs: 30_000 };

export class CarrierWatch implements Service {
  readonly name = 'who carries what';
  readonly #options: CarrierWatchOptions;
  readonly #register: CarrierRegister;
  readonly #missing: MissingParts;
  readonly #loop: Loop;
  readonly #own: Omit<Carrier, 'id' | 'atMs'>;
  /** As of the last exchange. */
  #carried: readonly Carried[];

  constructor(options: CarrierWatchOptions) {
    const { redis, namespace, id, accounts, own, role, clock, random, logger, pace = usualPace } = options;
    this.#options = options;
    this.#register = new CarrierRegister({ redis, namespace, id, goneMs: pace.goneMs });
    this.#missing = new MissingParts({ accounts, patienceMs: pace.patienceMs });
    this.#carried = this.#missing.carried(clock.monotonic());
    this.#own = { host: hostname(), role, version: packageVersion, accounts: own };
    this.#loop = new Loop({
      name: this.name,
      run: () => this.runOnce(),
      everyMs: pace.everyMs,
      retry: { baseMs: pace.everyMs, maxMs: 2 * pace.everyMs },
      episode: loggedEpisode({
        clock,
        logger,
        level: 'warn',
        code: codeOf,
        began: 'it is not known which process carries which account: Redis does not answer',
        ended: 'who carries which accounts is known again',
      }),
      clock,
      random,
    });
  }

  /** The state of each account in the configuration, as of the last exchange; times are epoch ms. */
  get carried(): readonly Carried[] {
    return this.#carried;
  }

  /** Who carries an account, for messages: `web-2 (id 1a2b3c4d, role all)`. */
  carriersOf(account: string): string {
    const carriers = this.carried.find((each) => each.account === account)?.carriers;
    if (carriers === undefined) return 'the process that carries it, which is unknown while Redis does not answer';
    return carriers.length === 0 ? 'nobody: no process carries it now' : namesOf(carriers);
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#register.leave();
  }

  /** Exchanges once. @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES: it is not known who carries what */
  async runOnce(): Promise<void> {
    const { clock } = this.#options;
    try {
      const standsBy = this.#options.standsBy();
      const carriers = await this.#register.beat(standsBy ? { ...this.#own, role: 'standby' } : this.#own);
      if (standsBy) this.#missing.lost();
      else this.#missing.read(carriers, clock.monotonic());
    } catch (error) {
      this.#missing.lost();
      this.#take();
      throw error;
    }
    this.#take();
  }

  #take(): void {
    const { clock, nowMs } = this.#options;
    const before = new Map(this.#carried.map((each) => [each.account, each]));
    const monotonicMs = clock.monotonic();
    this.#carried = this.#missing.carried(monotonicMs).map((each) => ({
      ...each,
      missing: each.missing.map(({ part, sinceMs }) => {
        // The start time stays the same for as long as the state lasts.
        const known = before.get(each.account)?.missing.find((one) => one.part === part);
        return known ?? { part, sinceMs: Math.round(nowMs() - (monotonicMs - sinceMs)) };
      }),
    }));
    for (const each of this.#carried) this.#show(each, before.get(each.account));
  }

  #show({ account: shard, carriers, missing }: Carried, before: Carried | undefined): void {
    const { metrics, logger } = this.#options;
    for (const part of carrierParts) {
      if (carriers === undefined) metrics.shardCarriers.remove({ shard, part });
      else metrics.shardCarriers.set({ shard, part }, carriers.filter(({ role }) => roleDoes(role, part)).length);
    }
    const parts = missing.map(({ part }) => part);
    const was = (before?.missing ?? []).map(({ part }) => part);
    if (parts.join() === was.join()) return;
    if (parts.length > 0)
      logger.error(
        { code: 'ACCOUNT_NOT_CARRIED', shard, missing: parts },
        'nobody carries this account, or a part of it',
      );
    else if (carriers !== undefined) logger.info({ shard }, 'this account is carried again');
  }
}
