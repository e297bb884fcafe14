import { describe, expect, it } from 'vitest';
import { RoundTrip } from './round-trip.ts';

/** Observes `count` round trips of `ms` each, evenly over the given time. */
function observe(roundTrip: RoundTrip, ms: number, count: number, from: number, until: number): void {
  for (let i = 0; i < count; i += 1) roundTrip.observe(ms, from + ((until - from) * i) / (count - 1));
}

describe('the credit for the way', () => {
  it('gives nothing before there is enough to learn from', () => {
    const roundTrip = new RoundTrip();

    expect(roundTrip.oneWayMs(0)).toBe(0);
    observe(roundTrip, 80, 1000, 0, 2900);
    expect(roundTrip.oneWayMs(2900)).toBe(0);
    const few = new RoundTrip();
    observe(few, 80, 99, 0, 10_000);
    expect(few.oneWayMs(10_000)).toBe(0);
  });

  it('gives back nine tenths of the shortest round trip, half of it each way', () => {
    const roundTrip = new RoundTrip();
    observe(roundTrip, 110, 200, 0, 4000);
    roundTrip.observe(80, 4001);

    expect(roundTrip.oneWayMs(4002)).toBeCloseTo(36);
  });

  it('shrinks at once when an answer is faster', () => {
    const roundTrip = new RoundTrip();
    observe(roundTrip, 80, 200, 0, 5000);

    roundTrip.observe(2, 5001);

    expect(roundTrip.oneWayMs(5002)).toBeCloseTo(0.9);
  });

  it('follows a way that became longer within a minute, and forgets one that is not used', () => {
    const roundTrip = new RoundTrip();
    observe(roundTrip, 20, 200, 0, 5000);
    observe(roundTrip, 80, 2000, 5001, 65_000);

    expect(roundTrip.oneWayMs(65_001)).toBeCloseTo(36);
    expect(roundTrip.oneWayMs(200_000)).toBe(0);
  });
});
