// The silences in force: what each holds back, until when, and the buttons to change, extend or end it.
import type { JSX } from 'preact';
import type { SilenceLine } from '#api/live/status.ts';
import { personText } from '#api/person.ts';
import { api } from '../api.ts';
import { askEditSilence, askExtendSilence, askSilence } from '../dialogs/silence.tsx';
import { duration, stamp } from '../format.ts';
import { attempt } from '../parts/toasts.tsx';
import { mayOperate, now, status } from '../store.ts';

export function SilencesPanel(): JSX.Element {
  const silences = status.value?.silences ?? [];
  return (
    <section class="panel silences" aria-labelledby="silences-title">
      <div class="split">
        <h2 id="silences-title">Silences</h2>
        {mayOperate() && (
          <button type="button" class="small" onClick={() => askSilence()}>
            Add
          </button>
        )}
      </div>
      {silences.length === 0 ? (
        <p class="dim">None in force.</p>
      ) : (
        <ul>
          {silences.map((silence) => (
            <Silence key={silence.id} silence={silence} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Silence({ silence }: { readonly silence: SilenceLine }): JSX.Element {
  const { id, matchers, reason, who, untilMs } = silence;
  const text = matchers.join(', ');
  return (
    <li>
      {matchers.map((matcher) => (
        <code key={matcher}>{matcher}</code>
      ))}
      <p>{reason}</p>
      <p class="dim">
        {personText(who)}, <span title={stamp(untilMs)}>ends in {duration(untilMs - now())}</span>
      </p>
      {mayOperate() && (
        <p class="links">
          <button
            type="button"
            class="small"
            aria-label={`Extend the silence ${text}`}
            onClick={() => askExtendSilence(silence)}
          >
            Extend
          </button>
          <button
            type="button"
            class="small"
            aria-label={`Edit the silence ${text}`}
            onClick={() => askEditSilence(silence)}
          >
            Edit
          </button>
          <button
            type="button"
            class="small"
            aria-label={`End now the silence ${text}`}
            onClick={() =>
              void attempt('The silence has ended.', () => api('DELETE', `/v1/silences/${encodeURIComponent(id)}`))
            }
          >
            End now
          </button>
        </p>
      )}
    </li>
  );
}
