// Log lines to a file descriptor, one write each. A line that cannot be written (a full disk, nobody reads) is lost, and nothing else:
// pino's own destination keeps such lines and retries them forever when the process exits.
import { writeSync } from 'node:fs';

/** How long one line may wait for a slow reader; none waits after an earlier one could not be written. */
const patienceMs = 100;

export class LineWriter {
  readonly #fd: number;
  /** The last write failed, perhaps in the middle of its line. */
  #failed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** @param line including its line break */
  write(line: string): void {
    let rest = Buffer.from(this.#failed ? `\n${line}` : line);
    const until = performance.now() + (this.#failed ? 0 : patienceMs);
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
        this.#failed = false;
      } catch (error) {
        const isSlow = (error as { code?: unknown }).code === 'EAGAIN' && performance.now() < until;
        if (!isSlow) {
          this.#failed = true;
          return;
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
  }
}
