// Sends metadata to the channels that the list shows: for example a cue to a show that was found by its tag.
import type { JSX } from 'preact';
import type { LiveRow } from '#api/live/row.ts';
import { askMetadata } from '../dialogs/metadata.tsx';
import { count } from '../format.ts';
import { toast } from '../parts/toasts.tsx';
import { mostSelected, selectedRows } from '../selection.ts';
import { mayOperate } from '../store.ts';

/** @param props `text` and `show`: the filter; `shown`: the rows that pass it */
export function SendToShown({
  text,
  show,
  shown,
}: {
  readonly text: string;
  readonly show: string;
  readonly shown: () => readonly LiveRow[];
}): JSX.Element | null {
  // If something is selected, its bar sends to the selection.
  if (!mayOperate() || show === 'ended' || selectedRows.value.length > 0) return null;
  return (
    <button
      type="button"
      class="chip"
      onClick={() =>
        askFor(
          text,
          show,
          shown().filter(({ state }) => state === 'live'),
        )
      }
    >
      Send metadata
    </button>
  );
}

function askFor(text: string, show: string, live: readonly LiveRow[]): void {
  const words = text.split(/\s+/).filter(Boolean);
  const allLive = show === '' || show === 'live';
  if (allLive && words.length === 0) askMetadata();
  else if (allLive && live.length > 0 && areTags(words, live)) askMetadata({ tags: words });
  else if (live.length === 0) toast('Nothing that is shown is live: there is nobody to send to.', true);
  else if (live.length <= mostSelected) askMetadata({ channels: live });
  else
    toast(
      `${count(live.length)} live channels are shown: narrow them to ${count(mostSelected)}, or search for a tag.`,
      true,
    );
}

/** Whether these words are tags that every one of these rows has, so that the tags can replace the list. */
function areTags(words: readonly string[], live: readonly LiveRow[]): boolean {
  const keys = new Set(words.map((word) => word.slice(0, word.indexOf('='))));
  // The same key twice means either value to the API, and both to the filter.
  if (keys.size < words.length) return false;
  return live.every(({ tags = {} }) => {
    const own = new Set(Object.entries(tags).map(([key, value]) => `${key}=${value}`));
    return words.every((word) => own.has(word));
  });
}
