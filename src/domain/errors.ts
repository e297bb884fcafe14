// The one error type, and what should happen after it. Codes and their remedies are in error-catalog.ts.
import { type ErrorCode, errorCatalog } from './error-catalog.ts';

/**
 * What the caller of the failed work should do next. Only workers/outcome.ts translates it for the queue.
 * `interrupted`: the process is stopping; the work goes back without using up an attempt.
 */
export type Disposition =
  | { readonly kind: 'retry' }
  | { readonly kind: 'retry-after'; readonly delayMs: number }
  | { readonly kind: 'already-done' }
  | { readonly kind: 'give-up' }
  | { readonly kind: 'interrupted' };

export interface AppErrorOptions {
  readonly cause?: unknown;
  /** Facts for logs and answers; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** This and the next two default to the catalogue's. */
  readonly disposition?: Disposition;
  readonly title?: string;
  readonly remedy?: string;
}

/** An error with a stable code. The message names the place and says what to do. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly disposition: Disposition;
  readonly #words: Pick<AppErrorOptions, 'title' | 'remedy'>;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = options.details ?? {};
    this.disposition = options.disposition ?? { kind: errorCatalog[code].disposition };
    this.#words = options;
  }

  /** What this kind of error means. */
  get title(): string {
    return this.#words.title ?? errorCatalog[this.code].meaning;
  }

  /** What to do. */
  get remedy(): string {
    return this.#words.remedy ?? errorCatalog[this.code].remedy;
  }

  /** The HTTP status an API answers with. */
  get status(): number {
    return errorCatalog[this.code].status;
  }
}

/** Whether Redis did not do what it was asked, because it is away or refuses. */
export function isRedisFailure(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'REDIS_UNREACHABLE' || error.code === 'REDIS_REFUSES');
}

/** The same, or there are no permits, because their ledger is in Redis. */
export function isWithoutRedis(error: unknown): boolean {
  return isRedisFailure(error) || (error instanceof AppError && error.code === 'LIMITER_UNAVAILABLE');
}

/** The message of anything that was thrown, even if it has none or its getter throws. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'a value that cannot be shown was thrown';
  }
}
