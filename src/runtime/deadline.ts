// The limit of everything that waits for another party: it ends by itself, on time, or when it is no longer wanted.

/** Thrown by `within` when the time is up. The name is one that the AWS SDK treats as a temporary failure. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** Thrown by `within` when a signal ended it; `cause` is the signal's reason. */
export class AbortError extends Error {
  override readonly name = 'AbortError';
}

export interface Bound {
  readonly ms: number;
  /** What is awaited, for the message. */
  readonly what: string;
  /** Any of them ends it. */
  readonly signals?: readonly (AbortSignal | undefined)[];
}

/**
 * Runs something that must not take longer than `ms`. It gets a signal that ends with it; whether it obeys that signal or
 * not, the caller waits no longer. Not AbortSignal.any: its signals would stay until a full garbage collection.
 * @throws TimeoutError, AbortError
 */
export function within<T>({ ms, what, signals = [] }: Bound, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = new AbortController();
    const listening: { readonly signal: AbortSignal; readonly onAbort: () => void }[] = [];
    const settle = () => {
      clearTimeout(timer);
      for (const { signal, onAbort } of listening) signal.removeEventListener('abort', onAbort);
    };
    // Whichever ends first, the outcome of the other no longer matters.
    const stop = (error: Error) => {
      settle();
      reject(error);
      end.abort(error);
    };
    const timer = setTimeout(() => stop(new TimeoutError(`${what}: no complete answer within ${ms} ms`)), ms);
    for (const signal of signals) {
      if (signal === undefined) continue;
      const onAbort = () => stop(new AbortError(`${what}: interrupted`, { cause: signal.reason }));
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      listening.push({ signal, onAbort });
    }
    const running = async () => run(end.signal);
    running().finally(settle).then(resolve, reject);
  });
}
