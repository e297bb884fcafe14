import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type StreamHealth, streamHealths } from '#domain/channel.ts';
import type { HealthBasis } from '#domain/stream-record.ts';
import { healthOf, sawHealth, sawNotStarving } from './health.ts';

type Sighting = { readonly atMs: number; readonly value: StreamHealth | 'not starving' };

function fold(sightings: readonly Sighting[], known?: HealthBasis): HealthBasis {
  let basis = known;
  for (const { atMs, value } of sightings) {
    if (value !== 'not starving') basis = sawHealth(basis, { value, atMs, sinceMs: atMs });
    else if (basis) basis = sawNotStarving(basis, atMs);
  }
  return basis!;
}

const start: Sighting = { atMs: 0, value: 'HEALTHY' };
const sighting = fc.record({
  atMs: fc.integer({ min: 1, max: 12 }),
  value: fc.constantFrom<Sighting['value'][]>(...streamHealths, 'not starving'),
});
const starvingEvery5 = (to: number): Sighting[] =>
  Array.from({ length: to / 5 + 1 }, (_, index) => ({ atMs: index * 5, value: 'STARVING' }));

test('health and its start are the same in whatever order a few sightings arrive', () => {
  fc.assert(
    fc.property(fc.array(sighting, { maxLength: 6 }), fc.gen(), (sightings, draw) => {
      const inOrder = sightings.toSorted((a, b) => a.atMs - b.atMs);
      const shuffled = draw(fc.shuffledSubarray, sightings, { minLength: sightings.length });

      expect(healthOf(fold([start, ...shuffled, ...shuffled]))).toEqual(healthOf(fold([start, ...inOrder])));
    }),
    { numRuns: 3_000 },
  );
});

test('the start is never before any contradicting sighting, however many arrive in whatever order', () => {
  fc.assert(
    fc.property(fc.array(sighting, { maxLength: 40 }), (sightings) => {
      const { health, healthSinceMs } = healthOf(fold([start, ...sightings]));

      const others = sightings.filter(({ value }) => value !== health && value !== 'not starving');
      for (const { atMs } of others) expect(atMs).toBeLessThanOrEqual(healthSinceMs);
    }),
    { numRuns: 3_000 },
  );
});

test('a late report of a short recovery moves the start of the starvation to where a timely one would have put it', () => {
  const seen = fold(starvingEvery5(60));

  expect(healthOf(seen)).toEqual({ health: 'STARVING', healthSinceMs: 0 });
  expect(healthOf(fold([{ atMs: 42, value: 'HEALTHY' }], seen))).toEqual({ health: 'STARVING', healthSinceMs: 45 });
});

test('a very late report moves it to the oldest sighting that is kept, never earlier', () => {
  const seen = fold(starvingEvery5(600));

  const { health, healthSinceMs } = healthOf(fold([{ atMs: 42, value: 'HEALTHY' }], seen));

  expect(health).toBe('STARVING');
  expect(healthSinceMs).toBeGreaterThanOrEqual(45);
  expect(seen.seen).toHaveLength(8);
});
