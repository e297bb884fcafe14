// One row of the list of streams. It is drawn again only when its stream, its position, a selection or the second changes.
import type { JSX } from 'preact';
import type { LiveRow } from '#api/live/row.ts';
import { personText } from '#api/person.ts';
import { api } from '../api.ts';
import { askHold, askRelease } from '../dialogs/controls.tsx';
import { showPlanned } from '../dialogs/planned.tsx';
import { count, duration, idOf, shortDuration, stamp } from '../format.ts';
import { Glyph, sparkPoints, stateOf } from '../parts/signs.tsx';
import { attempt, toast } from '../parts/toasts.tsx';
import { mostPinned, preferences, togglePin } from '../preferences.ts';
import { href, setParams } from '../route.ts';
import { isSelected } from '../selection.ts';
import { mayOperate, now } from '../store.ts';
import type { Column, ColumnId } from './columns.ts';
import { selectRow } from './selection-bar.tsx';

export const recordings: Readonly<Record<LiveRow['recording'], string>> = {
  none: 'Off',
  recording: 'On',
  ended: 'Ended',
  failed: 'Failed',
};

interface Cell {
  readonly row: LiveRow;
  /** The daemon's time now. */
  readonly at: number;
  readonly shownArns: () => readonly string[];
}

const cells: Readonly<Record<ColumnId, (cell: Cell) => JSX.Element>> = {
  mark: MarkCell,
  state: StateCell,
  channel: ChannelCell,
  viewers: ViewersCell,
  started: StartedCell,
  recording: RecordingCell,
  key: KeyCell,
  next: NextCell,
  hold: HoldCell,
};

/** @param props `index`: its position in the list; `top`: its vertical position, px */
export function StreamRow({
  row,
  number,
  index,
  top,
  columns,
  shownArns,
}: {
  readonly row: LiveRow;
  readonly number: number;
  readonly index: number;
  readonly top: number;
  readonly columns: readonly Column[];
  readonly shownArns: () => readonly string[];
}): JSX.Element {
  const at = now();
  const isChosen = isSelected(row.arn);
  return (
    <div
      class={`row ${stateOf(row).shape}${row.next ? ' planned' : ''}${isChosen ? ' chosen' : ''}`}
      role="row"
      aria-rowindex={index + 2}
      data-key={number}
      data-arn={row.arn}
      style={{ transform: `translateY(${top}px)` }}
    >
      {columns.map(({ id }) => {
        const Cell = cells[id];
        return <Cell key={id} row={row} at={at} shownArns={shownArns} />;
      })}
    </div>
  );
}

function MarkCell({ row, shownArns }: Cell): JSX.Element {
  const pinned = preferences.value.pinned.includes(row.arn);
  return (
    <span class="cell mark" role="cell">
      {mayOperate() && (
        <input
          type="checkbox"
          aria-label={`Select ${row.name}`}
          checked={isSelected(row.arn)}
          onClick={(event) => selectRow(row.arn, shownArns(), { range: event.shiftKey })}
        />
      )}
      <button
        type="button"
        class="pin-button"
        aria-pressed={pinned}
        aria-label={`Pin ${row.name}`}
        title={pinned ? 'Pinned: it comes first' : 'Pin: it comes first'}
        onClick={() => {
          if (!togglePin(row.arn)) toast(`${mostPinned} streams are pinned, the maximum.`, true);
        }}
      >
        <Glyph shape="pin" />
      </button>
    </span>
  );
}

function StateCell({ row, at }: Cell): JSX.Element {
  const state = stateOf(row);
  const { hold } = row;
  return (
    <span class="cell health" role="cell">
      <span class="state">
        <Glyph shape={state.shape} />
        <span>{state.word}</span>
      </span>
      <span class="dim">
        <span title={row.since === undefined ? undefined : `since ${stamp(row.since)}`}>
          {row.since === undefined ? '' : shortDuration(at - row.since)}
        </span>
        <span>{adsText(row, at)}</span>
        <span class="held" title={hold && `${hold.reason} (${personText(hold.who)})`}>
          {heldText(row, at)}
        </span>
      </span>
    </span>
  );
}

function ChannelCell({ row }: Cell): JSX.Element {
  return (
    <span class="cell channel" role="cell">
      <a class="name" href={href('stream', row.arn)} title={row.arn}>
        {row.name}
      </a>
      <Tags tags={row.tags} />
    </span>
  );
}

function ViewersCell({ row }: Cell): JSX.Element {
  return (
    <span class="cell viewers" role="cell">
      <b>{row.viewers === undefined ? '–' : count(row.viewers)}</b>
      <span class="sr"> viewers</span>
      <svg class="spark" viewBox="0 0 96 24" preserveAspectRatio="none" aria-hidden="true">
        <polyline points={sparkPoints(row.spark)} />
      </svg>
    </span>
  );
}

function StartedCell({ row: { state, started }, at }: Cell): JSX.Element {
  const isKnown = state === 'live' && started !== undefined;
  return (
    <span class="cell started" role="cell" title={isKnown ? `since ${stamp(started)}` : undefined}>
      <span class={isKnown ? undefined : 'dim'}>{isKnown ? shortDuration(at - started) : '–'}</span>
      <span class="sr"> live</span>
    </span>
  );
}

function RecordingCell({ row }: Cell): JSX.Element {
  return (
    <span class="cell recording" role="cell">
      <span class={`rec ${row.recording}`}>{recordings[row.recording]}</span>
      <span class="dim" title={row.pending}>
        {row.pending === undefined ? '' : `pending: ${row.pending.replace(/^(recording|record with) /, '')}`}
      </span>
    </span>
  );
}

function KeyCell({ row, at }: Cell): JSX.Element {
  return (
    <span class="cell key" role="cell">
      <span class={row.key === undefined ? 'dim' : undefined}>
        {row.key === undefined ? '–' : shortDuration(at - row.key)}
      </span>
      <span class="sr"> key age</span>
    </span>
  );
}

function NextCell({ row, at }: Cell): JSX.Element {
  return (
    <span class="cell next" role="cell">
      <NextAction row={row} at={at} />
    </span>
  );
}

function HoldCell({ row }: Cell): JSX.Element {
  const may = mayOperate();
  const { hold } = row;
  return (
    <span class="cell hold" role="cell">
      <button
        type="button"
        class="small"
        hidden={!may}
        aria-label={hold ? `Release ${row.name}` : `Hold ${row.name} (${idOf(row.arn)})`}
        onClick={() => (hold ? askRelease(row.arn) : askHold(row.arn))}
      >
        {hold ? 'Release' : 'Hold'}
      </button>
      <span class="dim" hidden={may}>
        {hold ? 'Held' : '–'}
      </span>
    </span>
  );
}

/** The ad break that is announced or running; nothing once it is over. */
function adsText({ ads }: LiveRow, at: number): string {
  if (!ads || at >= ads[1]) return '';
  return at < ads[0] ? ` · ads in ${shortDuration(ads[0] - at)}` : ` · ads for ${shortDuration(ads[1] - at)}`;
}

function heldText({ hold, since }: LiveRow, at: number): string {
  if (!hold) return '';
  return `${since === undefined ? '' : ' · '}${hold.until === undefined ? 'held' : `held ${shortDuration(hold.until - at)}`}`;
}

const shownTags = 2;
const places = [0, 1] as const;

/** The buttons stay when the row shows another stream: scrolling creates no elements. */
function Tags({ tags = {} }: { readonly tags: LiveRow['tags'] }): JSX.Element {
  const texts = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  const more = texts.slice(shownTags);
  return (
    <span class="tags">
      {places.map((place) => {
        const text = texts[place];
        return (
          <button
            key={place}
            type="button"
            class="tag"
            hidden={text === undefined}
            title={text === undefined ? undefined : `Show only ${text}`}
            onClick={() => setParams({ q: text })}
          >
            {text ?? ''}
          </button>
        );
      })}
      <span class="dim" hidden={more.length === 0} title={more.join(', ')}>
        {more.length === 0 ? '' : `+${more.length}`}
      </span>
    </span>
  );
}

function NextAction({ row, at }: { readonly row: LiveRow; readonly at: number }): JSX.Element {
  if (!row.next) return <span class="dim">–</span>;
  const { id, text, dueMs, withheld, more = [] } = row.next;
  const words = (
    <>
      <span>
        {text.replaceAll('_', ' ')}
        {withheld && `, held back: ${withheld.why}`}
        {more.length > 0 && ` (and ${more.length} more)`}
      </span>
      {dueMs !== undefined && <b>{dueMs > at ? `in ${duration(dueMs - at)}` : 'due now'}</b>}
    </>
  );
  return (
    <>
      {withheld || more.length > 0 ? (
        <button
          type="button"
          class={withheld ? 'what withheld' : 'what'}
          title="Show it in full"
          onClick={() => showPlanned(row.arn)}
        >
          {words}
        </button>
      ) : (
        <span class="what" title={row.next.rule === undefined ? text : `${text} (rule ${row.next.rule})`}>
          {words}
        </span>
      )}
      {mayOperate() && (
        <button
          type="button"
          class="small"
          aria-label={`Cancel ${text} on ${row.name}`}
          onClick={() => void attempt('Cancelled.', () => cancelNext(id, row.arn))}
        >
          Cancel
        </button>
      )}
    </>
  );
}

/** @param id `intent:<kind>`, `timer:<id>` or `ad-break:`, as the row names it */
function cancelNext(id: string, arn: string): Promise<unknown> {
  const [kind, name] = [id.slice(0, id.indexOf(':')), id.slice(id.indexOf(':') + 1)];
  if (kind === 'ad-break') return api('DELETE', `/v1/ad-breaks/${encodeURIComponent(arn)}`);
  return kind === 'intent'
    ? api('DELETE', `/v1/intents/${encodeURIComponent(name)}/${encodeURIComponent(arn)}`)
    : api('DELETE', `/v1/timers/${encodeURIComponent(name)}`);
}
