// Every random choice of the simulator comes from here, so one seed repeats a whole run. `fork` gives each part its own
// sequence: asking for more faults does not change the ids that channels get.

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const HEX = '0123456789abcdef';
const UUID_FORM = 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx';

/** FNV-1a over UTF-16 code units: enough to spread seeds and labels over 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

/** A seeded sequence (mulberry32). Not for secrets: the "secrets" it makes protect nothing real. */
export class Random {
  readonly #seed: string;
  #state: number;

  constructor(seed: string | number) {
    this.#seed = String(seed);
    this.#state = hash(this.#seed);
  }

  /** An independent sequence that depends only on this one's seed and the label. */
  fork(label: string): Random {
    return new Random(`${this.#seed}/${label}`);
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** True with the given probability; 0 never, 1 always. */
  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  alphanumeric(length: number): string {
    return this.#pick(ALPHANUMERIC, length);
  }

  hex(length: number): string {
    return this.#pick(HEX, length);
  }

  /** A UUID of version 4. */
  uuid(): string {
    const bytes = Buffer.from(UUID_FORM, 'latin1');
    for (let at = 0; at < bytes.length; at++) {
      if (UUID_FORM[at] === 'x') bytes[at] = HEX.charCodeAt(Math.floor(this.next() * 16));
      // The variant: 8, 9, a or b.
      else if (UUID_FORM[at] === 'y') bytes[at] = HEX.charCodeAt(8 + Math.floor(this.next() * 4));
    }
    return bytes.toString('latin1');
  }

  #pick(alphabet: string, length: number): string {
    // Through bytes: text built piece by piece stays a rope, at ten times the memory.
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at++) bytes[at] = alphabet.charCodeAt(Math.floor(this.next() * alphabet.length));
    return bytes.toString('latin1');
  }
}
