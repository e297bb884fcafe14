// The shortest round trip to the service: no answer can be faster. It says how much of a slot's time is only travel and can be credited.
// Pure; the caller passes the times.

const minSamples = 100;
const settleMs = 3000;
const bucketMs = 30_000;
/** Network paths differ a little from call to call, so only this part of the minimum is used. */
const reliedOn = 0.95;
/**
 * The shortest observed round trip is longer than the shortest possible one, by about the distance between neighbours among the shortest
 * ones: more if the latency varies more, or there are fewer answers. Twice the distance from the first to the sixteenth is subtracted.
 * Even then the credit would be too large once in 3^15 minutes (exponential gaps).
 */
const shortestKept = 16;
const allowance = 2;

/**
 * A call was counted at the latest when its answer left, and the next one at the earliest when it arrived, so a slot cannot be counted
 * twice during the minimum latency in each direction. Half is credited when the answer is reported, half when the next call is sent, so
 * that this also holds for two replicas with different latencies (as long as both directions take equally long).
 */
export class RoundTrip {
  #firstAt: number | undefined;
  #samples = 0;
  #bucketEndsAt = 0;
  /** The shortest round trips of this bucket and of the one before, ascending. */
  #current: number[] = [];
  #previous: number[] = [];
  #creditMs = 0;

  /** One answered call took this long, on an existing connection. */
  observe(roundTripMs: number, now: number): void {
    this.#firstAt ??= now;
    this.#samples += 1;
    if (now >= this.#bucketEndsAt) {
      const fresh = now < this.#bucketEndsAt + bucketMs;
      this.#previous = fresh ? this.#current : [];
      this.#current = [];
      this.#bucketEndsAt = now + bucketMs;
    } else if (this.#current.length === shortestKept && roundTripMs >= this.#current.at(-1)!) return;
    this.#current = shortest([...this.#current, roundTripMs]);
    const known = shortest([...this.#current, ...this.#previous]);
    const [floor = 0] = known;
    const unseen = known.length < shortestKept ? floor : allowance * (known.at(-1)! - floor);
    this.#creditMs = Math.max(0, floor * reliedOn - unseen);
  }

  /** The credit for one direction, in milliseconds; 0 until it is certain. A burst at the start must not determine it. */
  oneWayMs(now: number): number {
    if (this.#firstAt === undefined || this.#samples < minSamples || now - this.#firstAt < settleMs) return 0;
    // No samples for this long: the route may have changed.
    if (now > this.#bucketEndsAt + bucketMs) return 0;
    return this.#creditMs / 2;
  }
}

const shortest = (roundTripsMs: number[]) => roundTripsMs.sort((a, b) => a - b).slice(0, shortestKept);
