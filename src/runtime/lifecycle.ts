// Starting and stopping: the Service contract, and a stack of named, bounded teardowns that runs last in, first out.
import { AppError, messageOf } from '#domain/errors.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/**
 * A part that runs by itself. `start` returns promptly, once the part is usable. `stop` may be called before
 * `start`, during it and more than once; it resolves when nothing of the part is still running.
 */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface Teardown {
  readonly name: string;
  /** The step is abandoned, and logged, after this long. */
  readonly boundMs: number;
  run(): Promise<void> | void;
}

/**
 * Releases what was acquired, in reverse order. States: open → closing → closed; once closing, nothing can be added:
 * `defer` then runs the teardown at once, so that an acquisition that came too late is released too.
 */
export class TeardownStack {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #steps: Teardown[] = [];
  #closed: Promise<Error[]> | undefined;

  constructor({ clock, logger }: { clock: Clock; logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** True from the first call of `close`: nothing more may be acquired. */
  get closing(): boolean {
    return this.#closed !== undefined;
  }

  /** Registers a release right beside its acquisition. */
  defer(name: string, boundMs: number, run: Teardown['run']): void {
    const step = { name, boundMs, run };
    if (this.#closed) void this.#runStep(step);
    else this.#steps.push(step);
  }

  /**
   * Starts a service and registers its stop; a service that failed to start is stopped as well. @throws AppError INTERRUPTED once closing
   */
  async start(service: Service, boundMs: number): Promise<void> {
    if (this.#closed) throw new AppError('INTERRUPTED', `${service.name} is not started: the daemon stops`);
    this.defer(service.name, boundMs, () => service.stop());
    await service.start();
  }

  /** Runs every step, even if an earlier one failed, each within its bound and what is left of `withinMs`. Returns the failures; idempotent. */
  close(withinMs = Number.POSITIVE_INFINITY): Promise<Error[]> {
    this.#closed ??= this.#close(this.#clock.monotonic() + withinMs);
    return this.#closed;
  }

  async #close(deadline: number): Promise<Error[]> {
    const failures: Error[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      const boundMs = Math.max(0, Math.min(step.boundMs, deadline - this.#clock.monotonic()));
      const failure = await this.#runStep({ name: step.name, boundMs, run: () => step.run() });
      if (failure) failures.push(failure);
    }
    return failures;
  }

  async #runStep(step: Teardown): Promise<Error | undefined> {
    const startedAt = this.#clock.monotonic();
    const bound = new AbortController();
    try {
      await Promise.race([
        Promise.resolve().then(() => step.run()),
        this.#clock.sleep(step.boundMs, bound.signal).then(() => {
          throw new AppError('STOP_TIMED_OUT', `${step.name} did not stop within ${step.boundMs} ms`);
        }),
      ]);
      this.#logger.debug({ part: step.name, tookMs: Math.round(this.#clock.monotonic() - startedAt) }, 'stopped');
      return undefined;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(messageOf(error));
      this.#logger.error({ part: step.name, err: failure }, 'could not stop a part cleanly');
      return failure;
    } finally {
      bound.abort();
    }
  }
}
