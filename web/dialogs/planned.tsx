// What is planned for a channel, in full: the action, its rule, when, or what holds it back and what happens then.
import type { JSX } from 'preact';
import type { LiveRow, NextAction } from '#api/live/row.ts';
import { duration, words } from '../format.ts';
import { ask, Dialog } from '../parts/dialog.tsx';
import { now, rowOfChannel } from '../store.ts';

/** Every planned action of a row, the next one first. */
export function plannedOf({ next }: Pick<LiveRow, 'next'>): readonly Omit<NextAction, 'more'>[] {
  return next ? [next, ...(next.more ?? [])] : [];
}

/** One planned action, in sentences. */
export function plannedText({ text, rule, dueMs, withheld }: Omit<NextAction, 'more'>, at: number): string {
  const what = `${words(text)}${rule === undefined ? '' : ` (rule ${rule})`}`;
  if (withheld) return `${what}, held back: ${withheld.why}. ${withheld.afterwards}`;
  return dueMs === undefined ? what : `${what} ${dueMs > at ? `in ${duration(dueMs - at)}` : 'due now'}`;
}

export function showPlanned(arn: string): void {
  ask(<Planned arn={arn} />);
}

function Planned({ arn }: { readonly arn: string }): JSX.Element {
  const row = rowOfChannel(arn);
  const planned = row ? plannedOf(row) : [];
  const at = now();
  return (
    <Dialog title={`Planned for ${row?.name ?? arn}`} dismiss="Close">
      {planned.length === 0 && <p>Nothing any more.</p>}
      <ul class="plain">
        {planned.map((each) => (
          <li key={each.id + each.text}>{plannedText(each, at)}</li>
        ))}
      </ul>
    </Dialog>
  );
}
