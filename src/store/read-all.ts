// Loads the whole state while the old copy stays readable.
import type { Moved } from './commit-script.ts';
import { type Head, parseHead } from './head.ts';
import { isKey, LocalCopy } from './local-copy.ts';

/** What Redis holds. */
export interface Found {
  readonly copy: LocalCopy;
  /** Undefined: there is none. */
  readonly head: Head | undefined;
  /** As Redis counts them. */
  readonly fields: number;
}

/** Reads a stored entry: its value, or undefined for one that is set aside. */
export type ReadEntry = (key: string, stored: string) => unknown;

interface Source {
  readonly readEntry: ReadEntry;
  /** The head in Redis; empty: none. */
  head(): Promise<string>;
  /** One step through the fields: the next cursor, then keys and values in turn. */
  scan(cursor: string): Promise<[cursor: string, fields: string[]]>;
  changesSince(head: string): Promise<Moved>;
}

/**
 * Reads the whole state in steps, and after each step what was committed meanwhile. Begins again only if the log did not reach back
 * to the step before. Without a head (undefined) it returns the fields that exist. @throws AppError STATE_TOO_NEW
 */
export async function readAll(source: Source): Promise<Found> {
  for (;;) {
    const copy = new LocalCopy();
    let head = await source.head();
    parseHead(head);
    let cursor: string | undefined = '0';
    let last: Moved | undefined;
    while (cursor !== undefined) {
      const from: string = cursor;
      const [next, fields] = await source.scan(from);
      for (let index = 0; index < fields.length; index += 2) {
        // A field that somebody else added is not part of the state.
        if (isKey(fields[index]!)) copy.set(fields[index]!, source.readEntry(fields[index]!, fields[index + 1]!));
      }
      last = await source.changesSince(head);
      // Without a head there is no log.
      if (!last.changes && last.head !== head) break;
      writeAll(copy, last.changes ?? [], source.readEntry);
      head = last.head;
      cursor = next === '0' ? undefined : next;
    }
    if (cursor !== undefined) continue;
    return { copy, head: head === '' ? undefined : parseHead(head), fields: last?.fields ?? 0 };
  }
}

/** The head in a row of the list of commits. */
export function headOfRow(row: string): string {
  const { h } = JSON.parse(row) as { h?: unknown };
  return typeof h === 'string' ? h : '';
}

/** Writes what changed into a copy. */
export function writeAll(copy: LocalCopy, changes: NonNullable<Moved['changes']>, readEntry: ReadEntry): void {
  for (const [key, value] of changes) copy.set(key, value === null ? undefined : readEntry(key, value));
}
