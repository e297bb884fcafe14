// Activates a standby: the consequences are shown before the button can be pressed.
import { api, problemText } from '../api.ts';
import { ask, Dialog, Reason } from '../parts/dialog.tsx';
import { toast } from '../parts/toasts.tsx';

interface Activation {
  readonly effects: readonly string[];
}

export async function askActivate(): Promise<void> {
  try {
    const { effects } = await api<Activation>('POST', '/v1/activate', { body: { dryRun: true } });
    ask(
      <Dialog
        title="Activate this standby?"
        text="From then on it works, with all replicas of its Redis, also after a restart:"
        confirm="Activate"
        danger
        onSubmit={async ({ reason }) => {
          await api('POST', '/v1/activate', { body: { reason } });
          toast('The standby is activated.');
        }}
      >
        <ul class="effects">
          {effects.map((effect) => (
            <li key={effect}>{effect}</li>
          ))}
        </ul>
        <Reason />
      </Dialog>,
    );
  } catch (error) {
    toast(problemText(error), true);
  }
}
