// One health out of many sightings that arrive in any order: which is in force, and since when it is known to be unbroken.
// Times are by our clock (see `onOurClock`); `sinceMs` is what the source said.
import type { StreamHealth } from '#domain/channel.ts';
import type { HealthBasis } from '#domain/stream-record.ts';

export interface HealthSighting {
  readonly value: StreamHealth;
  readonly atMs: number;
  readonly sinceMs: number;
}

/** Adds a sighting. Whatever the order of the sightings, the newest decides; one that contradicts an unbroken stretch breaks it. */
export function sawHealth(basis: HealthBasis | undefined, sighting: HealthSighting): HealthBasis {
  const { value, atMs, sinceMs } = sighting;
  if (!basis) return { value, sinceMs, firstMs: atMs, lastMs: atMs };
  const contraryMs = basis.contraryMs ?? Number.NEGATIVE_INFINITY;
  if (value !== basis.value) {
    if (atMs > basis.lastMs || (atMs === basis.lastMs && outranks(value, basis.value)))
      return { value, sinceMs, firstMs: atMs, lastMs: atMs, contraryMs: basis.lastMs };
    return broken(basis, atMs);
  }
  if (atMs > basis.lastMs) return { ...basis, lastMs: atMs };
  if (atMs > contraryMs && atMs < basis.firstMs) return { ...basis, sinceMs, firstMs: atMs };
  return basis;
}

/** Adds that it was not starving at `atMs`: healthy, or not known, or gone. */
export function sawNotStarving(basis: HealthBasis | undefined, atMs: number): HealthBasis | undefined {
  if (basis?.value !== 'STARVING') return basis;
  if (atMs <= basis.lastMs) return broken(basis, atMs);
  return { value: 'UNKNOWN', sinceMs: atMs, firstMs: atMs, lastMs: atMs, contraryMs: basis.lastMs };
}

/** Something else was true at `atMs`: what is in force began later. */
function broken(basis: HealthBasis, atMs: number): HealthBasis {
  const contraryMs = Math.max(atMs, basis.contraryMs ?? Number.NEGATIVE_INFINITY);
  if (contraryMs < basis.firstMs) return { ...basis, contraryMs };
  // It was seen again after the break, at `lastMs` at the latest.
  const { firstMs, lastMs } = basis;
  return firstMs === lastMs ? { ...basis, contraryMs } : { ...basis, contraryMs, firstMs: lastMs, sinceMs: lastMs };
}

/** Which of two that are equally new is taken: a recovery in the same second as the fall. */
function outranks(value: StreamHealth, other: StreamHealth): boolean {
  const order: readonly StreamHealth[] = ['UNKNOWN', 'STARVING', 'HEALTHY'];
  return order.indexOf(value) > order.indexOf(other);
}
