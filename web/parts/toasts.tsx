// Messages shown for a few seconds at the lower edge.
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { problemText } from '../api.ts';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly bad: boolean;
}

const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

/** Shows a message for a few seconds; a failure, longer. */
export function toast(text: string, bad = false): void {
  const id = ++lastId;
  toasts.value = [...toasts.peek(), { id, text, bad }];
  setTimeout(
    () => {
      toasts.value = toasts.peek().filter((each) => each.id !== id);
    },
    bad ? 9000 : 4000,
  );
}

/** Shows a message that could be repeated often, at most once a minute. */
export function toastSeldom(text: string): void {
  if (performance.now() - (saidAt.get(text) ?? Number.NEGATIVE_INFINITY) < 60_000) return;
  saidAt.set(text, performance.now());
  toast(text, true);
}

const saidAt = new Map<string, number>();

/** Does something and shows the result; a problem is shown with its remedy. */
export async function attempt(done: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
    toast(done);
  } catch (problem) {
    toast(problemText(problem), true);
  }
}

export function Toasts(): JSX.Element {
  return (
    <div id="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, bad }) => (
        <p key={id} class={bad ? 'toast bad' : 'toast'}>
          {text}
        </p>
      ))}
    </div>
  );
}
