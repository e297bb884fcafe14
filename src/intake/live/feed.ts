// Feeds the readers of `GET /v1/live`: to each first everything, then what changed. Ticks only while somebody reads.
// States of a reader: loading (gets the rows in pieces) → following. All readers follow the same steps of one model.
import { messageOf } from '#domain/errors.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import { type ChannelExtras, LiveModel } from './model.ts';
import type { LiveStatus } from './status.ts';

/** One open connection. */
export interface Reader {
  readonly signal: AbortSignal;
  send(event: string, data: unknown): void;
}

export interface LiveFeedOptions {
  readonly state: SharedState;
  readonly extras: () => ChannelExtras;
  readonly status: () => Promise<LiveStatus>;
  readonly logger: Logger;
  readonly intervalMs?: number;
  readonly sampleMs?: number;
}

/** Rows in one message: small enough that a slow reader's buffer holds it. */
const rowsPerMessage = 250;

export class LiveFeed implements Service {
  readonly name = 'live-feed';
  readonly #options: Required<LiveFeedOptions>;
  readonly #model = new LiveModel();
  readonly #readers = new Set<Reader>();
  #ticker: NodeJS.Timeout | undefined;
  #sampler: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #stopped = false;
  /** Last status that was sent, part by part. */
  #sent: Record<string, string> = {};

  constructor(options: LiveFeedOptions) {
    this.#options = { intervalMs: 1_000, sampleMs: 15_000, ...options };
  }

  async start(): Promise<void> {
    if (this.#stopped) return;
    this.#sampler = setInterval(() => this.#model.sample(this.#options.state.view), this.#options.sampleMs);
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

  /** Serves one reader until its signal is aborted: `rows` in pieces, `ready`, then `delta` and `status`. */
  async follow(reader: Reader): Promise<void> {
    await this.#tick();
    const rows = this.#model.snapshot();
    // From here on the reader gets every step; a patch of a row that it has not got yet arrives after the row, in order.
    const held: [string, unknown][] = [];
    let loading = true;
    const following: Reader = {
      signal: reader.signal,
      send: (event, data) => void (loading ? held.push([event, data]) : reader.send(event, data)),
    };
    this.#add(following);
    reader.send('status', Object.fromEntries(Object.entries(this.#sent).map(([key, text]) => [key, JSON.parse(text)])));
    for (let from = 0; from < rows.length && !reader.signal.aborted; from += rowsPerMessage) {
      reader.send('rows', rows.slice(from, from + rowsPerMessage));
      // Lets the socket take it, so that ten thousand rows do not pile up in memory.
      await new Promise((done) => setTimeout(done, from === 0 ? 0 : 10));
    }
    reader.send('ready', { rows: rows.length });
    for (const [event, data] of held) reader.send(event, data);
    loading = false;
  }

  #add(reader: Reader): void {
    if (this.#stopped || reader.signal.aborted) return;
    this.#readers.add(reader);
    reader.signal.addEventListener('abort', () => this.#remove(reader), { once: true });
    this.#ticker ??= setInterval(() => void this.#tick(), this.#options.intervalMs);
  }

  #remove(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  /** One step at a time; a tick that comes during one shares it. */
  #tick(): Promise<void> {
    this.#working ??= this.#step().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #step(): Promise<void> {
    const { state, extras, status, logger } = this.#options;
    try {
      // A replica that only serves the API makes no commits: it must ask what the others did.
      await state.refresh().catch(() => undefined);
      const { rows, patches, removed } = this.#model.step(state.view, extras(), state.nowMs());
      if (rows.length + patches.length + removed.length > 0) this.#send('delta', { rows, patches, removed });
      const parts = Object.fromEntries(
        Object.entries(await status()).map(([key, part]) => [key, JSON.stringify(part)]),
      );
      // A part that went is null.
      const changed = Object.keys({ ...this.#sent, ...parts }).filter(
        (key) => key === 'nowMs' || this.#sent[key] !== parts[key],
      );
      this.#sent = parts;
      this.#send('status', Object.fromEntries(changed.map((key) => [key, JSON.parse(parts[key] ?? 'null')])));
    } catch (error) {
      logger.warn({ err: error }, 'the live page could not be brought up to date');
      this.#send('problem', { message: messageOf(error) });
    }
  }

  #send(event: string, data: unknown): void {
    for (const reader of this.#readers) reader.send(event, data);
  }
}
