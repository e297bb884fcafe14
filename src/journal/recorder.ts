// A recording of what was observed, as JSON lines in a file, for `ivs-autopilot replay`. Off unless a file is named. Bounded: a full
// file becomes `<file>.1`, and the one before it goes. Observations are hints about streams; nothing secret is in them.
import { appendFile, rename, stat } from 'node:fs/promises';
import type { Observation } from '#domain/observation.ts';

export interface RecorderOptions {
  readonly file: string;
  /** Most bytes of one file; there are at most two. */
  readonly maxBytes?: number;
  readonly now: () => number;
  /** A recording that cannot be written stops nothing; this hears of it once. */
  readonly onError: (error: unknown) => void;
}

export class ObservationRecorder {
  readonly #file: string;
  readonly #maxBytes: number;
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  #lines: string[] = [];
  #writing: Promise<void> | undefined;
  #failed = false;

  constructor({ file, maxBytes = 64 * 1024 * 1024, now, onError }: RecorderOptions) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#now = now;
    this.#onError = onError;
  }

  /** Notes an observation; written soon, in order. */
  record(observation: Observation): void {
    if (this.#failed) return;
    this.#lines.push(`${JSON.stringify({ atMs: this.#now(), observation })}\n`);
    this.#writing ??= this.#write();
  }

  /** Resolves when everything noted is in the file. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async #write(): Promise<void> {
    try {
      while (this.#lines.length > 0) {
        const text = this.#lines.join('');
        this.#lines = [];
        const { size } = await stat(this.#file).catch(() => ({ size: 0 }));
        if (size > 0 && size + text.length > this.#maxBytes) await rename(this.#file, `${this.#file}.1`);
        await appendFile(this.#file, text);
      }
    } catch (error) {
      this.#failed = true;
      this.#lines = [];
      this.#onError(error);
    } finally {
      this.#writing = undefined;
    }
  }
}
