// Signs of life in a hash of Redis: each process writes its own, with Redis's time, and reads those of the live processes.
import { z } from 'zod';
import { failureOf, type Redis } from '#runtime/redis.ts';
import { replyOf } from '#runtime/script-replies.ts';

/** A process that has been silent for this long counts as gone. */
export const goneMs = 10_000;

/** KEYS: the hash. ARGV: id, JSON, ms until an entry is removed. Answer: the time, then id, time and JSON of each live process. */
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

const answerForm = z.array(z.string());

export interface SignsOfLifeOptions {
  readonly redis: Redis;
  readonly key: string;
  /** Our own entry. */
  readonly id: string;
  /** What is exchanged, for messages: `the signs of life of the replicas`. */
  readonly what: string;
  /** Default: `goneMs`. */
  readonly goneMs?: number | undefined;
}

/** The entry of a live process, as stored: its text may be of any version. */
export interface SignOfLife {
  readonly id: string;
  /** By Redis's clock. */
  readonly atMs: number;
  readonly told: Readonly<Record<string, unknown>>;
}

export class SignsOfLife {
  readonly #options: SignsOfLifeOptions;

  constructor(options: SignsOfLifeOptions) {
    this.#options = options;
  }

  /** Writes our own; returns all live ones by id. What cannot be read is left out. @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES */
  async beat(own: object): Promise<readonly SignOfLife[]> {
    const { redis, key, id, what, goneMs: gone = goneMs } = this.#options;
    let answer: unknown;
    try {
      answer = await redis.eval(beatScript, 1, key, id, JSON.stringify(own), gone);
    } catch (error) {
      throw failureOf(redis, `${what} could not be exchanged`, error);
    }
    const [, ...rest] = replyOf('signs of life', answerForm, answer);
    const signs: SignOfLife[] = [];
    for (let index = 0; index < rest.length; index += 2) signs.push(...signOf(rest[index]!, rest[index + 1] ?? ''));
    return signs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Says that this process ends; never rejects. */
  async leave(): Promise<void> {
    const { redis, key, id } = this.#options;
    if (redis.status === 'ready') await redis.hdel(key, id).catch(() => undefined);
  }
}

function signOf(id: string, text: string): SignOfLife[] {
  const space = text.indexOf(' ');
  try {
    const told: unknown = JSON.parse(text.slice(space + 1));
    if (typeof told !== 'object' || told === null) return [];
    return [{ id, atMs: Number(text.slice(0, space)), told: told as Record<string, unknown> }];
  } catch {
    return [];
  }
}
