// Follows the page tokens of a list, and refuses a list that does not end: half a list is not a list.
import { AppError } from '#domain/errors.ts';

/** Far beyond any account: a hundred thousand channels. */
const mostPages = 1_000;
/** This many pages in a row may bring nothing new. */
const mostStalePages = 10;

export class PageTokens {
  readonly #list: string;
  readonly #mostStale: number;
  readonly #seen = new Set<string>();
  #pages = 0;
  #stale = 0;

  /** @param emptyPages how many more pages in a row a filter may leave empty. */
  constructor(list: string, { emptyPages = 0 }: { readonly emptyPages?: number } = {}) {
    this.#list = list;
    this.#mostStale = mostStalePages + emptyPages;
  }

  /**
   * The token of the next page, or undefined at the end of the list.
   * @throws AppError IVS_ANSWER_INVALID when a token is repeated, or the list does not end.
   */
  next(token: string | undefined, page: { readonly broughtNews: boolean }): string | undefined {
    this.#pages += 1;
    this.#stale = page.broughtNews ? 0 : this.#stale + 1;
    // IVS's own pattern allows an empty token, and the SDK's paginators treat it as the end.
    if (!token) return undefined;
    if (this.#seen.has(token)) throw this.#endless('a token came again');
    if (this.#pages >= mostPages || this.#stale > this.#mostStale) throw this.#endless('its pages bring nothing new');
    this.#seen.add(token);
    return token;
  }

  #endless(why: string): AppError {
    return new AppError('IVS_ANSWER_INVALID', `${this.#list} does not end: ${why} after ${this.#pages} pages`);
  }
}
