// Small pieces that many views share: times, links to streams, placeholders while an answer is awaited.
import type { ComponentChildren, JSX } from 'preact';
import type { Problem } from '../api.ts';
import { problemText } from '../api.ts';
import { clock, stamp } from '../format.ts';
import { href } from '../route.ts';
import { channelName } from '../store.ts';

/** Local time of day; date, zone and UTC in its tooltip. */
export function Time({ ms }: { readonly ms: number }): JSX.Element {
  return (
    <time dateTime={new Date(ms).toISOString()} title={stamp(ms)}>
      {clock(ms)}
    </time>
  );
}

/** A channel by its name, as a link to its page. */
export function StreamLink({ arn, name }: { readonly arn: string; readonly name?: string | undefined }): JSX.Element {
  return <a href={href('stream', arn)}>{name || channelName(arn)}</a>;
}

export function ProblemLine({ problem }: { readonly problem: Problem | undefined }): JSX.Element | null {
  if (!problem) return null;
  return (
    <p class="problem" role="alert">
      {problemText(problem)}
    </p>
  );
}

/** A placeholder for rows. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }): JSX.Element {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} />
      ))}
    </div>
  );
}

export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <h2>{title}</h2>
      <p>{children}</p>
    </div>
  );
}

/** A small table that scrolls on its own if it is too wide. */
export function Table({
  names,
  rows,
}: {
  readonly names: readonly string[];
  readonly rows: readonly (readonly ComponentChildren[])[];
}): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Table: ${names.join(', ')}`}>
      <table>
        <thead>
          <tr>
            {names.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, index) => (
            <tr key={index}>
              {cells.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
