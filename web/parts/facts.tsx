// Facts as a list of names and values.
import type { ComponentChildren, JSX } from 'preact';
import { clock, duration, stamp } from '../format.ts';

/** A fact; nothing if nothing is known. */
export function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}): JSX.Element | null {
  if (children === undefined || children === null || children === false || children === '') return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** A moment, and how long ago it was. */
export function Since({ ms, at }: { readonly ms: number | undefined; readonly at: number }): JSX.Element | null {
  if (ms === undefined) return null;
  return (
    <span title={stamp(ms)}>
      {clock(ms)} ({duration(at - ms)} ago)
    </span>
  );
}

/** A value in its raw form, for comparing. */
export function Json({ value }: { readonly value: unknown }): JSX.Element {
  return (
    <pre class="json" tabIndex={0}>
      {typeof value === 'string' ? value : JSON.stringify(value, undefined, 2)}
    </pre>
  );
}
