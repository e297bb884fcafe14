// The actions for the selected streams, and how streams are selected.
import type { JSX } from 'preact';
import { askMany } from '../dialogs/many.tsx';
import { askMetadata } from '../dialogs/metadata.tsx';
import { count, plural } from '../format.ts';
import { toast } from '../parts/toasts.tsx';
import { clearSelection, isSelected, mostSelected, select, selectedRows } from '../selection.ts';

/** The row that was pressed last: with Shift, everything from there is selected. */
let last: string | undefined;

/** Selects or deselects a row; with `range`, all from the previous row up to it, in the order of the list. */
export function selectRow(arn: string, shownArns: readonly string[], { range }: { readonly range: boolean }): void {
  const on = !isSelected(arn);
  // While nothing is selected, no range has begun.
  const begins = last === undefined || selectedRows.peek().length === 0;
  const [from, to] = [begins ? -1 : shownArns.indexOf(last!), shownArns.indexOf(arn)];
  const arns = range && from >= 0 && to >= 0 ? shownArns.slice(Math.min(from, to), Math.max(from, to) + 1) : [arn];
  last = arn;
  tell(select(arns, on));
}

/** Selects as many of these as possible. */
export function selectAll(arns: readonly string[]): void {
  tell(select(arns, true));
}

function tell(left: number): void {
  if (left > 0) toast(`${count(mostSelected)} are selected, the maximum; ${count(left)} more are not.`, true);
}

/** Shown above the list while something is selected. */
export function SelectionBar({ shownArns }: { readonly shownArns: () => readonly string[] }): JSX.Element | null {
  const rows = selectedRows.value;
  if (rows.length === 0) return null;
  const shown = new Set(shownArns());
  const hidden = rows.filter(({ arn }) => !shown.has(arn)).length;
  const free = rows.filter(({ hold }) => !hold);
  const held = rows.filter(({ hold }) => hold);
  return (
    <div class="selection panel" role="group" aria-label="Selected streams">
      <b>
        {count(rows.length)} selected{hidden > 0 && `, ${count(hidden)} of them not shown`}
      </b>
      {free.length > 0 && (
        <button type="button" class="small" onClick={() => askMany('hold', free)}>
          Hold {plural(free.length, 'channel')}
        </button>
      )}
      {held.length > 0 && (
        <button type="button" class="small" onClick={() => askMany('release', held)}>
          Release {plural(held.length, 'channel')}
        </button>
      )}
      <button type="button" class="small" onClick={() => askMetadata({ channels: rows })}>
        Send metadata
      </button>
      <button type="button" class="link" onClick={clearSelection}>
        Clear
      </button>
    </div>
  );
}
