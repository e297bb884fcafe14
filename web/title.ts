// The title of the tab, in the same form in every view: what is wrong first, since a tab in the background shows its beginning.
import { effect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { idOf } from './format.ts';
import { route } from './route.ts';
import { channelName, connection, isPaused, staleReason, status } from './store.ts';

/** Keeps the title in step. Not drawn with the page: a tab in the background is never drawn. */
export function useTitle(): void {
  useEffect(
    () =>
      effect(() => {
        document.title = title();
      }),
    [],
  );
}

const names: Readonly<Record<string, string>> = {
  decisions: 'Decisions',
  rules: 'Rules',
  quota: 'Quota',
  batches: 'Batches',
  audit: 'Audit',
};

/** `(2) Paused – Decisions – ivs-autopilot` */
function title(): string {
  const needs = status.value?.needs.length ?? 0;
  const { page, arg } = route.value;
  const trouble =
    connection.value === 'lost' ? 'Connection lost' : staleReason.value === undefined ? undefined : 'Data is stale';
  const parts = [
    trouble,
    isPaused.value ? 'Paused' : undefined,
    page === 'stream' ? channelName(arg) || idOf(arg) : (names[page] ?? 'Streams'),
    'ivs-autopilot',
  ].filter(Boolean);
  return `${needs > 0 ? `(${needs}) ` : ''}${parts.join(' – ')}`;
}
