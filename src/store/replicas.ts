// The signs of life of all replicas of a shard.
import type { Replica } from '#domain/replica.ts';
import type { Redis } from '#runtime/redis.ts';
import { type SignOfLife, SignsOfLife } from './signs-of-life.ts';

/** What a replica reports about itself. */
export type OwnReplica = Omit<Replica, 'id' | 'atMs'>;

export class ReplicaRegister {
  readonly #signs: SignsOfLife;

  constructor({ redis, prefix, id }: { readonly redis: Redis; readonly prefix: string; readonly id: string }) {
    this.#signs = new SignsOfLife({ redis, key: `${prefix}:replicas`, id, what: 'the signs of life of the replicas' });
  }

  /** Writes our own sign of life; returns all live replicas by id. @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES */
  async beat(own: OwnReplica): Promise<readonly Replica[]> {
    return (await this.#signs.beat(own)).flatMap((sign) => readReplica(sign) ?? []);
  }

  /** Says that this replica ends; never rejects. */
  leave(): Promise<void> {
    return this.#signs.leave();
  }
}

/** An entry of any version; what cannot be read is left out. */
function readReplica({ id, atMs, told }: SignOfLife): Replica | undefined {
  const { version, configHash, role, startedAtMs, clockOffsetMs, awsOffsetMs } = told;
  if (typeof version !== 'string' || typeof configHash !== 'string') return undefined;
  return {
    id,
    version,
    configHash,
    role: typeof role === 'string' ? role : 'unknown',
    startedAtMs: typeof startedAtMs === 'number' ? startedAtMs : 0,
    clockOffsetMs: typeof clockOffsetMs === 'number' ? clockOffsetMs : undefined,
    awsOffsetMs: typeof awsOffsetMs === 'number' ? awsOffsetMs : undefined,
    atMs,
  };
}
