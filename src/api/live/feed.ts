// Feeds the readers of `GET /v1/live`: first everything, then changes. Runs only while somebody reads.
// All readers follow the same steps of one model, each at its own speed (feed-reader.ts).
import { messageOf } from '#domain/errors.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import { FeedReader, type Reader } from './feed-reader.ts';
import { type ChannelExtras, LiveModel } from './model.ts';
import type { LiveStatus } from './status.ts';

export interface LiveFeedOptions {
  readonly state: SharedState;
  readonly extras: () => ChannelExtras;
  readonly status: () => Promise<LiveStatus>;
  /** Whether the state is only a picture of the past, so that nothing is sampled from it. Default: never. */
  readonly isOld?: () => boolean;
  readonly logger: Logger;
  readonly intervalMs?: number;
  readonly sampleMs?: number;
}

export class LiveFeed implements Service {
  readonly name = 'live-feed';
  readonly #options: Required<LiveFeedOptions>;
  readonly #model = new LiveModel();
  readonly #readers = new Set<FeedReader>();
  #ticker: NodeJS.Timeout | undefined;
  #sampler: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #stopped = false;
  /** The last status that was sent, part by part. */
  #sent: Record<string, string> = {};
  /** Why the last step failed. */
  #failure: string | undefined;

  constructor(options: LiveFeedOptions) {
    this.#options = { intervalMs: 1_000, sampleMs: 15_000, isOld: () => false, ...options };
  }

  async start(): Promise<void> {
    if (this.#stopped) return;
    const { state, isOld, sampleMs } = this.#options;
    this.#sampler = setInterval(() => {
      if (!isOld()) this.#model.sample(state.view);
    }, sampleMs);
    this.#sampler.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sampler);
    clearInterval(this.#ticker);
    await this.#working;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Serves one reader until its signal is aborted: `status`, `rows` in pieces, `ready`, and later `delta` and `status`. */
  async follow(connection: Reader): Promise<void> {
    await this.#tick();
    if (Object.keys(this.#sent).length === 0) throw new Error(`there is no status yet: ${this.#failure}`);
    const reader = new FeedReader(connection);
    reader.status(Object.fromEntries(Object.entries(this.#sent).map(([key, text]) => [key, JSON.parse(text)])));
    if (this.#failure !== undefined) reader.problem(this.#failure);
    this.#add(reader, connection.signal);
    await reader.load(this.#model.numbers(), (number) => this.#model.row(number));
  }

  #add(reader: FeedReader, signal: AbortSignal): void {
    if (this.#stopped || signal.aborted) return;
    this.#readers.add(reader);
    signal.addEventListener('abort', () => this.#remove(reader), { once: true });
    this.#ticker ??= setInterval(() => void this.#tick(), this.#options.intervalMs);
  }

  #remove(reader: FeedReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  /** One step at a time; a tick during a step shares it. */
  #tick(): Promise<void> {
    this.#working ??= this.#step().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #step(): Promise<void> {
    const { state, extras, status, logger } = this.#options;
    try {
      // A replica that only serves the API makes no commits, so it must read what the others did.
      await state.refresh().catch(() => undefined);
      const delta = this.#model.step(state.view, extras(), state.nowMs());
      for (const reader of this.#readers) reader.delta(delta);
      const parts = Object.fromEntries(
        Object.entries(await status()).map(([key, part]) => [key, JSON.stringify(part)]),
      );
      // A removed part is null.
      const changed = Object.keys({ ...this.#sent, ...parts }).filter(
        (key) => key === 'nowMs' || this.#sent[key] !== parts[key],
      );
      this.#sent = parts;
      const news = Object.fromEntries(changed.map((key) => [key, JSON.parse(parts[key] ?? 'null')]));
      for (const reader of this.#readers) reader.status(news);
      if (this.#failure !== undefined) logger.info('the live page is updated again');
      this.#failure = undefined;
    } catch (error) {
      const failure = messageOf(error);
      if (this.#failure === undefined)
        logger.warn({ err: error }, 'the live page cannot be updated; trying again every second');
      this.#failure = failure;
      // Nobody may take the last status for the current one.
      const old = { stale: true, nowMs: state.nowMs() };
      for (const [key, part] of Object.entries(old)) if (key in this.#sent) this.#sent[key] = JSON.stringify(part);
      for (const reader of this.#readers) {
        reader.status(old);
        reader.problem(failure);
      }
    }
  }
}
