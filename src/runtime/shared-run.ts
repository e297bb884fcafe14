// Many ask for the same work: whoever asks while it runs shares the next run, which begins after they asked.

/** At most one run at a time, and one that waits, however many ask. */
export class SharedRun<T> {
  readonly #run: (why: string) => Promise<T>;
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  /** @param run is given the reason of the first of those who share it. */
  constructor(run: (why: string) => Promise<T>) {
    this.#run = run;
  }

  /** Resolves, or rejects, as the first run that begins from now on. */
  ask(why = ''): Promise<T> {
    if (this.#next) return this.#next;
    if (!this.#running) return this.#start(why);
    const start = () => {
      this.#next = undefined;
      return this.#start(why);
    };
    this.#next = this.#running.then(start, start);
    return this.#next;
  }

  #start(why: string): Promise<T> {
    const running = this.#run(why).finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
