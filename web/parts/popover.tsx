// A small panel that opens below its button, and closes on a press elsewhere or Escape (keys.ts).
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export function Popover({
  name,
  label,
  summary,
  children,
}: {
  /** Its class. */
  readonly name: string;
  /** The label of the panel. */
  readonly label: string;
  readonly summary: ComponentChildren;
  readonly children: ComponentChildren;
}): JSX.Element {
  const element = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: MouseEvent) => {
      const { current } = element;
      if (current?.open && !current.contains(event.target as Node)) current.open = false;
    };
    document.addEventListener('click', close);
    return () => document.removeEventListener('click', close);
  }, []);
  return (
    <details class={`popover ${name}`} ref={element}>
      <summary>{summary}</summary>
      <div class="panel" role="group" aria-label={label}>
        {children}
      </div>
    </details>
  );
}
