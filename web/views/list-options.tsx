// How the list looks and how new alerts are reported, for this browser only.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { desktopProblem, mayNotify, ringOnce } from '../notices.ts';
import { Popover } from '../parts/popover.tsx';
import { Glyph } from '../parts/signs.tsx';
import { choosableColumns, prefer, preferences } from '../preferences.ts';
import { type Column, columns } from './columns.ts';

/** @param props `shown`: the columns that are shown now, chosen or not */
export function ListOptions({ shown }: { readonly shown: readonly Column[] }): JSX.Element {
  const { density, columns: chosen, sound } = preferences.value;
  return (
    <Popover
      name="options"
      label="How the list looks"
      summary={
        <>
          <Glyph shape="options" /> View
        </>
      }
    >
      <fieldset>
        <legend>Columns</legend>
        {choosableColumns.map((id) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={shown.some((column) => column.id === id)}
              onChange={({ currentTarget: { checked } }) =>
                prefer({
                  columns: choosableColumns.filter((each) =>
                    each === id ? checked : shown.some((column) => column.id === each),
                  ),
                })
              }
            />
            {columns.find((column) => column.id === id)?.title}
          </label>
        ))}
        {chosen && (
          <button type="button" class="link" onClick={() => prefer({ columns: undefined })}>
            As the window has room
          </button>
        )}
      </fieldset>
      <fieldset>
        <legend>Rows</legend>
        <label>
          <input
            type="checkbox"
            checked={density === 'compact'}
            onChange={({ currentTarget: { checked } }) => prefer({ density: checked ? 'compact' : 'comfortable' })}
          />
          Compact
        </label>
      </fieldset>
      <fieldset>
        <legend>When something new needs you</legend>
        <label>
          <input
            type="checkbox"
            checked={sound}
            onChange={({ currentTarget: { checked } }) => {
              prefer({ sound: checked });
              // A person who turns it on hears what it sounds like, and the browser learns that it is wanted.
              if (checked) ringOnce();
            }}
          />
          Sound
        </label>
        <Desktop />
        <p class="dim">In this browser, while the page is open.</p>
      </fieldset>
    </Popover>
  );
}

function Desktop(): JSX.Element {
  const [refused, setProblem] = useState<string>();
  // It was allowed once, and no longer is.
  const withdrawn = preferences.value.desktop && !mayNotify();
  const problem = refused ?? (withdrawn ? 'The browser no longer allows it: turn it off and on again.' : undefined);
  return (
    <>
      <label>
        <input
          type="checkbox"
          checked={preferences.value.desktop}
          onChange={({ currentTarget }) => {
            const { checked } = currentTarget;
            setProblem(undefined);
            if (!checked) prefer({ desktop: false });
            else
              void desktopProblem().then((why) => {
                prefer({ desktop: why === undefined });
                currentTarget.checked = why === undefined;
                setProblem(why);
              });
          }}
        />
        Desktop notification
      </label>
      {problem !== undefined && (
        <p class="note" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
