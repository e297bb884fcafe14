// A pause that can be cut short: for loops that look for work now and then, and at once when they are told that there is some.

/** One waits, any number ring. A ring while nobody waits is kept for the next wait. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  get hasRung(): boolean {
    return this.#rung;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Clears earlier rings: the caller is about to look for what they announced. */
  reset(): void {
    this.#rung = false;
  }

  /** Ends after `ms` or at a ring, whichever comes first. There is no signal: to stop the loop, ring. */
  async wait(ms: number): Promise<void> {
    if (this.#rung || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }
}
