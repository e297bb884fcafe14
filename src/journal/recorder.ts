// A recording of what was observed and what operators said, as JSON lines in a file, for `ivs-autopilot replay`. Off unless a file is
// named. Bounded: a full file becomes `<file>.1`, and the one before it goes; each begins with the holds, silences and pause in force.
// Observations are hints about streams; nothing secret is in them.
import { appendFile, rename, stat } from 'node:fs/promises';
import type { Control } from '#domain/control.ts';
import type { Observation } from '#domain/observation.ts';

/** A line of a recording. `inForce`: these and no other controls are in force now. */
export type RecordedLine = { readonly atMs: number } & (
  | { readonly observation: Observation }
  | { readonly control: Control }
  | { readonly inForce: readonly Control[] }
);

export interface RecorderOptions {
  readonly file: string;
  /** Most bytes of one file; there are at most two. */
  readonly maxBytes?: number;
  readonly now: () => number;
  /** The controls that are in force, where a file begins. */
  readonly inForce: () => readonly Control[];
  /** A recording that cannot be written stops nothing; this hears of it once. */
  readonly onError: (error: unknown) => void;
}

export class ObservationRecorder {
  readonly #file: string;
  readonly #maxBytes: number;
  readonly #now: () => number;
  readonly #inForce: () => readonly Control[];
  readonly #onError: (error: unknown) => void;
  #lines: RecordedLine[] = [];
  #writing: Promise<void> | undefined;
  #failed = false;
  /** This process has written to the file. */
  #begun = false;

  constructor({ file, maxBytes = 64 * 1024 * 1024, now, inForce, onError }: RecorderOptions) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#now = now;
    this.#inForce = inForce;
    this.#onError = onError;
  }

  /** Notes an observation; written soon, in order. */
  record(observation: Observation): void {
    this.#add({ atMs: this.#now(), observation });
  }

  /** Notes what an operator said, when it is in force. */
  recordControl(control: Control): void {
    this.#add({ atMs: this.#now(), control });
  }

  /** Resolves when everything noted is in the file. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  #add(line: RecordedLine): void {
    if (this.#failed) return;
    // What is in force now, this line's control included, comes before everything that this process notes.
    if (!this.#begun) this.#lines.push(this.#beginning(line));
    this.#begun = true;
    this.#lines.push(line);
    this.#writing ??= this.#write();
  }

  #beginning({ atMs }: RecordedLine): RecordedLine {
    return { atMs, inForce: this.#inForce() };
  }

  async #write(): Promise<void> {
    try {
      while (this.#lines.length > 0) {
        const lines = this.#lines;
        const text = lines.map(textOf).join('');
        this.#lines = [];
        const { size } = await stat(this.#file).catch(() => ({ size: 0 }));
        const isFull = size > 0 && size + text.length > this.#maxBytes;
        if (isFull) await rename(this.#file, `${this.#file}.1`);
        await appendFile(this.#file, isFull ? textOf(this.#beginning(lines[0]!)) + text : text);
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

function textOf(line: RecordedLine): string {
  // What was known before is in the recording already, line by line.
  return `${JSON.stringify(line, (key, value: unknown) => (key === 'known' && value instanceof Map ? undefined : value))}\n`;
}
