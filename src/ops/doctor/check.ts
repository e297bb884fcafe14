// A check answers one question with one line: green, red, or skipped, and what to do if it is red.
import { errorCatalog } from '#domain/error-catalog.ts';
import { AppError, messageOf } from '#domain/errors.ts';

export type Verdict =
  | { readonly status: 'green'; readonly text: string }
  | { readonly status: 'red'; readonly text: string; readonly todo: string }
  /** It works, but may not be intended. */
  | { readonly status: 'warning'; readonly text: string }
  /** It could not be checked, which alone is no fault. */
  | { readonly status: 'skipped'; readonly text: string };

export interface Check {
  readonly name: string;
  /** The entry of `accounts` that it is about. */
  readonly account?: string;
  readonly run: (signal: AbortSignal) => Promise<Verdict | readonly Verdict[]>;
}

export interface CheckResult {
  readonly name: string;
  readonly account?: string;
  readonly status: Verdict['status'];
  readonly text: string;
  readonly todo?: string;
}

export const green = (text: string): Verdict => ({ status: 'green', text });
export const red = (text: string, todo: string): Verdict => ({ status: 'red', text, todo });
export const warning = (text: string): Verdict => ({ status: 'warning', text });
export const skipped = (text: string): Verdict => ({ status: 'skipped', text });

/** Without Redis; any other error is thrown again. */
export function notChecked(error: unknown): Verdict {
  const { code } = error as { readonly code?: unknown };
  if (code !== 'REDIS_REFUSES' && code !== 'REDIS_UNREACHABLE' && code !== 'LIMITER_UNAVAILABLE') throw error;
  const isRefusal = code === 'REDIS_REFUSES' || messageOf(error).includes('Redis refuses');
  return skipped(`not checked: Redis ${isRefusal ? 'refuses' : 'does not answer'}`);
}

const boundMs = 20_000;

/** Rejects when the signal is aborted, because a check may wait for something that ignores signals. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason instanceof Error ? signal.reason : new Error('it took too long'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/**
 * Runs all checks, one after the other; a check that fails or takes too long is red, and never ends the others.
 * @param told called with each result
 */
export async function runChecks(
  checks: readonly Check[],
  signal: AbortSignal,
  told: (result: CheckResult) => void = () => undefined,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const { name, account, run } of checks) {
    signal.throwIfAborted();
    const about = account === undefined ? { name } : { name, account };
    for (const verdict of await verdictsOf(run, signal)) {
      const result = { ...about, ...verdict };
      results.push(result);
      told(result);
    }
  }
  return results;
}

async function verdictsOf(run: Check['run'], signal: AbortSignal): Promise<readonly Verdict[]> {
  const bound = AbortSignal.any([signal, AbortSignal.timeout(boundMs)]);
  try {
    const verdicts = await Promise.race([run(bound), aborted(bound)]);
    return 'status' in verdicts ? [verdicts] : verdicts;
  } catch (error) {
    signal.throwIfAborted();
    const todo =
      error instanceof AppError
        ? errorCatalog[error.code].remedy
        : 'Read the message, and look in the run book (docs/operations.md).';
    return [red(messageOf(error), todo)];
  }
}
