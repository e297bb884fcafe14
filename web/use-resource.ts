// A view's request to the API: it ends with the view, and late answers are dropped.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from './api.ts';

export interface Resource<T> {
  /** Undefined until the first answer. */
  readonly value: T | undefined;
  readonly problem: Problem | undefined;
  /** Requests it again now. */
  readonly reload: () => void;
}

/**
 * Loads, and loads again every `everyMs`. Another `key` is another request: its answer is undefined until it arrives, and the
 * previous request is cancelled.
 */
export function useResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  { everyMs = 5000 }: { readonly everyMs?: number } = {},
): Resource<T> {
  const [answer, setAnswer] = useState<{ key: string; value?: T; problem?: Problem }>({ key });
  const latest = useRef(load);
  latest.current = load;
  const again = useRef<() => void>(() => undefined);
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    let asking = false;
    const ask = async () => {
      if (asking) return;
      asking = true;
      try {
        const value = await latest.current(signal);
        if (!signal.aborted) setAnswer({ key, value });
      } catch (error) {
        const problem = error instanceof Problem ? error : new Problem(0, { detail: String(error) });
        // What was known stays, below the problem.
        if (!signal.aborted) setAnswer((before) => (before.key === key ? { ...before, problem } : { key, problem }));
      }
      asking = false;
    };
    again.current = () => void ask();
    void ask();
    const timer = setInterval(() => void ask(), everyMs);
    return () => {
      ending.abort();
      clearInterval(timer);
    };
  }, [key, everyMs]);
  const reload = useCallback(() => again.current(), []);
  return answer.key === key
    ? { value: answer.value, problem: answer.problem, reload }
    : { value: undefined, problem: undefined, reload };
}
