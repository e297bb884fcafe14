// A small file that may be replaced at any moment: while it cannot be read, its last content is used.
import { AppError, messageOf } from '#domain/errors.ts';
import type { Logger } from './logger.ts';
import { readBounded } from './read-bounded.ts';

export interface RereadFileOptions {
  /** What names the file, for messages: a variable or a setting. */
  readonly name: string;
  readonly path: string;
  readonly logger: Pick<Logger, 'warn'>;
  /** Called with every new text, and with the one that it replaces. @throws AppError: the text is not used */
  readonly onRead: (text: string, before: string | undefined) => void;
}

const mostBytes = 64 * 1024;

export class RereadFile {
  readonly #options: RereadFileOptions;
  #text: string | undefined;
  #isUnreadable = false;

  constructor(options: RereadFileOptions) {
    this.#options = options;
  }

  /** The text without the line break. @throws AppError REDIS_URL_INVALID if it has never been read */
  read(): string {
    const { name, path, logger, onRead } = this.#options;
    try {
      const text = readBounded(path, mostBytes).replace(/\r?\n$/, '');
      if (text === '') throw new Error('it is empty');
      if (text !== this.#text) onRead(text, this.#text);
      this.#text = text;
      this.#isUnreadable = false;
      return text;
    } catch (error) {
      const isOurs = error instanceof AppError;
      const problem = isOurs ? error.message : `${name} names a file that cannot be read: ${messageOf(error)}`;
      if (this.#text === undefined) throw isOurs ? error : new AppError('REDIS_URL_INVALID', problem);
      if (!this.#isUnreadable) logger.warn({ code: 'REDIS_URL_INVALID' }, `${problem}; what it said before is used`);
      this.#isUnreadable = true;
      return this.#text;
    }
  }
}
