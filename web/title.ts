// The title of the tab, in the same form in every view: what is wrong comes first, since a background tab shows only its beginning.
import { effect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { route } from './route.ts';
import { channelName, connection, isPaused, staleReason, status } from './store.ts';

/** Keeps the title current. It is not drawn with the page, since a background tab is never drawn. */
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
  alerts: 'On call',
  approvals: 'Approvals',
  approval: 'Approval',
  history: 'History',
  rules: 'Rules',
  quota: 'Quota',
  batches: 'Metadata',
  audit: 'Audit',
  decision: 'Decision',
  batch: 'Batch',
  job: 'Job',
  incident: 'Incident',
  runbook: 'Run book',
};
/** Views of single things that have no better name than their ids. */
const nameless = new Set(['decision', 'approval', 'batch', 'job', 'incident']);

/** `(2) Paused – Decisions – ivs-autopilot` */
function title(): string {
  const lost = connection.value === 'lost';
  // If the daemon cannot be reached, nobody knows what needs a person.
  const needs = lost ? 0 : (status.value?.needs.length ?? 0);
  const { page, arg } = route.value;
  const trouble = lost ? 'Connection lost' : staleReason.value === undefined ? undefined : 'Data is stale';
  const parts = [
    trouble,
    isPaused.value ? 'Paused' : undefined,
    page === 'stream' ? channelName(arg) : (names[page] ?? 'Streams'),
    nameless.has(page) ? arg : undefined,
    'ivs-autopilot',
  ].filter(Boolean);
  return `${needs > 0 ? `(${needs}) ` : ''}${parts.join(' – ')}`;
}
