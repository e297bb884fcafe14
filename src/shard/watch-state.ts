// Watches the shared state of a shard, in every role: notices a loss within a second, writes the note beside the process, gives signs of
// life, and reports when replicas differ.

import { randomBytes } from 'node:crypto';
import { AppError, isRedisFailure, messageOf } from '#domain/errors.ts';
import type { ReplicaRole } from '#domain/replica.ts';
import { differencesOf, type Replica, type ReplicaTrait, replicaTraits } from '#domain/replica.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import type { AwsClock } from '#runtime/aws-clock.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Redis } from '#runtime/redis.ts';
import { packageVersion } from '#runtime/version.ts';
import { ReplicaRegister } from '#store/replicas.ts';
import type { RedisState } from '#store/shared-state.ts';

export interface StateWatchOptions {
  readonly shard: string;
  readonly role: ReplicaRole;
  readonly state: RedisState;
  /** The difference between Redis's clock and AWS's. */
  readonly awsClock: Pick<AwsClock, 'aheadMs'>;
  /** Role `store`. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly configHash: () => string;
  /** The id of this process; default: its own. */
  readonly id?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly intervalMs?: number;
}

/** A difference is reported after it was seen this often in a row: a reload reaches all replicas within a moment. */
const seenBeforeTold = 2;
/** The name of a process among the replicas. */
export function newReplicaId(): string {
  return randomBytes(4).toString('hex');
}

/** After this long without a commit, one is made. */
const quietMs = 1_000;
/** A stop waits this long for the last note. */
const longestNoteMs = 1_000;

export class StateWatch implements Service {
  readonly name = 'watch over the state';
  readonly #options: StateWatchOptions & { readonly intervalMs: number };
  readonly #id: string;
  readonly #register: ReplicaRegister;
  readonly #stopping = new AbortController();
  readonly #seen = new Map<ReplicaTrait, number>();
  readonly #told = new Set<ReplicaTrait>();
  #startedAtMs: number | undefined;
  #replicas: readonly Replica[] = [];
  #noteFails = false;
  #noting: Promise<void> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();

  constructor(options: StateWatchOptions) {
    this.#options = { intervalMs: 1_000, ...options };
    this.#id = options.id ?? newReplicaId();
    this.#register = new ReplicaRegister({ redis: options.redis, prefix: options.prefix, id: this.#id });
  }

  /** The live replicas as of the last exchange, including this one. */
  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  /** This process, in `replicas`. */
  get id(): string {
    return this.#id;
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    const { state, clock, logger } = this.#options;
    this.#stopping.abort();
    await this.#running;
    const noted = new AbortController();
    const lastNote = this.#noting.then(() => this.#writeNote()).finally(() => noted.abort());
    await Promise.race([lastNote, sleepOrAbort(clock, longestNoteMs, noted.signal)]);
    if (state.unwritten.length > 0)
      logger.error(
        { code: 'PAUSE_NOT_WRITTEN' },
        'this replica was paused while Redis could not be written, and ends before it could be: the pause is lost; pause again, or start with `run --paused`',
      );
    await this.#register.leave();
  }

  async #run(): Promise<void> {
    const { clock, logger, intervalMs } = this.#options;
    const { signal } = this.#stopping;
    for (let failure = ''; !signal.aborted; await sleepOrAbort(clock, intervalMs, signal)) {
      try {
        await this.runOnce();
        failure = '';
      } catch (error) {
        const code = error instanceof AppError ? error.code : 'INTERNAL';
        // Redis's connection logs its outages itself.
        if (code !== failure && !isRedisFailure(error)) logger.error({ code, err: error }, messageOf(error));
        failure = code;
      }
    }
  }

  /** Checks once. @throws AppError REDIS_UNREACHABLE, STATE_TOO_NEW */
  async runOnce(): Promise<void> {
    const { state, awsClock, role, configHash, metrics, shard } = this.#options;
    await state.refresh({ maxAgeMs: 500 });
    await this.#pulse();
    // Not awaited: a disk that hangs must not delay the signs of life.
    this.#noting = this.#writeNote();
    this.#startedAtMs ??= state.nowMs();
    const clockOffsetMs = state.clock.skew()?.ms;
    const awsOffsetMs = awsClock.aheadMs;
    this.#replicas = await this.#register.beat({
      version: packageVersion,
      configHash: configHash(),
      role,
      startedAtMs: this.#startedAtMs,
      clockOffsetMs: clockOffsetMs === undefined ? undefined : Math.round(clockOffsetMs),
      awsOffsetMs,
    });
    metrics.replicas.set({ shard }, this.#replicas.length);
    if (clockOffsetMs !== undefined) metrics.clockOffset.set({ shard }, clockOffsetMs / 1000);
    if (awsOffsetMs !== undefined) metrics.awsClockOffset.set({ shard }, awsOffsetMs / 1000);
    await this.#compare();
  }

  async #pulse(): Promise<void> {
    const { state } = this.#options;
    const isQuiet = (atMs = Number.NEGATIVE_INFINITY) => state.nowMs() - atMs >= quietMs;
    if (!isQuiet(state.headAtMs)) return;
    await state.transact((tx) => {
      // Another replica may have been faster.
      if (isQuiet(tx.get(notes.pulse))) tx.set(notes.pulse, tx.nowMs);
    });
  }

  async #compare(): Promise<void> {
    const { state, metrics, shard, logger } = this.#options;
    const differences = differencesOf(this.#replicas);
    const now = new Map<ReplicaTrait, string>();
    for (const trait of replicaTraits) {
      const text = differences.get(trait);
      const seen = text === undefined ? 0 : (this.#seen.get(trait) ?? 0) + 1;
      this.#seen.set(trait, seen);
      if (text !== undefined && seen >= seenBeforeTold) now.set(trait, text);
      metrics.replicasDiffer.set({ shard, by: trait }, now.has(trait) ? 1 : 0);
      const sentence = now.get(trait);
      if ((sentence !== undefined) === this.#told.has(trait)) continue;
      if (sentence !== undefined) {
        this.#told.add(trait);
        logger.warn({ code: 'REPLICAS_DIFFER', by: trait, replica: this.#id }, sentence);
      } else {
        this.#told.delete(trait);
        logger.info({ by: trait }, `replicas no longer differ in their ${trait}`);
      }
    }
    const isNews = replicaTraits.some((trait) => state.view.get(alertKey(trait))?.text !== now.get(trait));
    // A difference seen only once is neither reported nor over.
    const isSettled = replicaTraits.every((trait) => differences.has(trait) === now.has(trait));
    if (isNews && isSettled) await state.transact((tx) => noteDifferences(tx, now));
  }

  /** Never rejects. */
  async #writeNote(): Promise<void> {
    const { state, logger } = this.#options;
    try {
      await state.writeNote();
      this.#noteFails = false;
    } catch (error) {
      if (!this.#noteFails)
        logger.info(
          { code: 'STATE_NOTE_UNWRITABLE', err: error },
          'the file about the state cannot be written: after a restart, only Redis can show that a state was lost',
        );
      this.#noteFails = true;
    }
  }
}

const alertKey = (trait: ReplicaTrait) => kinds.alert.of('replicas_differ', trait);

function noteDifferences(tx: Transaction, differences: ReadonlyMap<ReplicaTrait, string>): void {
  for (const trait of replicaTraits) {
    const key = alertKey(trait);
    const before = tx.get(key);
    const text = differences.get(trait);
    if (text === undefined) {
      if (before) tx.delete(key);
    } else if (before?.text !== text)
      tx.set(key, {
        kind: 'replicas_differ',
        sinceMs: before?.sinceMs ?? tx.nowMs,
        updatedAtMs: tx.nowMs,
        text,
      });
  }
}
