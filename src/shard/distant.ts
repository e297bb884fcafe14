// A shard that another process carries. Nothing is built for it until it is needed, and nothing stays when it is not: no limiter, no
// workers, no polls, no copy of its state. Only what Redis alone can do is possible from here: read, write controls and answers, and put
// observations for the shard into its queue.
import { accountIdOf } from '#config/accounts.ts';
import type { Config } from '#config/load.ts';
import type { AccountSettings } from '#config/settings.ts';
import type { Answered, ApprovalSaid } from '#domain/approval.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { EventObservation, HttpObservation } from '#domain/observation.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { Transaction, TransactionOptions } from '#domain/shared-state.ts';
import { settledAfterRepairMs } from '#domain/state-loss.ts';
import { notes } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { Queues } from '#jobs/queues.ts';
import { decideAnswer } from '#rules/decide.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { failureOf, keyPrefix, type Redis } from '#runtime/redis.ts';
import { RedisClock } from '#runtime/redis-clock.ts';
import { Replication } from '#runtime/redis-replication.ts';
import type { RedisServer } from '#runtime/redis-servers.ts';
import type { Taken } from '#src/pipeline.ts';
import { type SeenState, VisitedState } from '#store/visited-state.ts';
import { OnDemand } from './on-demand.ts';
import { RedisConnections } from './redis-connections.ts';
import { adBreakSpacingMs, logMaxAgeMs } from './settings.ts';
import { StoredRecords } from './stored-records.ts';

export interface DistantShardOptions {
  readonly account: AccountSettings;
  readonly config: () => Config;
  /** Called when it is needed. @throws AppError REDIS_URL_INVALID */
  readonly redis: () => RedisServer;
  readonly namespace: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Reads of distant shards run one after another: at most one of them is in memory. */
  readonly inTurn: <T>(run: () => Promise<T>) => Promise<T>;
  /** How long an unused connection is kept. */
  readonly idleMs?: number;
}

/** The data that an answer relies on is not older than this, or than three polls. */
const shortestFreshMs = 120_000;

interface Opened<T> {
  readonly connections: RedisConnections;
  readonly part: T;
}

export class DistantShard {
  readonly name: string;
  readonly region: string;
  readonly accountId: string | undefined;
  readonly #options: DistantShardOptions;
  readonly #prefix: string;
  readonly #logger: Logger;
  readonly #clock = new RedisClock();
  readonly #state: OnDemand<Opened<VisitedState>>;
  readonly #queues: OnDemand<Opened<Queues>>;
  #isClosed = false;

  constructor(options: DistantShardOptions) {
    const { account, namespace, logger, idleMs = 30_000 } = options;
    this.#options = options;
    this.name = account.name;
    this.region = account.region;
    this.accountId = accountIdOf(account);
    this.#prefix = keyPrefix(namespace, account.name);
    this.#logger = logger.child({ shard: account.name });
    this.#state = new OnDemand({
      open: () => this.#open('store', (redis) => this.#visited(redis)),
      close: ({ connections }) => connections.close(),
      idleMs,
    });
    this.#queues = new OnDemand({
      open: () => this.#open('queue', (redis) => new Queues({ redis, prefix: this.#prefix })),
      close: async ({ connections, part }) => {
        await part.close().catch(() => undefined);
        await connections.close();
      },
      idleMs,
    });
  }

  /** Redis's clock, as measured so far. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Connections to Redis that are open now: none when unused. */
  get isOpen(): boolean {
    return this.#state.isOpen || this.#queues.isOpen;
  }

  /** Reads the current state. @throws as `VisitedState.read` */
  read<T>(look: (state: SeenState) => T | Promise<T>): Promise<T> {
    return this.#state.use(({ part }) => this.#options.inTurn(() => part.read(look)));
  }

  /** Commits. @throws as `VisitedState.transact` */
  transact<T>(body: (tx: Transaction) => T, options?: TransactionOptions): Promise<T> {
    return this.#state.use(({ part }) => this.#options.inTurn(() => part.transact(body, options)));
  }

  /**
   * Takes a person's yes or no to an action that waits for it, under the rules of that shard. Nothing is done that the shard's
   * own polls have not confirmed recently.
   * @throws AppError ACCOUNT_ELSEWHERE: it decides by other rules than these; as `transact`
   */
  answer(said: ApprovalSaid, ruleset: Ruleset): Promise<Answered> {
    const { config } = this.#options;
    const { settings, hash } = config();
    const { full_interval: interval } = settings.polling;
    const freshMs = Math.max(shortestFreshMs, 3 * durationMs(interval));
    return this.transact((tx) => {
      if (tx.get(notes.ruleset)?.hash !== ruleset.hash)
        throw new AppError(
          'ACCOUNT_ELSEWHERE',
          `${this.name} is decided by other rules than this process has: answer where it is carried, or give all processes the same rules`,
        );
      const { answered } = decideAnswer(tx, said, ruleset, {
        startedAtMs: Math.max(tx.nowMs - freshMs, settledAfterRepairMs(tx)),
        needsInventory: true,
        adBreakSpacingMs: adBreakSpacingMs(settings),
        configHash: hash,
        externalUrl: settings.http.external_url?.replace(/\/+$/, ''),
        accountPrefix: `${this.name}:`,
      });
      return answered;
    });
  }

  /**
   * Puts what was observed here into the shard's queue: the process that carries it takes it from there, once. @throws AppError
   * REDIS_UNREACHABLE, REDIS_REFUSES
   */
  async take(observation: EventObservation | HttpObservation): Promise<Taken> {
    const id = observation.kind === 'event' ? observation.envelope.id : observation.requestId;
    const job = { jobId: jobIdOf('observe', observation.kind, id), name: 'observe', payload: { observation } };
    await this.#queues.use(({ part }) => part.add([job]));
    return 'taken';
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#state.close(), this.#queues.close()]);
  }

  async #open<T>(role: 'store' | 'queue', make: (redis: Redis) => T): Promise<Opened<T>> {
    const { redis, account, metrics } = this.#options;
    const server = redis();
    const connections = new RedisConnections({
      url: server.url,
      prefix: this.#prefix,
      access: server.access,
      of: { shard: account.name, metrics },
      logger: this.#logger,
      closing: () => this.#isClosed,
    });
    const connection = connections.connect(role);
    await connections.settled();
    // BullMQ waits forever for a connection that has never been ready, even when it only closes.
    if (role === 'queue' && connection.status !== 'ready') {
      await connections.close();
      throw failureOf(connection, `the queues of ${account.name} could not be reached`, undefined);
    }
    return { connections, part: make(connection) };
  }

  #visited(redis: Redis): VisitedState {
    const { account, config, metrics } = this.#options;
    const records = new StoredRecords({ shard: account.name, logger: this.#logger, metrics });
    return new VisitedState({
      account: account.name,
      redis,
      prefix: this.#prefix,
      clock: this.#clock,
      readEntry: (key, stored) => records.read(key, stored),
      logMaxAgeMs: (log) => logMaxAgeMs(config().settings, log),
      replication: new Replication({
        redis,
        prefix: this.#prefix,
        replicas: config().settings.redis.wait_replicas,
        logger: this.#logger,
      }),
    });
  }
}
