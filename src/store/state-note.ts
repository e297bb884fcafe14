// A small file beside the process: which state it last knew. After a start with an empty or an older Redis, it shows that there was another
// state. If nothing can be written (a read-only container without a volume), there is no file, and Redis's own traces must do.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const schema = z.object({
  version: z.literal(1),
  lineage: z.string().min(1).max(64),
  number: z.number().int().nonnegative(),
  atMs: z.number().int().nonnegative(),
  controlsAtMs: z.number().nonnegative(),
});

export interface StateNote {
  readonly lineage: string;
  readonly number: number;
  /** Redis's clock at the newest known commit. */
  readonly atMs: number;
  readonly controlsAtMs: number;
}

export interface StateNoteFile {
  /** Undefined if there is none. `unreadable`: there is one, but it is damaged or of another version; so there was a state. */
  read(): StateNote | 'unreadable' | undefined;
  /** Replaces the old note as a whole. Do not call it while an earlier note is being written. @throws the file system's error */
  write(note: StateNote): Promise<void>;
}

/** The note about one shard's state at one address: the same prefix in another Redis is another state. */
export function stateNoteFile(folder: string, redisAddress: string, prefix: string): StateNoteFile {
  const id = createHash('sha256').update(`${redisAddress} ${prefix}`).digest('hex').slice(0, 16);
  const file = join(folder, `state-${id}.json`);
  return {
    read() {
      let text: string;
      try {
        text = readFileSync(file, 'utf8');
      } catch {
        return undefined;
      }
      try {
        return schema.parse(JSON.parse(text));
      } catch {
        return 'unreadable';
      }
    },
    // Never synchronous: a disk that is busy for half a second would block every call for that long.
    async write(note) {
      await mkdir(folder, { recursive: true });
      await writeFile(`${file}.new`, JSON.stringify({ version: 1, ...note }));
      await rename(`${file}.new`, file);
    },
  };
}
