// The head of the list of streams: the name of each column; pressing one sorts by it.
import type { JSX } from 'preact';
import { Glyph } from '../parts/signs.tsx';
import { setParams } from '../route.ts';
import { isSelected, select } from '../selection.ts';
import { mayOperate } from '../store.ts';
import { type Column, nextSort, type Sorting } from './columns.ts';
import { selectAll } from './selection-bar.tsx';

export function Head({
  columns,
  sorting,
  shownArns,
}: {
  readonly columns: readonly Column[];
  readonly sorting: Sorting | undefined;
  readonly shownArns: () => readonly string[];
}): JSX.Element {
  return (
    <div class="row head" role="row">
      {columns.map((column) =>
        column.id === 'mark' ? (
          <span key="mark" role="columnheader" class="mark">
            {mayOperate() && <SelectAll shownArns={shownArns} />}
            <span class="sr">Chosen, pinned</span>
          </span>
        ) : (
          <span
            key={column.id}
            role="columnheader"
            data-column={column.id}
            aria-sort={sorting?.column === column ? (sorting.descending ? 'descending' : 'ascending') : 'none'}
          >
            <button type="button" onClick={() => setParams({ sort: nextSort(column, sorting) })}>
              {column.title}
              {sorting?.column === column && <Glyph shape={sorting.descending ? 'down' : 'up'} />}
            </button>
          </span>
        ),
      )}
    </div>
  );
}

function SelectAll({ shownArns }: { readonly shownArns: () => readonly string[] }): JSX.Element {
  const arns = shownArns();
  const chosen = arns.filter(isSelected).length;
  return (
    <input
      type="checkbox"
      aria-label="Select all streams that are shown"
      checked={chosen > 0 && chosen === arns.length}
      indeterminate={chosen > 0 && chosen < arns.length}
      onChange={() => (chosen > 0 ? void select(arns, false) : selectAll(arns))}
    />
  );
}
