import { describe, expect, it } from 'vitest';
import { seededRandom } from '#test/support/quiet.ts';
import { RoundTrip } from './round-trip.ts';

/** Observes `count` round trips of `ms` each, evenly over the given time. */
function observe(roundTrip: RoundTrip, ms: number, count: number, from: number, until: number): void {
  for (let i = 0; i < count; i += 1) roundTrip.observe(ms, from + ((until - from) * i) / (count - 1));
}

describe('the credit for network latency', () => {
  it('is 0 before there are enough samples', () => {
    const roundTrip = new RoundTrip();

    expect(roundTrip.oneWayMs(0)).toBe(0);
    observe(roundTrip, 80, 1000, 0, 2900);
    expect(roundTrip.oneWayMs(2900)).toBe(0);
    const few = new RoundTrip();
    observe(few, 80, 99, 0, 10_000);
    expect(few.oneWayMs(10_000)).toBe(0);
  });

  it('is nineteen twentieths of the shortest round trip, half of it in each direction', () => {
    const roundTrip = new RoundTrip();
    observe(roundTrip, 110, 200, 0, 4000);
    observe(roundTrip, 80, 16, 4001, 4100);

    expect(roundTrip.oneWayMs(4101)).toBeCloseTo(38);
  });

  it('is 0 for a while after an answer that is faster than the known latency', () => {
    const roundTrip = new RoundTrip();
    observe(roundTrip, 80, 200, 0, 5000);

    roundTrip.observe(2, 5001);
    expect(roundTrip.oneWayMs(5002)).toBe(0);
    observe(roundTrip, 2, 15, 5003, 5020);

    expect(roundTrip.oneWayMs(5021)).toBeCloseTo(0.95);
  });

  it.each([
    { shortestMs: 0.6, variesMs: 30 },
    { shortestMs: 5, variesMs: 100 },
    { shortestMs: 80, variesMs: 30 },
  ])('is never more than the shortest possible round trip: $shortestMs ms and up to $variesMs more', (trip) => {
    const random = seededRandom(trip.variesMs);
    let most = 0;
    for (let run = 0; run < 300; run += 1) {
      const roundTrip = new RoundTrip();
      for (let i = 0; i < 400; i += 1) {
        roundTrip.observe(trip.shortestMs + trip.variesMs * random(), i * 40);
        most = Math.max(most, 2 * roundTrip.oneWayMs(i * 40));
      }
    }

    expect(most).toBeLessThanOrEqual(trip.shortestMs);
  });

  it('follows a longer latency within a minute, and forgets one that is not used', () => {
    const roundTrip = new RoundTrip();
    observe(roundTrip, 20, 200, 0, 5000);
    observe(roundTrip, 80, 2000, 5001, 65_000);

    expect(roundTrip.oneWayMs(65_001)).toBeCloseTo(38);
    expect(roundTrip.oneWayMs(200_000)).toBe(0);
  });
});
