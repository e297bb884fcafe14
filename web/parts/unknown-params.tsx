// A link with a filter that its view does not know shows more than was meant: this says so.
import type { JSX } from 'preact';
import { didYouMean } from '#domain/nearest-name.ts';
import { route } from '../route.ts';

/** @param props `known`: the parameters of the view */
export function UnknownParams({ known }: { readonly known: readonly string[] }): JSX.Element | null {
  const unknown = Object.keys(route.value.params).filter((name) => !known.includes(name));
  if (unknown.length === 0) return null;
  return (
    <p class="problem" role="alert">
      {unknown
        .map((name) => `This view has no choice “${name}”: it is not applied${didYouMean(name, known)}.`)
        .join(' ')}
    </p>
  );
}
