// One metadata batch: what was sent, and what became of it.
import type { JSX } from 'preact';
import { api } from '../api.ts';
import { contentsLeftText } from '../delivery.ts';
import { count, idOf, words } from '../format.ts';
import { Json } from '../parts/facts.tsx';
import { ProblemLine, Skeleton, StreamLink, Table } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { useResource } from '../use-resource.ts';
import { Batch } from './batches.tsx';

/** `GET /v1/metadata/batches/{id}` */
interface BatchProgress {
  readonly batchId: string;
  readonly who: string;
  readonly state: string;
  readonly lane: string;
  readonly channels: number;
  readonly items: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<string, number>>;
  readonly contents?: readonly { readonly payload: unknown; readonly key?: string }[];
  readonly skipped: readonly {
    readonly reason: string;
    readonly count: number;
    readonly examples: readonly string[];
  }[];
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly etaSeconds: number | null;
}

export function OneBatch({ id }: { readonly id: string }): JSX.Element {
  const { value: batch, problem } = useResource(
    `batch/${id}`,
    (signal) => api<BatchProgress>('GET', `/v1/metadata/batches/${encodeURIComponent(id)}`, { signal }),
    { everyMs: 2000 },
  );
  const contents = batch?.contents ?? [];
  const left = (batch?.items ?? 0) - contents.length;
  return (
    <div class="page">
      <ViewHead title="Metadata batch" />
      <ProblemLine problem={problem} />
      {!batch && !problem && <Skeleton />}
      {batch && (
        <>
          <Batch
            batch={{
              id: batch.batchId,
              state: batch.state,
              lane: batch.lane,
              channels: batch.channels,
              items: batch.items,
              startedMs: Date.parse(batch.startedAt),
              finishedMs: batch.finishedAt === null ? undefined : Date.parse(batch.finishedAt),
              etaSeconds: batch.etaSeconds ?? undefined,
              counts: batch.counts,
              failures: batch.failures,
              by: batch.who,
            }}
          />
          <section class="panel" aria-labelledby="contents-title">
            <h2 id="contents-title">Contents</h2>
            <ol class="contents">
              {contents.map(({ payload, key }, index) => (
                <li key={index}>
                  {key !== undefined && (
                    <p class="dim">
                      key <code>{key}</code>
                    </p>
                  )}
                  <Json value={payload} />
                </li>
              ))}
            </ol>
            {left > 0 && <p class="dim">{contentsLeftText(left, contents.length)}</p>}
          </section>
          {batch.skipped.length > 0 && (
            <section class="panel" aria-labelledby="skipped-title">
              <h2 id="skipped-title">Channels that were left out</h2>
              <Table
                names={['Why', 'Channels', 'Such as']}
                rows={batch.skipped.map(({ reason, count: channels, examples }) => [
                  words(reason),
                  count(channels),
                  examples.slice(0, 5).map((arn, index) => (
                    <span key={arn}>
                      {index > 0 && ', '}
                      {arn.startsWith('arn:') ? <StreamLink arn={arn} /> : idOf(arn)}
                    </span>
                  )),
                ])}
              />
            </section>
          )}
        </>
      )}
    </div>
  );
}
