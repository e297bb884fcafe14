// A value that must not be seen: it cannot be printed, serialised or inspected, only revealed on purpose.
import { inspect } from 'node:util';

const shown = '[secret]';

/** Contains a stream key, a private key or a token. Only `reveal` returns the value. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call this only where the value is sent to its destination. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  [Symbol.toPrimitive](): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}
