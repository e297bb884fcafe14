// Many callers want the same work: a caller during a run shares the next run, which begins after the call.

/** At most one run at a time and one that waits, for any number of callers. */
export class SharedRun<T> {
  readonly #run: (why: string) => Promise<T>;
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  /** @param run gets the reason of the first caller that shares it. */
  constructor(run: (why: string) => Promise<T>) {
    this.#run = run;
  }

  /** Resolves or rejects like the first run that begins from now on. */
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
