// The difference between a clock and AWS's, by the Date of AWS's answers (RFC 9110, 6.6.1: whole seconds).

export class AwsClock {
  readonly #nowMs: () => number;
  #aheadMs: number | undefined;

  /** @param nowMs the clock that is compared */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Our clock minus AWS's, to within a second; undefined until an answer had a date. */
  get aheadMs(): number | undefined {
    return this.#aheadMs;
  }

  /** @param date the header of an answer that just arrived; an invalid date is ignored */
  heard(date: string | undefined): void {
    const ms = Date.parse(date ?? '');
    if (!Number.isNaN(ms)) this.#aheadMs = Math.round(this.#nowMs() - (ms + 500));
  }
}
