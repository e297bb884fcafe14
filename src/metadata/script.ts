// Runs Lua scripts by their hash, and sends the text only if Redis does not know it (first use, or after a restart).
import { createHash } from 'node:crypto';
import { failureOf, type Redis } from '#runtime/redis.ts';

export interface Script {
  readonly text: string;
  readonly hash: string;
}

export function script(text: string): Script {
  return { text, hash: createHash('sha1').update(text).digest('hex') };
}

/**
 * Runs a script with one key, the prefix that all of its keys begin with (a hash tag keeps them in one slot).
 * @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES: it may or may not have run.
 */
export async function runScript(
  redis: Redis,
  { text, hash }: Script,
  prefix: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    try {
      return await redis.evalsha(hash, 1, prefix, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await redis.eval(text, 1, prefix, ...args);
    }
  } catch (error) {
    throw failureOf(redis, 'the outbox of metadata could not be read or written', error);
  }
}
