// Something that is opened when it is needed, and closed when nobody has needed it for a while.

export interface OnDemandOptions<T> {
  readonly open: () => Promise<T>;
  readonly close: (opened: T) => Promise<void>;
  readonly idleMs: number;
}

export class OnDemand<T> {
  readonly #options: OnDemandOptions<T>;
  #opened: Promise<T> | undefined;
  #users = 0;
  #closing: NodeJS.Timeout | undefined;

  constructor(options: OnDemandOptions<T>) {
    this.#options = options;
  }

  /** Whether it is open, or about to be. */
  get isOpen(): boolean {
    return this.#opened !== undefined;
  }

  /** Calls `run` with it. @throws what `open` or `run` throws */
  async use<R>(run: (opened: T) => Promise<R>): Promise<R> {
    clearTimeout(this.#closing);
    this.#users += 1;
    try {
      // If it could not be opened, the next caller opens it again.
      this.#opened ??= this.#options.open().catch((error: unknown) => {
        this.#opened = undefined;
        throw error;
      });
      return await run(await this.#opened);
    } finally {
      this.#users -= 1;
      if (this.#users === 0) this.#closeLater();
    }
  }

  /** Closes it now. */
  async close(): Promise<void> {
    clearTimeout(this.#closing);
    const opened = this.#opened;
    this.#opened = undefined;
    const found = await opened?.catch(() => undefined);
    if (found !== undefined) await this.#options.close(found);
  }

  #closeLater(): void {
    if (this.#opened === undefined) return;
    clearTimeout(this.#closing);
    this.#closing = setTimeout(() => void this.close().catch(() => undefined), this.#options.idleMs);
    this.#closing.unref();
  }
}
