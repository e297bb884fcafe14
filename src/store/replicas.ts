// The signs of life of all replicas of a shard: one hash in Redis, each entry with the time that Redis wrote it.
import type { Replica } from '#domain/replica.ts';
import { failureOf, type Redis } from '#runtime/redis.ts';

/** Who has not been heard of for so long counts as gone. */
const replicaGoneMs = 10_000;

/** KEYS: the hash. ARGV: id, JSON, ms until an entry goes. Answer: the time, then id, time and JSON of each that lives. */
const beatScript = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', nowMs) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], 60000)
local answer = {string.format('%.0f', nowMs)}
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local at = tonumber(string.match(all[index + 1], '^(%d+) ')) or 0
  if nowMs - at > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], all[index])
  else
    answer[#answer + 1] = all[index]
    answer[#answer + 1] = all[index + 1]
  end
end
return answer
`;

/** What a replica tells of itself. */
export type OwnReplica = Omit<Replica, 'id' | 'atMs'>;

export class ReplicaRegister {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #id: string;

  constructor({ redis, prefix, id }: { readonly redis: Redis; readonly prefix: string; readonly id: string }) {
    this.#redis = redis;
    this.#key = `${prefix}:replicas`;
    this.#id = id;
  }

  /** Writes our own sign of life; returns all that live, by id. @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES */
  async beat(own: OwnReplica): Promise<readonly Replica[]> {
    let answer: unknown;
    try {
      answer = await this.#redis.eval(beatScript, 1, this.#key, this.#id, JSON.stringify(own), replicaGoneMs);
    } catch (error) {
      throw failureOf(this.#redis, 'the signs of life of the replicas could not be exchanged', error);
    }
    const [, ...rest] = answer as string[];
    const replicas: Replica[] = [];
    for (let index = 0; index < rest.length; index += 2) {
      const replica = readReplica(rest[index]!, rest[index + 1] ?? '');
      if (replica) replicas.push(replica);
    }
    return replicas.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Says that this replica ends; never rejects. */
  async leave(): Promise<void> {
    if (this.#redis.status === 'ready') await this.#redis.hdel(this.#key, this.#id).catch(() => undefined);
  }
}

/** An entry of any version; what cannot be read is left out. */
function readReplica(id: string, text: string): Replica | undefined {
  const space = text.indexOf(' ');
  try {
    const told = JSON.parse(text.slice(space + 1)) as Partial<Record<keyof OwnReplica, unknown>>;
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
      atMs: Number(text.slice(0, space)),
    };
  } catch {
    return undefined;
  }
}
