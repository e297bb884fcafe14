// The contents of one shard's Redis, by kind.
import type { Redis } from '#runtime/redis.ts';

/** The size of one kind: entries of the state, of a log, or keys. */
export interface KindSize {
  entries: number;
  bytes: number;
}

export interface Size {
  /** All of Redis, as reported by itself. */
  readonly usedMemory: number;
  /** Entries of the state by kind, as text; logs, dedup ids and the commit log as Redis counts their memory. */
  readonly kinds: Readonly<Record<string, KindSize>>;
  /** The longest remaining life of a dedup id, by Redis's clock. */
  readonly longestDedupIdMs: number;
}

export async function sizeOf(redis: Redis, prefix: string): Promise<Size> {
  // A scan may return a key twice.
  const found = new Set<string>();
  for await (const page of redis.scanStream({ match: `${prefix}:*`, count: 1_000 }) as AsyncIterable<string[]>)
    for (const key of page) found.add(key.slice(prefix.length + 1));
  const names = [...found];
  const bytesOf = (name: string) =>
    redis.memory('USAGE', `${prefix}:${name}`, 'SAMPLES', 0).then((bytes) => bytes ?? 0);
  // Before everything else, because they keep expiring. They are all of the same size.
  const dedupIds = names.filter((name) => name.startsWith('claim:'));
  const leftMs = (await Promise.all(dedupIds.map((name) => redis.pttl(`${prefix}:${name}`)))).filter((ms) => ms > 0);
  const dedupIdBytes = dedupIds.length === 0 ? 0 : Math.max(...(await Promise.all(dedupIds.slice(-100).map(bytesOf))));

  const kinds: Record<string, KindSize> = { dedupIds: { entries: leftMs.length, bytes: leftMs.length * dedupIdBytes } };
  const add = (kind: string, entries: number, bytes: number) => {
    const size = (kinds[kind] ??= { entries: 0, bytes: 0 });
    size.entries += entries;
    size.bytes += bytes;
  };
  for (const [key, value] of Object.entries(await redis.hgetall(`${prefix}:state`)))
    add(key.slice(0, key.indexOf('/')), 1, key.length + value.length);
  const logs = names.filter((name) => name.startsWith('log:'));
  await Promise.all(
    logs.map(async (name) => {
      const [entries, bytes] = await Promise.all([redis.xlen(`${prefix}:${name}`), bytesOf(name)]);
      add(`log ${name.split(':')[1]}`, entries, bytes);
    }),
  );
  add('commit log', await redis.llen(`${prefix}:state-log`), await bytesOf('state-log'));
  const usedMemory = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  return { usedMemory, kinds, longestDedupIdMs: Math.max(0, ...leftMs) };
}
