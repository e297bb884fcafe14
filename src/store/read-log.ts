// Reads an append-only log of the shared state.
import type { Log } from '#domain/state-key.ts';
import type { Redis } from '#runtime/redis.ts';
import type { ReadEntry } from './read-all.ts';

/** The newest entries, newest first; `before` continues after an earlier answer's last id. @throws what Redis throws */
export async function readLog<T>(
  redis: Redis,
  prefix: string,
  log: Log<T>,
  { limit, before, readEntry }: { readonly limit: number; readonly before?: string; readonly readEntry: ReadEntry },
): Promise<readonly { id: string; entry: T }[]> {
  const key = `${prefix}:log:${log}`;
  const entries: { id: string; entry: T }[] = [];
  // What cannot be read is skipped by a further read: fewer entries than requested mean that there are no older ones.
  for (let last = before; ; ) {
    const missing = limit - entries.length;
    const end = last === undefined ? '+' : `(${last}`;
    const rows = await redis.xrevrange(key, end, '-', 'COUNT', missing);
    for (const [id, fields] of rows) {
      const entry = readEntry(`log/${log} ${id}`, fields[1] ?? '');
      if (entry !== undefined) entries.push({ id, entry: entry as T });
    }
    if (rows.length < missing || entries.length === limit) return entries;
    last = rows.at(-1)![0];
  }
}
