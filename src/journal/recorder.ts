// Records observations and operators' commands, as JSON lines in a file, for `ivs-autopilot replay`. Off unless a file is named.
// Bounded: a full file becomes `<file>.1`, and the previous one is deleted; each begins with the holds, silences and pause in force.
// Observations are about streams and contain nothing secret.
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
  /** Maximum size of one file in bytes; there are at most two files. */
  readonly maxBytes?: number;
  readonly now: () => number;
  /** The controls in force at the beginning of a file. */
  readonly inForce: () => readonly Control[];
  /** A recording that cannot be written stops nothing; this is called once. */
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

  /** Records an observation; it is written soon, in order. */
  record(observation: Observation): void {
    this.#add({ atMs: this.#now(), observation });
  }

  /** Records an operator's command, once it is in force. */
  recordControl(control: Control): void {
    this.#add({ atMs: this.#now(), control });
  }

  /** Resolves when everything recorded is in the file. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  #add(line: RecordedLine): void {
    if (this.#failed) return;
    // The controls in force, including that of this line, precede everything that this process records.
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
  // What was known before is already in the recording, line by line.
  return `${JSON.stringify(line, (key, value: unknown) => (key === 'known' && value instanceof Map ? undefined : value))}\n`;
}
