// One (account, Region) put together: its state, its IVS client, its pipeline, its queues and workers. app.ts makes one for each
// account; shards share nothing but the process. Parts are built in the order in which they depend on each other; `start`
// starts them in that order, and each stop is registered beside its start.
import { type Account, accountIdOf, queueKeyOf } from '#config/accounts.ts';
import type { Config } from '#config/load.ts';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import type { Activation } from '#domain/control.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { DataSource, EventObservation, HttpObservation } from '#domain/observation.ts';
import type { OldPicture } from '#domain/picture.ts';
import type { ReplicaRole } from '#domain/replica.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { settledAfterRepairMs } from '#domain/state-loss.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { type Home, homeOf } from '#intake/home.ts';
import { QuotaSampler } from '#ivs/quota-hour.ts';
import { createReader } from '#ivs/reader.ts';
import { createIvsShard, type IvsShard } from '#ivs/shard.ts';
import { Queues } from '#jobs/queues.ts';
import { Relay } from '#jobs/relay.ts';
import type { Drainer } from '#metadata/drainer.ts';
import type { Outbox } from '#metadata/outbox.ts';
import type { MetadataService } from '#metadata/service.ts';
import type { Sweeper } from '#metadata/sweeper.ts';
import type { DecideOptions } from '#rules/decide.ts';
import { isSilenced } from '#rules/muting.ts';
import { AwsClock } from '#runtime/aws-clock.ts';
import type { Clock } from '#runtime/clock.ts';
import type { TeardownStack } from '#runtime/lifecycle.ts';
import type { Logger, Scrubber } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { keyPrefix, type Redis } from '#runtime/redis.ts';
import type { RedisServer } from '#runtime/redis-servers.ts';
import { tracePort } from '#runtime/tracing.ts';
import { type Committed, Pipeline, type StageOptions, type Taken } from '#src/pipeline.ts';
import type { RedisState } from '#store/shared-state.ts';
import type { HeadStarts } from '#workers/head-start.ts';
import { ActionUpkeep } from '#workers/upkeep.ts';
import { createActionHandlers } from './actions.ts';
import { type AwsAccess, type AwsOptions, awsAccessOf, queueAccessOf } from './aws-access.ts';
import { recordDecisionSpans } from './decision-spans.ts';
import { deliveryResults } from './delivery-results.ts';
import type { ShardDirectory } from './directory.ts';
import type { DistantShard } from './distant.ts';
import type { FileAuthority } from './file-authority.ts';
import { handOver } from './hand-over.ts';
import { beatIfDue } from './heartbeat.ts';
import { type Hearer, Intake } from './intake.ts';
import { type IvsLookups, ivsLookups } from './ivs-lookups.ts';
import { createMetadata } from './metadata.ts';
import { oldPictureOf } from './old-picture.ts';
import { pipelineStages } from './pipeline-stages.ts';
import { queueWorkers } from './queue-workers.ts';
import { RedisConnections, type RedisOutage } from './redis-connections.ts';
import { adBreakSpacingMs, limitSettingsOf } from './settings.ts';
import { Standby } from './standby.ts';
import { createState } from './state.ts';
import type { StateWatch } from './watch-state.ts';

export interface ShardOptions {
  readonly account: Account;
  /** Which files jobs may name. */
  readonly files: FileAuthority;
  /** Of the shards that this process carries, and those that it does not; asked once they are made. */
  readonly directory: () => ShardDirectory<Shard, DistantShard>;
  /** The configuration in force: read anew where it may change by a reload. */
  readonly config: () => Config;
  readonly redis: RedisServer;
  /** Where the state's file is; undefined: nowhere. */
  readonly dataFolder?: string | undefined;
  /** Who asked that all automation be paused from the start; undefined: nobody. */
  readonly startPaused?: string | undefined;
  /** Does nothing until it is activated. */
  readonly standby?: boolean | undefined;
  /** Of the deployment: the first part of every key. */
  readonly namespace: string;
  readonly role: ReplicaRole;
  /** Of this process, among the replicas. */
  readonly replicaId: string;
  readonly aws: AwsOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scrubber: Scrubber;
  /** Only where nobody else calls IVS (a test, the demo): how long an empty ledger of permits grants nothing. */
  readonly emptyLedgerPatienceMs?: number | undefined;
  /** Aborted when a stop has waited long enough: no call to anybody outlives it. */
  readonly graceOver: AbortSignal;
  /** Told of every commit of this replica, for narration and tests. */
  readonly onCommitted?: ((committed: Committed) => void) | undefined;
}

export class Shard {
  readonly name: string;
  readonly region: string;
  readonly state: RedisState;
  readonly ivs: IvsShard;
  readonly pipeline: Pipeline;
  readonly queues: Queues;
  readonly relay: Relay;
  readonly metadata: MetadataService;
  readonly outbox: Outbox;
  readonly intake: Intake;
  /** What is asked of IVS for a request. */
  readonly lookups: IvsLookups;
  /** Notices a loss of the state, and replicas that differ. */
  readonly watch: StateWatch;
  readonly store: Redis;
  readonly #options: ShardOptions;
  readonly #logger: Logger;
  readonly #prefix: string;
  readonly #aws: AwsAccess;
  readonly #redis: RedisConnections;
  #stack: TeardownStack | undefined;
  /** Undefined before this replica works on metadata, and if its role does not. */
  #headStarts: HeadStarts | undefined;
  readonly #drainer: Drainer;
  readonly #sweeper: Sweeper;
  /** `http.external_url`, as of the start. */
  readonly #externalUrl: string | undefined;
  /** When this replica last decided what was due, by its monotonic clock. */
  #tickedAtMs: number | undefined;
  /** When this replica's first transaction ran, by the shared clock: nothing acts before a complete poll after it. */
  #startedAtMs: number | undefined;

  constructor(options: ShardOptions) {
    const { account, config, namespace, clock, random, metrics } = options;
    const aws = awsAccessOf(account, options.aws);
    this.#aws = aws;
    this.#options = options;
    this.name = account.name;
    this.region = account.region;
    const accountId = accountIdOf(account);
    this.#logger = options.logger.child({ shard: account.name });
    this.#prefix = keyPrefix(namespace, account.name);
    this.#redis = new RedisConnections({
      url: options.redis.url,
      prefix: this.#prefix,
      access: options.redis.access,
      of: { shard: account.name, metrics },
      logger: this.#logger,
      nowMs: () => this.state.nowMs(),
      closing: () => this.#stack?.closing ?? false,
    });
    const { settings } = config();
    const { limits } = settings;
    this.#externalUrl = settings.http.external_url?.replace(/\/+$/, '');
    const limitSettings = limitSettingsOf(settings);

    const awsClock = new AwsClock(() => this.state.nowMs());
    const made = createState({
      ...options,
      shard: account.name,
      prefix: this.#prefix,
      connect: () => this.#redis.connect('store'),
      logger: this.#logger,
      awsClock,
      lostBatches: () => this.metadata.lostBatches(),
    });
    this.state = made.state;
    this.watch = made.watch;
    this.store = made.store;
    this.queues = new Queues({ redis: this.#redis.connect('queue'), prefix: this.#prefix });
    this.relay = new Relay({ state: this.state, queues: this.queues, clock, logger: this.#logger, random });

    this.ivs = createIvsShard({
      name: account.name,
      region: account.region,
      redis: this.#redis.connect('limiter'),
      keyPrefix: this.#prefix,
      limits: limitSettings,
      onRedisDown: limits.on_redis_down,
      requestTimeoutMs: durationMs(limits.request_timeout),
      until: options.graceOver,
      awsClock,
      clock,
      logger: options.logger,
      metrics,
      random,
      ...(accountId === undefined ? {} : { accountId }),
      ...(aws.ivsEndpoint === undefined ? {} : { endpoint: aws.ivsEndpoint }),
      ...(aws.credentials === undefined ? {} : { credentials: aws.credentials }),
      ...(options.emptyLedgerPatienceMs === undefined ? {} : { emptyLedgerPatienceMs: options.emptyLedgerPatienceMs }),
    });
    this.lookups = ivsLookups(this.ivs.client);
    this.pipeline = new Pipeline({
      state: this.state,
      ruleset: config().ruleset,
      stages: pipelineStages({ account, config, decideOptions: (tx, where) => this.#decideOptions(tx, where) }),
      onCommitted: (committed) => this.#committed(committed),
      tracing: tracePort,
    });

    this.intake = new Intake({
      account,
      home: () => this.#home(),
      ownerOf: (observation) =>
        account.sharedQueue
          ? options.directory().findOfSharedEvent(observation)
          : options.directory().findOfEvent(observation, this),
      hearers: () => this.#hearers(),
      config,
      queueAccess: queueAccessOf(account, options.aws),
      state: this.state,
      pipeline: this.pipeline,
      queues: this.queues,
      reader: createReader(this.ivs.client),
      clock,
      random,
      logger: this.#logger,
      metrics,
      graceOver: options.graceOver,
      isSending: () => this.#drainer.size > 0,
      onTick: () => this.#ticked(),
    });

    const { outbox, drainer, sweeper, service } = createMetadata({
      shard: account.name,
      settings,
      prefix: this.#prefix,
      connect: (role) => this.#redis.connect(role),
      state: this.state,
      queues: this.queues,
      client: this.ivs.client,
      home: () => this.#home(),
      clock,
      random,
      logger: this.#logger,
      metrics,
    });
    this.outbox = outbox;
    this.#drainer = drainer;
    this.#sweeper = sweeper;
    this.metadata = service;
  }

  /** Where everything of the shard lies. */
  get redis(): RedisServer {
    return this.#options.redis;
  }

  /** Since when its Redis cannot be used, and how; undefined while it can. */
  get redisTrouble(): RedisOutage | undefined {
    return this.#redis.outage;
  }

  /** Why what this replica shows is a picture of the past; undefined: it is not. */
  get oldPicture(): OldPicture | undefined {
    return oldPictureOf(this.#redis.outage, this.state.asOfMs, this.state.nowMs());
  }

  /** From the configuration, else from the ARNs in the account's own list of channels; undefined while neither tells. */
  get accountId(): string | undefined {
    return this.#home().account;
  }

  /** The same for all shards that have one event queue; undefined: it has none. */
  get queueKey(): string | undefined {
    const { queue_url: url } = this.#options.account;
    return url === undefined ? undefined : queueKeyOf(url);
  }

  /** Takes what belongs here, by whichever queue or request it came. @throws AppError as `Pipeline.observe` */
  take(observation: EventObservation | HttpObservation): Promise<Taken> {
    return this.pipeline.observe(observation);
  }

  /** The rules in force. */
  get ruleset(): Ruleset {
    return this.pipeline.ruleset;
  }

  /** When this replica began to decide, by the shared clock. */
  get startedAtMs(): number | undefined {
    return this.#startedAtMs;
  }

  /** Started as a standby, and nobody has activated it. */
  get standsBy(): boolean {
    return this.#options.standby === true && this.state.view.get(notes.activation) === undefined;
  }

  /** Since when a source has been silent, by what every replica knows; undefined while it gives data. */
  silentSinceMs(source: DataSource): number | undefined {
    return this.intake.silentSinceMs(source);
  }

  /** How long ago this replica last decided what was due; undefined: never. */
  sinceTickMs(): number | undefined {
    return this.#tickedAtMs === undefined ? undefined : this.#options.clock.monotonic() - this.#tickedAtMs;
  }

  /** Starts the parts that this role has; each is stopped by the stack. */
  async start(stack: TeardownStack, graceMs: number): Promise<void> {
    this.#stack = stack;
    stack.defer(`redis ${this.name}`, 2_000, async () => {
      await this.queues.close().catch(() => undefined);
      await this.#redis.close();
    });
    // Redis being away is no reason not to start: every part waits for it, and /readyz says so.
    await this.#redis.settled();
    // Before anything else writes: what it writes tells of a state.
    await this.state.refresh().catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'STATE_TOO_NEW') throw error;
    });
    await stack.start(this.watch, 1_000);
    const { clock, metrics } = this.#options;
    metrics.standby.set({ shard: this.name }, this.standsBy ? 1 : 0);
    if (!this.standsBy) return this.#startWork(stack, graceMs);
    const onActivated = async ({ who, reason, sinceMs }: Activation) => {
      metrics.standby.set({ shard: this.name }, 0);
      this.#logger.info({ who, reason, sinceMs }, 'the standby was activated: it works from now on');
      await this.#startWork(stack, graceMs).catch((error: unknown) => {
        if (!stack.closing) throw error;
      });
    };
    await stack.start(new Standby({ state: this.state, clock, onActivated }), graceMs);
  }

  /** Everything that a standby leaves: what polls, decides, calls and delivers. */
  async #startWork(stack: TeardownStack, graceMs: number): Promise<void> {
    const { role } = this.#options;
    const does = (part: Exclude<ReplicaRole, 'all'>) => role === 'all' || role === part;
    await stack.start(this.ivs, 3_000);
    await stack.start(this.relay, 3_000);
    stack.defer('announcements of metadata', 1_000, async () => this.metadata.stop());
    const { clock, metrics, random } = this.#options;
    const quota = () => this.ivs.quotaSnapshot();
    const logger = this.#logger;
    await stack.start(new QuotaSampler({ shard: this.name, state: this.state, quota, clock, metrics, logger }), 1_000);
    if (does('worker')) {
      await stack.start(this.#sweeper, 2_000);
      await stack.start(this.#drainer, graceMs);
      const { outbox, state } = this;
      await stack.start(deliveryResults({ outbox, state, clock, logger, metrics, random }), 1_000);
      const receiver = (name: string) => this.ruleset.receivers.find((each) => each.name === name);
      const nudge = () => this.relay.nudge();
      const groups = { receiver, isSilenced };
      await stack.start(new ActionUpkeep({ shard: this.name, state, clock, logger, metrics, nudge, groups }), 2_000);
    }
    const { host, headStarts } = queueWorkers({
      connect: () => this.#redis.connect('worker'),
      prefix: this.#prefix,
      does,
      graceMs,
      config: this.#options.config,
      state: this.state,
      clock,
      logger,
      metrics,
      random,
      client: this.ivs.client,
      metadata: this.metadata,
      actions: this.#actionHandlers(stack),
      intake: this.intake.handlers,
      observe: (observation) => this.take(observation),
      nudgeDrainer: () => this.#drainer.nudge('normal'),
    });
    await stack.start(host, graceMs + 3_000);
    this.#headStarts = headStarts;
    const { depth, consumer } = this.intake;
    if (depth && (does('intake') || does('api'))) await stack.start(depth, 2_000);
    if (does('intake')) {
      await stack.start(this.intake.schedules(), 2_000);
      await stack.start(this.intake.ticker(), 5_000);
      await stack.start(this.intake.lookBack(), 3_000);
      await stack.start(this.intake.keyAudits(), 3_000);
      if (consumer) await stack.start(consumer, 10_000);
    }
    // Also where nothing polls: that polls are missing must be told by those who are left.
    if (does('intake') || does('api')) await stack.start(this.intake.gauges(), 1_000);
  }

  /** One channel is read again: a permit and an answer within ten seconds, or an AppError. */
  refreshChannel(arn: ChannelArn): Promise<Channel | undefined> {
    return this.intake.refreshChannel(arn);
  }

  /** Between two calls of InsertAdBreak, by the quota. */
  adBreakSpacingMs(): number {
    return adBreakSpacingMs(this.#options.config().settings);
  }

  #actionHandlers(stack: TeardownStack) {
    const { clock, random, metrics, config, scrubber, files, graceOver } = this.#options;
    return createActionHandlers(
      {
        client: this.ivs.client,
        aws: this.#aws,
        config,
        metrics,
        scrubber,
        until: graceOver,
        files,
        observe: (observation) => this.pipeline.observe(observation),
        logger: this.#logger,
        adBreakSpacingMs: () => this.adBreakSpacingMs(),
        state: this.state,
        clock,
        random,
        metadata: this.metadata,
        nudge: () => this.relay.nudge(),
      },
      stack,
    );
  }

  #home(): Home {
    const { account } = this.#options;
    return homeOf(this.state.view, { region: account.region, account: accountIdOf(account) });
  }

  /** The shards whose events come by this one's queue, itself among them: one process carries all of them. */
  #hearers(): readonly Hearer[] {
    const { account, directory } = this.#options;
    if (!account.sharedQueue) return [this];
    return directory().all.filter((shard) => shard.queueKey === this.queueKey);
  }

  /** The first shard of the process speaks for all that it carries. */
  async #ticked(): Promise<void> {
    const { clock, directory } = this.#options;
    this.#tickedAtMs = clock.monotonic();
    const { heartbeat } = this.ruleset;
    const { all } = directory();
    if (heartbeat && all[0] === this && (await beatIfDue(heartbeat, { state: this.state, all }))) this.relay.nudge();
  }

  #decideOptions(tx: Transaction, { trace }: StageOptions = {}): DecideOptions {
    this.#startedAtMs ??= tx.nowMs;
    // After a repair of the state it is as after a start: nothing acts before a complete poll.
    return {
      startedAtMs: Math.max(this.#startedAtMs, settledAfterRepairMs(tx)),
      needsInventory: true,
      adBreakSpacingMs: this.adBreakSpacingMs(),
      configHash: this.#options.config().hash,
      trace,
      externalUrl: this.#externalUrl,
      accountPrefix: this.#options.directory().isOne ? '' : `${this.name}:`,
    };
  }

  #committed(committed: Committed): void {
    const { view } = this.state;
    if (view.count(kinds.job) > 0) handOver(committed, { view, headStarts: this.#headStarts, relay: this.relay });
    const { metrics, onCommitted } = this.#options;
    for (const { rule, mode, outcome, reason } of committed.decisions)
      metrics.decisions.inc({ rule, mode, outcome, reason });
    recordDecisionSpans(committed);
    onCommitted?.(committed);
  }
}
