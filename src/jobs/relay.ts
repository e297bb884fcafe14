// The outbox relay (the pattern is known as the transactional outbox): carries committed jobs from the shared state into BullMQ. A decision
// and its jobs are one commit; this later step may be repeated at will, because job ids are derived from their cause. The replica that
// committed relays at once, except what it holds back until its metadata is accepted (workers/head-start.ts); the sweep of any other
// replica finds what a dead one left behind.
import { messageOf } from '#domain/errors.ts';
import type { JobRequest } from '#domain/job.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { backoffMs } from '#runtime/backoff.ts';
import { Bell } from '#runtime/bell.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import { codeOf } from '#runtime/episode.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import { isJobName, queueOf } from './catalog.ts';
import type { Queues } from './queues.ts';

export interface RelayOptions {
  readonly state: SharedState;
  readonly queues: Pick<Queues, 'add'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** How often to look for leftovers. */
  readonly sweepMs?: number;
}

const batchSize = 500;
/** The record that a job was handed over may wait this long, to be written with another commit. */
const forgetWithinMs = 8;

export class Relay implements Service {
  readonly name = 'relay';
  readonly #options: Required<RelayOptions>;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  readonly #bell = new Bell();
  /** Ids of jobs that are in their queue, but whose record is not written yet. */
  readonly #handedOver = new Set<string>();
  readonly #forgetting = new Set<Promise<void>>();
  /** By id: jobs that wait for the end of something. */
  readonly #heldBack = new Map<string, Promise<void>>();

  constructor(options: RelayOptions) {
    this.#options = { sweepMs: 2_000, ...options };
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  /** Hands over what is committed, then ends. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#bell.ring();
    await this.#running;
    await Promise.all(this.#heldBack.values());
    await this.runOnce().catch(() => undefined);
    await Promise.all(this.#forgetting);
  }

  /** To be called when a commit enqueued jobs. */
  nudge(): void {
    this.#bell.ring();
  }

  /**
   * Hands these jobs over when something has ended; it must not fail, and must end soon. Until then later jobs of the same queue wait too:
   * the order stays.
   */
  holdBack(jobIds: readonly string[], ended: Promise<void>): void {
    const over = ended.then(() => {
      for (const jobId of jobIds) this.#heldBack.delete(jobId);
      this.nudge();
    });
    for (const jobId of jobIds) this.#heldBack.set(jobId, over);
  }

  /** Relays every committed job that this replica knows and does not hold back; returns their number. */
  async runOnce(): Promise<number> {
    const { state, queues } = this.#options;
    let relayed = 0;
    for (;;) {
      const jobs: JobRequest[] = [];
      const waiting = new Set<string>();
      for (const [, job] of state.view.entries(kinds.job)) {
        if (this.#handedOver.has(job.jobId)) continue;
        if (this.#isHeldBack(job, waiting)) continue;
        jobs.push(job);
        if (jobs.length >= batchSize) break;
      }
      if (jobs.length === 0) return relayed;
      await queues.add(jobs);
      this.#forget(jobs.map(({ jobId }) => jobId));
      relayed += jobs.length;
    }
  }

  /** @param waiting the queues of the jobs before it that are held back; gets the job's, if it is */
  #isHeldBack({ jobId, name, payload }: JobRequest, waiting: Set<string>): boolean {
    if (this.#heldBack.size === 0) return false;
    const queue = isJobName(name) ? queueOf(name, payload) : '';
    if (this.#heldBack.has(jobId)) waiting.add(queue);
    return waiting.has(queue);
  }

  /** Removes jobs that reached their queue from the state. If that fails now, they are handed over again, which changes nothing. */
  #forget(jobIds: readonly string[]): void {
    for (const jobId of jobIds) this.#handedOver.add(jobId);
    const forgotten = this.#options.state
      .transact(
        (tx) => {
          for (const jobId of jobIds) if (tx.get(kinds.job.of(jobId)) !== undefined) tx.delete(kinds.job.of(jobId));
        },
        { withinMs: forgetWithinMs },
      )
      .catch(() => undefined)
      .finally(() => {
        for (const jobId of jobIds) this.#handedOver.delete(jobId);
        this.#forgetting.delete(forgotten);
      });
    this.#forgetting.add(forgotten);
  }

  async #run(): Promise<void> {
    const { clock, logger, random, sweepMs, state } = this.#options;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (!this.#bell.hasRung) await state.refresh();
        this.#bell.reset();
        await this.runOnce();
        if (failures > 0) logger.info('jobs reach their queue again');
        failures = 0;
        await this.#bell.wait(sweepMs);
      } catch (error) {
        if (failures === 0)
          logger.warn({ code: codeOf(error), err: error }, `committed jobs wait: ${messageOf(error)}`);
        failures += 1;
        await sleepOrAbort(clock, backoffMs({ baseMs: 100, maxMs: 2_000 }, failures, random), signal);
      }
    }
  }
}
