// The shortest way to the service and back: what no answer can be faster than. It says how much of a slot's time is only
// travel and can be given back. Pure; instants are handed in.

const minSamples = 100;
const settleMs = 3000;
const bucketMs = 30_000;
/** The paths differ a little from call to call: this part of the minimum is relied on. */
const reliedOn = 0.9;

/**
 * A call counted at the latest when its answer left, and the next one at the earliest when it arrived: each way's minimum is
 * time in which a slot cannot be counted twice. Half is credited when the answer is reported, half when the next call is
 * sent, so that it holds too when two replicas have ways of different length.
 */
export class RoundTrip {
  #firstAt: number | undefined;
  #samples = 0;
  #bucketEndsAt = 0;
  #currentMs = Number.POSITIVE_INFINITY;
  #previousMs = Number.POSITIVE_INFINITY;

  /** One answered call took so long, on a connection that existed. */
  observe(roundTripMs: number, now: number): void {
    this.#firstAt ??= now;
    this.#samples += 1;
    if (now >= this.#bucketEndsAt) {
      const fresh = now < this.#bucketEndsAt + bucketMs;
      this.#previousMs = fresh ? this.#currentMs : Number.POSITIVE_INFINITY;
      this.#currentMs = Number.POSITIVE_INFINITY;
      this.#bucketEndsAt = now + bucketMs;
    }
    this.#currentMs = Math.min(this.#currentMs, roundTripMs);
  }

  /** The credit for one way, in milliseconds: 0 until it is certain. A burst at the start must not teach it. */
  oneWayMs(now: number): number {
    if (this.#firstAt === undefined || this.#samples < minSamples || now - this.#firstAt < settleMs) return 0;
    const floor = Math.min(this.#currentMs, this.#previousMs);
    // Nothing seen for so long: the way may be another by now.
    if (floor === Number.POSITIVE_INFINITY || now > this.#bucketEndsAt + bucketMs) return 0;
    return (floor * reliedOn) / 2;
  }
}
