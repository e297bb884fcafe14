// Can I trust this screen? One line for each source, with its age.
import type { JSX } from 'preact';
import type { TrustLine } from '#api/live/status.ts';
import { pictureText } from '#domain/picture.ts';
import { clock, duration } from '../format.ts';
import { Popover } from '../parts/popover.tsx';
import { Glyph, type Shape } from '../parts/signs.tsx';
import { connection, now, staleReason, status } from '../store.ts';

const shapes: Readonly<Record<TrustLine['state'], Shape>> = { ok: 'ok', stale: 'failed', unknown: 'waiting' };
const wordsFor: Readonly<Record<TrustLine['state'], string>> = { ok: 'fine', stale: 'look here', unknown: 'not known' };

/** The pill in the top bar. */
export function TrustPill(): JSX.Element {
  const lines = status.value?.trust ?? [];
  const reason = staleReason.value;
  const first = lines.find(({ state }) => state === 'stale');
  const worst = reason !== undefined || first ? 'stale' : 'ok';
  return (
    <Popover
      name={`trust ${worst}`}
      label="Can I trust this screen?"
      summary={
        <>
          <Glyph shape={shapes[worst]} />
          <span>{summaryOf(lines, reason, first)}</span>
        </>
      }
    >
      <h2>Can I trust this screen?</h2>
      {reason !== undefined && <p>{reason}</p>}
      <ul>
        {lines.map(({ name, state, text, atMs }) => (
          <li key={name} class={state}>
            <Glyph shape={shapes[state]} />
            <b>{name}</b>
            <span>
              {text}
              {atMs === undefined ? '' : `, ${duration(now() - atMs)} ago`}
            </span>
            <span class="sr">: {wordsFor[state]}</span>
          </li>
        ))}
      </ul>
    </Popover>
  );
}

function summaryOf(lines: readonly TrustLine[], reason: string | undefined, first: TrustLine | undefined): string {
  if (connection.value === 'lost') return 'Connection lost';
  const picture = status.value?.picture;
  if (picture) return pictureText(picture, now(), { duration, time: clock });
  if (reason !== undefined) return 'Data is stale';
  if (first) return `${first.name}: ${first.text}`;
  const polledMs = lines.find(({ name }) => name === 'Poll')?.atMs;
  return `Data is fresh${polledMs === undefined ? '' : ` · poll ${duration(now() - polledMs)}`}`;
}
