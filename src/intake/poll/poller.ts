// Runs sweeps of ListStreams when called (by one job per interval for all replicas), and hands over what they saw.
import { randomUUID } from 'node:crypto';
import type { PollObservation } from '#domain/observation.ts';
import type { Clock } from '#runtime/clock.ts';
import { codeOf, type Episode, loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Home } from '../home.ts';
import type { Observe, StreamReader } from '../ports.ts';
import { readSweep } from './sweep.ts';

export interface PollerOptions {
  readonly reader: StreamReader;
  readonly observe: Observe;
  /** The clock that all replicas share. */
  readonly now: () => number;
  /** The current interval between sweeps; undefined: sweeps have no interval. */
  readonly everyMs?: (scope: PollObservation['scope']) => number;
  /** The expected owner of the streams, from what is known now; undefined: anybody. */
  readonly home?: () => Home;
  /** Number of streams known to be live. */
  readonly knownLive?: () => number;
  /** What to look up once all live streams are known; a failure is logged, and the next sweep tries again. */
  readonly afterFullSweep?: (signal: AbortSignal) => Promise<unknown>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface SweepSummary {
  readonly scope: PollObservation['scope'];
  readonly pages: number;
  readonly streams: number;
  readonly tookMs: number;
}

export class Poller {
  readonly #options: PollerOptions;

  /** While IVS does not answer, the sweep of every interval fails. */
  readonly #episodes: Readonly<Record<PollObservation['scope'], Episode>>;

  constructor(options: PollerOptions) {
    this.#options = options;
    const { clock, logger } = options;
    const episode = (scope: PollObservation['scope']) =>
      loggedEpisode({
        clock,
        logger: logger.child({ scope }),
        level: 'error',
        code: codeOf,
        began: 'live streams cannot be listed; trying again at every interval',
        ended: 'live streams are listed again',
      });
    this.#episodes = { all: episode('all'), starving: episode('starving') };
  }

  /**
   * One sweep; resolves when everything that follows from it is committed.
   * @throws AppError POLL_FAILED if a page failed (what the others showed is committed), REDIS_UNREACHABLE
   */
  runSweep(scope: PollObservation['scope'], signal: AbortSignal): Promise<SweepSummary> {
    return this.#episodes[scope].watch(() => this.#sweep(scope, signal), signal);
  }

  async #sweep(scope: PollObservation['scope'], signal: AbortSignal): Promise<SweepSummary> {
    const { reader, observe, now, afterFullSweep, logger, metrics } = this.#options;
    const everyMs = this.#options.everyMs?.(scope);
    const { observation, failure } = await readSweep({
      scope,
      pollId: randomUUID(),
      reader,
      now,
      signal,
      everyMs,
      home: this.#options.home?.(),
      knownLive: this.#options.knownLive?.(),
    });
    const tookMs = observation.finishedAtMs - observation.startedAtMs;
    // Stopped while reading: another replica will make the next sweep, and an incomplete one is useless.
    if (failure && signal.aborted) throw failure;
    await observe(observation);
    metrics.polls.inc({ scope, outcome: failure ? 'incomplete' : 'complete' });
    metrics.pollSeconds.observe({ scope }, tookMs / 1000);
    if (failure) throw failure;
    const { pages, streams } = observation;
    const summary = { scope, pages, streams: streams.length, tookMs };
    logger.debug(summary, 'listed the live streams');
    if (scope === 'all' && afterFullSweep) {
      await afterFullSweep(signal).catch((err: unknown) => {
        if (!signal.aborted) logger.warn({ err }, 'new channels could not be looked up');
      });
    }
    return summary;
  }
}
