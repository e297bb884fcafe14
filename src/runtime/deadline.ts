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
export async function within<T>(
  { ms, what, signals = [] }: Bound,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  // Whichever ends first, the outcome of the other no longer matters.
  ended.catch(() => undefined);
  const stop = (error: Error) => {
    reject(error);
    end.abort(error);
  };
  const timer = setTimeout(() => stop(new TimeoutError(`${what}: no complete answer within ${ms} ms`)), ms);
  const listening = signals.flatMap((signal) => {
    if (signal === undefined) return [];
    const onAbort = () => stop(new AbortError(`${what}: interrupted`, { cause: signal.reason }));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    return [{ signal, onAbort }];
  });
  try {
    if (end.signal.aborted) return await ended;
    return await Promise.race([run(end.signal), ended]);
  } finally {
    clearTimeout(timer);
    for (const { signal, onAbort } of listening) signal.removeEventListener('abort', onAbort);
  }
}
