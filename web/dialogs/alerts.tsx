// Who has an alert.
import type { Alert } from '#api/alert.ts';
import { api } from '../api.ts';
import { ask, Dialog, Field } from '../parts/dialog.tsx';
import { toast } from '../parts/toasts.tsx';

export function askAcknowledge({ id, title }: Alert): void {
  ask(
    <Dialog
      title={`Take “${title}”?`}
      text="Everybody sees that you work on it, and it is not escalated. It stays here until its cause is gone."
      confirm="Acknowledge"
      onSubmit={async ({ note }) => {
        await api('POST', `/v1/alerts/${encodeURIComponent(id)}/acknowledge`, { body: note ? { note } : {} });
        toast('Acknowledged.');
      }}
    >
      <Field label="Note" name="note" maxLength={500} />
    </Dialog>,
  );
}
