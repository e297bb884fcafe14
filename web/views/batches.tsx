// Metadata batches with their progress: the newest ones of the outbox.
import type { JSX } from 'preact';
import type { BatchLine } from '#api/live/status.ts';
import { personText } from '#api/person.ts';
import { askCancelBatch } from '../dialogs/controls.tsx';
import { askMetadata } from '../dialogs/metadata.tsx';
import { clock, count, duration, plural, stamp, words } from '../format.ts';
import { Glyph, type Shape } from '../parts/signs.tsx';
import { Empty } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href } from '../route.ts';
import { mayOperate, now, status } from '../store.ts';

export function BatchesView(): JSX.Element {
  const batches = status.value?.batches;
  return (
    <div class="page">
      <ViewHead title="Metadata batches">
        {mayOperate() && (
          <button type="button" class="primary" onClick={() => askMetadata()}>
            Send metadata
          </button>
        )}
      </ViewHead>
      {batches === undefined && <p class="dim">The outbox cannot be read at the moment.</p>}
      {batches?.length === 0 && (
        <Empty title="No batch in the last hours">
          Metadata that programs, rules and people send to channels appears here.
        </Empty>
      )}
      <div class="cards">
        {batches?.map((batch) => (
          <Batch key={batch.id} batch={batch} />
        ))}
      </div>
    </div>
  );
}

const signs: Readonly<Record<string, Shape>> = {
  running: 'waiting',
  cancelling: 'pause',
  finished: 'ok',
  cancelled: 'ended',
};

/** Outcomes, the most interesting first. */
const outcomes = [
  ['delivered', 'delivered'],
  ['pending', 'to go'],
  ['failed', 'failed'],
  ['expired', 'expired'],
  ['notBroadcasting', 'not broadcasting'],
  ['conflated', 'replaced by newer'],
  ['cancelled', 'cancelled'],
] as const;

/** A batch and how far it has come. */
export function Batch({ batch }: { readonly batch: BatchLine }): JSX.Element {
  const { id, state, lane, channels, items, startedMs, finishedMs, etaSeconds, counts, failures, by } = batch;
  const total = Object.values(counts).reduce((sum, value) => sum + value, 0);
  const pending = counts['pending'] ?? 0;
  const troubles = Object.entries(failures).map(([code, number]) => `${code} ${count(number)}`);
  return (
    <section class="panel batch" aria-label={`Batch ${id}`}>
      <div class="split">
        <h2>
          {plural(items, 'item')} to {plural(channels, 'channel')}
        </h2>
        <span class="chip">
          <Glyph shape={signs[state] ?? 'waiting'} />
          {words(state)}
        </span>
      </div>
      <progress max={Math.max(1, total)} value={total - pending} aria-label={`Progress of batch ${id}`} />
      <p>
        {count(total - pending)} of {count(total)} ended
        {pending > 0 && typeof etaSeconds === 'number'
          ? `, about ${duration(Math.max(1, etaSeconds) * 1000)} to go`
          : ''}
        {typeof finishedMs === 'number' ? ` in ${tookText(finishedMs - startedMs)}` : ''}
      </p>
      <ul class="tally">
        {outcomes.map(([name, text]) => {
          const value = counts[name] ?? 0;
          return (
            value > 0 && (
              <li key={name} class={name === 'failed' ? 'bad' : ''}>
                <b>{count(value)}</b> {text}
              </li>
            )
          );
        })}
      </ul>
      {troubles.length > 0 && <p class="bad">Failed with {troubles.join(', ')}.</p>}
      <p class="dim">
        <span title={stamp(startedMs)}>
          {clock(startedMs)}, {duration(now() - startedMs)} ago
        </span>
        {by ? ` by ${personText(by)}` : ''}, lane {lane}
      </p>
      <p class="dim">
        <a href={href('batch', id)}>
          <code>{id}</code>
        </a>
      </p>
      {state === 'running' && mayOperate() && (
        <p>
          <button type="button" class="small" onClick={() => askCancelBatch(id)}>
            Cancel the rest
          </button>
        </p>
      )}
    </section>
  );
}

function tookText(ms: number): string {
  return ms < 1000 ? `${Math.max(0, ms)} ms` : duration(ms);
}
