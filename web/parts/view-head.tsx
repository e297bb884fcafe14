// The head of a view: its name, its actions, and its address to copy.
import type { ComponentChildren, JSX } from 'preact';
import { CopyLink } from './copy.tsx';

export function ViewHead({
  title,
  children,
}: {
  readonly title: ComponentChildren;
  /** Beside the copy button. */
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="split wrap">
      <h1>{title}</h1>
      <div class="actions">
        {children}
        <CopyLink />
      </div>
    </div>
  );
}
