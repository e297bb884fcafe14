// The shortest round trip to the service: what no answer can be faster than. It says how much of a slot's time is only
// travel and can be given back. Pure; instants are handed in.

const minSamples = 100;
const settleMs = 3000;
const bucketMs = 30_000;
/** The paths differ a little from call to call: this part of the minimum is relied on. */
const reliedOn = 0.95;
/**
 * The shortest that was seen is longer than the shortest there is, by about the distance between neighbours among the
 * shortest ones: the more the latency varies and the fewer the answers, the more. Twice the distance from the first to the
 * sixteenth is taken off: even then the credit was too large for one in 3^15 minutes (exponential gaps).
 */
const shortestKept = 16;
const allowance = 2;

/**
 * A call counted at the latest when its answer left, and the next one at the earliest when it arrived: the minimum in each
 * direction is time in which a slot cannot be counted twice. Half is credited when the answer is reported, half when the next call is
 * sent, so that it holds too when two replicas have different latencies (there and back alike).
 */
export class RoundTrip {
  #firstAt: number | undefined;
  #samples = 0;
  #bucketEndsAt = 0;
  /** The shortest round trips of this bucket and of the one before, ascending. */
  #current: number[] = [];
  #previous: number[] = [];
  #creditMs = 0;

  /** One answered call took so long, on a connection that existed. */
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

  /** The credit for one direction, in milliseconds: 0 until it is certain. A burst at the start must not teach it. */
  oneWayMs(now: number): number {
    if (this.#firstAt === undefined || this.#samples < minSamples || now - this.#firstAt < settleMs) return 0;
    // Nothing seen for so long: the route may be another by now.
    if (now > this.#bucketEndsAt + bucketMs) return 0;
    return this.#creditMs / 2;
  }
}

const shortest = (roundTripsMs: number[]) => roundTripsMs.sort((a, b) => a - b).slice(0, shortestKept);
