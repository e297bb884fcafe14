// The intake half of a shard: reads the event queue, lists streams and channels, lets rules see that time passes, and publishes metrics.
// Built by shard.ts, which starts the parts of its role.
import { randomUUID } from 'node:crypto';
import type { Account } from '#config/accounts.ts';
import type { Config } from '#config/load.ts';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import { durationMs } from '#domain/duration.ts';
import type { DataSource, EventObservation, SweepScope } from '#domain/observation.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { notes } from '#domain/state-registry.ts';
import { QueueConsumer } from '#intake/events/queue-consumer.ts';
import { QueueDepth } from '#intake/events/queue-depth.ts';
import type { Home } from '#intake/home.ts';
import {
  type InventoryOptions,
  readChannelDetails,
  refreshChannel,
  refreshInventory,
  refreshUnlisted,
} from '#intake/inventory/refresh.ts';
import { auditWhenDue } from '#intake/keys/key-audits.ts';
import { LookBack } from '#intake/look-back.ts';
import { fleetGauges } from '#intake/poll/gauges.ts';
import { type PollIntervals, pollIntervals } from '#intake/poll/intervals.ts';
import { Poller } from '#intake/poll/poller.ts';
import type { ChannelReader, HistoryReader, KeyReader, StreamReader } from '#intake/ports.ts';
import { limitsFrom } from '#ivs/limits.ts';
import type { Queues } from '#jobs/queues.ts';
import { scheduleKeeper } from '#jobs/schedule-keeper.ts';
import type { Schedule } from '#jobs/schedules.ts';
import type { Clock } from '#runtime/clock.ts';
import { codeOf, type Episode, loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { StepLoop } from '#runtime/step-loop.ts';
import type { Pipeline, Taken } from '#src/pipeline.ts';
import { fleetCounts } from '#streams/fleet.ts';
import { noteQueueRead, silentSinceMs } from '#streams/gaps.ts';
import { keepUnknownEvent } from '#streams/unknown-events.ts';
import type { JobHandler } from '#workers/host.ts';
import type { AwsAccess } from './aws-access.ts';
import { gapOptionsOf, limitSettingsOf, silentAfterMs } from './settings.ts';

/** Is notified that the event queue was read. */
export interface Hearer {
  readonly state: Pick<SharedState, 'transact'>;
}

/** Takes an event: once this resolves, its message may be deleted. */
export interface EventTaker {
  take(observation: EventObservation): Promise<Taken>;
}

export interface IntakeOptions {
  readonly account: Account;
  /** The account and Region of the shard, as known so far. */
  readonly home: () => Home;
  /** The shard that owns an event of this queue, here or in another process; undefined: no shard does. */
  readonly ownerOf: (observation: EventObservation) => EventTaker | undefined;
  readonly config: () => Config;
  /** The shards whose events come through this queue: all of them are notified that it was read. */
  readonly hearers: () => readonly Hearer[];
  /** How the event queue is reached. */
  readonly queueAccess: AwsAccess;
  readonly state: SharedState;
  readonly pipeline: Pipeline;
  readonly queues: Queues;
  readonly reader: StreamReader & ChannelReader & HistoryReader & KeyReader;
  readonly clock: Clock;
  readonly random: () => number;
  /** A child for the shard. */
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Ends every call that is under way. */
  readonly graceOver: AbortSignal;
  /** Whether metadata waits to be sent by this process. */
  readonly isSending: () => boolean;
  /** Called whenever what is due has been decided. */
  readonly onTick?: () => Promise<void>;
}

/** How often due timers are looked for: `for: 30s` can be late by this much. */
const tickMs = 250;
/** Differing channels that one listing names. */
const mostDiffersTold = 20;
/** A person waits for the answer. */
const onDemandMs = 10_000;

export class Intake {
  /** Undefined without an event queue. */
  readonly consumer: QueueConsumer | undefined;
  readonly depth: QueueDepth | undefined;
  readonly #options: IntakeOptions;
  readonly #inventory: InventoryOptions;
  /** Consecutive sweeps during which no listing of all channels was known. */
  #sweepsUnlisted = 0;
  readonly #poller: Poller;
  readonly #listing: Episode;
  readonly #details: Episode;

  constructor(options: IntakeOptions) {
    this.#options = options;
    const { state, pipeline, reader, clock, logger, metrics } = options;
    const observe = pipeline.observe.bind(pipeline);
    const now = () => state.nowMs();
    const { home } = options;
    this.#inventory = { reader, observe, view: state.view, now, home };
    const afterFullSweep = (signal: AbortSignal) => this.#lookUpUnlisted(signal);
    const everyMs = (scope: SweepScope) => this.#pollIntervals()[scope === 'all' ? 'fullMs' : 'starvingMs'];
    this.#poller = new Poller({
      reader,
      observe,
      now,
      everyMs,
      home,
      knownLive: () => fleetCounts(state.view).live,
      afterFullSweep,
      clock,
      logger,
      metrics,
    });
    this.#listing = loggedEpisode({
      clock,
      logger,
      level: 'error',
      code: codeOf,
      began: 'the channels cannot be listed; trying again at every interval',
      ended: 'the channels are listed again',
    });
    this.#details = loggedEpisode({
      clock,
      logger,
      level: 'warn',
      code: codeOf,
      began:
        'containerFormat and multitrackInputConfiguration of channels cannot be read; trying again at every interval',
      ended: 'the details of channels are read again',
    });
    const { queue_url: queueUrl } = options.account;
    // A queue that several accounts share is read by one of them.
    const isRead = queueUrl !== undefined && options.account.sharedQueue?.isReader !== false;
    this.consumer = isRead ? this.#createConsumer(queueUrl) : undefined;
    this.depth = isRead ? new QueueDepth(this.#queueOptions(queueUrl)) : undefined;
  }

  /** Runs of the repeating jobs. */
  get handlers() {
    const poll =
      (scope: SweepScope): JobHandler =>
      async (_payload, { signal }) => ({ outcome: 'done', ...(await this.#poller.runSweep(scope, signal)) });
    const list: JobHandler = async (_payload, { signal }) => ({
      outcome: 'done',
      channels: await this.#listChannels(signal),
      ...(await this.#readDetails(signal)),
    });
    return { 'poll-starving': poll('starving'), 'poll-all': poll('all'), 'refresh-inventory': list };
  }

  /** Until all channels have been listed, nothing is done about any: a listing that failed or was lost does not wait for its interval. */
  async #lookUpUnlisted(signal: AbortSignal): Promise<void> {
    if (this.#options.state.view.get(notes.inventoryListed) !== undefined) {
      this.#sweepsUnlisted = 0;
      await refreshUnlisted(this.#inventory, signal);
      return;
    }
    // The first listing may still be under way.
    this.#sweepsUnlisted += 1;
    if (this.#sweepsUnlisted > 1) await this.#listChannels(signal);
  }

  #listChannels(signal: AbortSignal): Promise<number> {
    return this.#listing.watch(() => refreshInventory(this.#inventory, signal), signal);
  }

  /** Reads what a listing leaves out. If it cannot be read, the listing counts anyway. */
  async #readDetails(signal: AbortSignal): Promise<{ readonly details: string }> {
    try {
      const { checked, differs } = await this.#details.watch(() => readChannelDetails(this.#inventory, signal), signal);
      if (differs.length === 0) return { details: 'done' };
      const told = { checked, differing: differs.length, differs: differs.slice(0, mostDiffersTold) };
      this.#options.logger.warn(told, 'channels changed since the listing a moment ago; their new state is used');
      return { details: 'done', ...told };
    } catch (error) {
      if (signal.aborted) throw error;
      return { details: codeOf(error) };
    }
  }

  /** Reads one channel again: it takes a permit and gets an answer within ten seconds, or throws an AppError. */
  refreshChannel(arn: ChannelArn): Promise<Channel | undefined> {
    const signal = AbortSignal.timeout(onDemandMs + 1_000);
    return refreshChannel(this.#inventory, arn, signal, { lane: 'urgent', timeoutMs: onDemandMs });
  }

  /** Keeps the repeating jobs scheduled. */
  schedules(): Loop {
    const { config, state, queues, clock, random, logger } = this.#options;
    const schedules = (): Schedule[] => {
      const { polling } = config().settings;
      const { starvingMs, fullMs } = this.#pollIntervals();
      return [
        { job: 'poll-starving', everyMs: starvingMs },
        { job: 'poll-all', everyMs: fullMs },
        { job: 'refresh-inventory', everyMs: durationMs(polling.inventory_interval) },
      ];
    };
    return scheduleKeeper({
      queues,
      schedules,
      ready: () => state.refresh({ maxAgeMs: 5_000 }),
      clock,
      logger,
      random,
    });
  }

  /** Lets time pass for the rules; nothing is lost if this fails: what is due stays due. */
  ticker(): Loop {
    const { pipeline, clock, random, logger, onTick } = this.#options;
    return new Loop({
      name: 'ticker',
      run: async () => {
        await pipeline.tick();
        await onTick?.();
      },
      everyMs: tickMs,
      retry: { baseMs: 2 * tickMs, maxMs: 5_000 },
      episode: loggedEpisode({ clock, logger, began: 'timers wait', ended: 'timers run again' }),
      clock,
      random,
    });
  }

  /** Completes the records of what happened during a data gap. */
  lookBack(): StepLoop {
    const { account, state, pipeline, reader, clock, logger } = this.#options;
    const lookBack = new LookBack({
      state,
      reader,
      observe: pipeline.observe.bind(pipeline),
      hasEventQueue: account.queue_url !== undefined,
      replica: randomUUID(),
      logger,
    });
    return new StepLoop({
      name: 'look-back',
      step: (signal) => lookBack.step(signal),
      idleMs: 2_000,
      retryMs: 15_000,
      episode: loggedEpisode({
        clock,
        logger,
        code: codeOf,
        began: 'sessions of the unobserved time cannot be looked up; trying again',
        ended: 'sessions of the unobserved time are looked up again',
      }),
      clock,
    });
  }

  /** Finds out for each channel whether it has a stream key, and how old that is. */
  keyAudits(): StepLoop {
    const { state, pipeline, reader, clock, logger, isSending } = this.#options;
    const observe = pipeline.observe.bind(pipeline);
    const options = { state, reader, observe, replica: randomUUID(), yieldsTo: { isSending, clock } };
    return new StepLoop({
      name: 'key-audits',
      step: (signal) => auditWhenDue(options, signal),
      idleMs: 10_000,
      retryMs: 300_000,
      episode: loggedEpisode({
        clock,
        logger,
        code: codeOf,
        began: 'the stream keys cannot be audited; trying again every five minutes',
        ended: 'the stream keys are audited again',
      }),
      clock,
    });
  }

  /** Publishes the fleet as metrics. */
  gauges(): Loop {
    const { account, state } = this.#options;
    const intervals = () => this.#pollIntervals();
    const isSilent = (source: DataSource) => this.silentSinceMs(source) !== undefined;
    return fleetGauges({ ...this.#options, shard: account.name, view: state.view, intervals, isSilent });
  }

  /** Since when a source has been silent, as every replica sees it; undefined while it delivers data. */
  silentSinceMs(source: DataSource): number | undefined {
    const { account, config, state } = this.#options;
    return silentSinceMs(state.view, source, { ...gapOptionsOf(config().settings, account), nowMs: state.nowMs() });
  }

  #createConsumer(queueUrl: string): QueueConsumer {
    const { ownerOf, hearers, config, state, isSending } = this.#options;
    return new QueueConsumer({
      ...this.#queueOptions(queueUrl),
      until: this.#options.graceOver,
      now: () => state.nowMs(),
      silentAfterMs: () => silentAfterMs(config().settings).events,
      isSending,
      sink: {
        observe: async (observation) => (await ownerOf(observation)?.take(observation)) ?? 'not_ours',
        keepUnknown: (event) => state.transact((tx) => keepUnknownEvent(tx, event)),
        queueRead: async ({ atMs, lagMs }) => {
          const tell = (hearer: Hearer) =>
            hearer.state.transact((tx) => noteQueueRead(tx, { atMs: Math.min(atMs, tx.nowMs), lagMs }));
          // A shard whose own Redis is away is notified with the next reading.
          const others = hearers().filter((hearer) => hearer.state !== state);
          const told = Promise.allSettled(others.map(tell));
          await tell({ state });
          await told;
        },
      },
    });
  }

  #queueOptions(queueUrl: string) {
    const { account, queueAccess, clock, random, logger, metrics } = this.#options;
    const { name: shard } = account;
    const { region, credentials, sqsEndpoint: endpoint } = queueAccess;
    const access = credentials === undefined ? {} : { credentials };
    return { shard, queueUrl, region, endpoint, ...access, clock, random, logger, metrics };
  }

  /** For a fleet of the size that is known now. */
  #pollIntervals(): PollIntervals {
    const { config, state } = this.#options;
    const { settings } = config();
    const { live, starving } = fleetCounts(state.view);
    return pollIntervals({
      starvingIntervalMs: durationMs(settings.polling.starving_interval),
      fullIntervalMs: durationMs(settings.polling.full_interval),
      callsPerSecond: limitsFrom(limitSettingsOf(settings))('ListStreams').perAccount,
      live,
      starving,
    });
  }
}
