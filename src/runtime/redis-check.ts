// Whether a Redis server keeps what it is given: eviction policy, persistence, version.
import { messageOf } from '#domain/errors.ts';
import type { Redis } from './redis.ts';

export interface RedisFacts {
  /** `unknown` where INFO is not allowed. */
  readonly version: string;
  /** undefined where CONFIG is not allowed, as on some managed servers. */
  readonly maxmemoryPolicy: string | undefined;
  readonly appendOnly: boolean | undefined;
  readonly snapshots: boolean | undefined;
}

/** Reads what the server reports about itself. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts> {
  const info = await redis.info('server').catch((error: unknown) => {
    if (/^NOPERM\b/.test(messageOf(error))) return '';
    throw error;
  });
  const setting = async (name: string): Promise<string | undefined> => {
    try {
      const [, value] = await redis.config('GET', name);
      return value;
    } catch {
      return undefined;
    }
  };
  const [policy, appendOnly, save] = [
    await setting('maxmemory-policy'),
    await setting('appendonly'),
    await setting('save'),
  ];
  return {
    version: /(?:redis|valkey)_version:(\S+)/.exec(info)?.[1] ?? 'unknown',
    maxmemoryPolicy: policy,
    appendOnly: appendOnly === undefined ? undefined : appendOnly === 'yes',
    snapshots: save === undefined ? undefined : save !== '',
  };
}

/** What is wrong with it, one sentence each; empty if it is safe, or if it does not say. */
export function redisProblems({ version, maxmemoryPolicy, appendOnly, snapshots }: RedisFacts): string[] {
  const problems: string[] = [];
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (version !== 'unknown' && (major < 6 || (major === 6 && minor < 2)))
    problems.push(`Redis ${version} is older than 6.2: upgrade it`);
  if (maxmemoryPolicy !== undefined && maxmemoryPolicy !== 'noeviction') {
    problems.push(`maxmemory-policy is ${maxmemoryPolicy}: jobs and state can be evicted; set it to noeviction`);
  }
  if (appendOnly === false) {
    problems.push(
      snapshots === true
        ? 'Redis only keeps snapshots: a crash loses everything since the last one; set appendonly yes'
        : 'Redis keeps nothing on disk: a restart loses accepted work; set appendonly yes',
    );
  }
  return problems;
}
