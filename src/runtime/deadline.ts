// The bound of everything that waits for somebody else: it ends by itself, in time, or when it is not wanted any more.

/** Thrown by `within` when the time is over. The name is the one that the AWS SDK takes for a passing trouble. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** Thrown by `within` when a signal ended it; `cause` is the signal's reason. */
export class AbortError extends Error {
  override readonly name = 'AbortError';
}

export interface Bound {
  readonly ms: number;
  /** What is waited for, for the message. */
  readonly what: string;
  /** Any of them ends it. */
  readonly signals?: readonly (AbortSignal | undefined)[];
}

/**
 * Runs something that must not take longer than `ms`. It is handed a signal that ends with it; whether it heeds that signal or
 * not, the caller waits no longer. Not AbortSignal.any: what that makes would stay until the heap is collected as a whole.
 * @throws TimeoutError, AbortError
 */
export async function within<T>(
  { ms, what, signals = [] }: Bound,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  // Whoever wins the race, the other side's end is nobody's business.
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
