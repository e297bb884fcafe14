// The title of the tab, in the same form in every view: what is wrong first, since a tab in the background shows its beginning.
import { effect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
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
/** Views of one thing that has no better name than its id. */
const nameless = new Set(['decision', 'approval', 'batch', 'job', 'incident']);

/** `(2) Paused – Decisions – ivs-autopilot` */
function title(): string {
  const lost = connection.value === 'lost';
  // Of a daemon that cannot be reached nobody knows what needs somebody.
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
