// The signs of life of all processes of a fleet, with the accounts that each carries. One key for the whole fleet: an account that nobody
// carries costs nothing.
import { z } from 'zod';
import type { Carrier } from '#domain/carrier.ts';
import { keyPrefix, type Redis } from '#runtime/redis.ts';
import { SignsOfLife } from './signs-of-life.ts';

/** What a process reports about itself. */
export type OwnCarrier = Omit<Carrier, 'id' | 'atMs'>;

export interface CarrierRegisterOptions {
  readonly redis: Redis;
  /** The namespace of the fleet: the first part of every key. */
  readonly namespace: string;
  readonly id: string;
  /** How long after its last sign a process counts as gone. */
  readonly goneMs?: number | undefined;
}

/** What all keys of the fleet, as opposed to one account, begin with: no account has an empty name. */
export function fleetPrefix(namespace: string): string {
  return keyPrefix(namespace, '');
}

/** Readable, so that it can be shown anywhere. */
const word = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[\x21-\x7e]+$/);
const told = z.object({
  host: word(255).catch('unknown'),
  role: word(50),
  version: word(100),
  accounts: z.array(word(100)),
});

export class CarrierRegister {
  readonly #signs: SignsOfLife;

  constructor({ redis, namespace, id, goneMs }: CarrierRegisterOptions) {
    const key = `${fleetPrefix(namespace)}:carriers`;
    this.#signs = new SignsOfLife({ redis, key, id, what: 'who carries which accounts', goneMs });
  }

  /** Writes our own sign of life; returns all live processes by id. @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES */
  async beat(own: OwnCarrier): Promise<readonly Carrier[]> {
    return (await this.#signs.beat(own)).flatMap(({ id, atMs, told: text }) => {
      // The entries may be of any version: what cannot be read is left out.
      const read = told.safeParse(text);
      return read.success ? [{ id, atMs, ...read.data }] : [];
    });
  }

  /** Says that this process ends; never rejects. */
  leave(): Promise<void> {
    return this.#signs.leave();
  }
}
