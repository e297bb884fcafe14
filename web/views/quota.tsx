// How much of each quota is in use, what waits, and the last hour.
import type { JSX } from 'preact';
import type { LiveStatus, QuotaLine, QuotaStatus } from '#api/live/status.ts';
import { below } from '../api.ts';
import { clock, count, duration, plural, words } from '../format.ts';
import { Table } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href } from '../route.ts';
import { channelName, status } from '../store.ts';

type QuotaHour = NonNullable<LiveStatus['quotaHour']>;

export function QuotaView(): JSX.Element {
  const quota = status.value?.quota;
  return (
    <div class="page">
      <ViewHead title="Quota" />
      {quota ? (
        <>
          <Operations lines={quota.operations} />
          <Chart hour={status.value?.quotaHour} lines={quota.operations} />
          <Hottest lines={quota.hottest} />
          <Lanes lines={quota.lanes} />
        </>
      ) : (
        <p class="dim">Redis does not return the quota use: see “Can I trust this screen?”.</p>
      )}
      <section class="panel" aria-labelledby="queues-title">
        <h2 id="queues-title">Job queues</h2>
        <Table
          names={['Queue', 'Waiting', 'Running', 'Later', 'Failed']}
          rows={(status.value?.queues ?? []).map(({ name, waiting, active, delayed, failed }) => [
            words(name),
            count(waiting),
            count(active),
            count(delayed),
            failed > 0 ? <b class="bad">{count(failed)}</b> : '0',
          ])}
        />
        <p>
          <a href={below('/queues')}>Look into the queues</a>
        </p>
      </section>
    </div>
  );
}

function Operations({ lines }: { readonly lines: readonly QuotaLine[] }): JSX.Element {
  const shards = new Set(lines.map(({ shard }) => shard)).size;
  // A fixed order, so that things stay where people look for them.
  const sorted = lines.toSorted((a, b) => b.limit - a.limit || (a.operation < b.operation ? -1 : 1));
  return (
    <section class="panel" aria-labelledby="operations-title">
      <h2 id="operations-title">Calls in the last second</h2>
      <ul class="bars">
        {sorted.map(({ shard, operation, limit, used, withheld, slowedChannels, waiting }) => (
          <li key={`${shard}/${operation}`}>
            <span class="label">
              {operation}
              {shards > 1 && <span class="dim"> {shard}</span>}
            </span>
            <Bar used={used} limit={limit} label={`${operation}: ${used} of ${limit} calls per second`} />
            <span class="value">
              {count(used)} of {count(limit)}/s
              {waiting > 0 && <span class="dim">, {count(waiting)} wait</span>}
              {withheld > 0 && <span class="bad">, {count(withheld)} withheld after throttling</span>}
              {slowedChannels > 0 && (
                <span class="bad">, {plural(slowedChannels, 'channel')} slowed down after throttling</span>
              )}
            </span>
          </li>
        ))}
      </ul>
      {sorted.length === 0 && <p class="dim">No call was made lately.</p>}
    </section>
  );
}

function Bar({
  used,
  limit,
  label,
}: {
  readonly used: number;
  readonly limit: number;
  readonly label: string;
}): JSX.Element {
  const part = Math.min(1, limit === 0 ? 0 : used / limit);
  return (
    <span
      class={part >= 0.9 ? 'meter full' : 'meter'}
      role="meter"
      aria-valuemin={0}
      aria-valuemax={limit}
      aria-valuenow={Math.min(used, limit)}
      aria-label={label}
    >
      <span style={{ width: `${(100 * part).toFixed(1)}%` }} />
    </span>
  );
}

function Hottest({ lines }: { readonly lines: QuotaStatus['hottest'] }): JSX.Element | null {
  if (lines.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="hottest-title">
      <h2 id="hottest-title">Hottest channels (PutMetadata)</h2>
      <ul class="bars">
        {lines.map(({ channelId, arn, used, limit }) => {
          const name = arn === undefined ? channelId : channelName(arn);
          return (
            <li key={channelId}>
              {arn === undefined ? (
                <span class="label">{name}</span>
              ) : (
                <a class="label" href={href('stream', arn)}>
                  {name}
                </a>
              )}
              <Bar used={used} limit={limit} label={`${name}: ${used} of ${limit} calls per second`} />
              <span class="value">
                {used} of {limit}/s
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Lanes({ lines }: { readonly lines: QuotaStatus['lanes'] }): JSX.Element | null {
  if (lines.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="lanes-title">
      <h2 id="lanes-title">Waiting by lane</h2>
      <Table
        names={['Lane', 'Waiting', 'Oldest', 'Empty in']}
        rows={lines.map(({ lane, waiting, oldestMs, drainSeconds }) => [
          lane,
          count(waiting),
          oldestMs === undefined ? '–' : duration(oldestMs),
          drainSeconds === undefined ? '–' : duration(drainSeconds * 1000),
        ])}
      />
    </section>
  );
}

/** PutMetadata calls per second over the last hour; where nothing is known there is no line. */
function Chart({
  hour,
  lines,
}: {
  readonly hour: QuotaHour | undefined;
  readonly lines: readonly QuotaLine[];
}): JSX.Element | null {
  if (!hour) return null;
  const { perSecond, endMs, stepMs, throttled } = hour;
  const limit = lines
    .filter(({ operation }) => operation === 'PutMetadata')
    .reduce((sum, { limit: each }) => sum + each, 0);
  const known = perSecond.filter((rate) => rate !== null);
  const peak = Math.max(0, ...known);
  const top = Math.max(limit, peak, 1);
  const y = (rate: number) => 116 - (112 * rate) / top;
  const startMs = endMs - perSecond.length * stepMs;
  const last = known.at(-1) ?? 0;
  return (
    <section class="panel" aria-labelledby="chart-title">
      <div class="split wrap">
        <h2 id="chart-title">PutMetadata, last hour</h2>
        <p class="dim">
          {known.length === 0
            ? 'no sample yet'
            : `averaged over ${duration(stepMs)}: ${rateText(last)} now, highest ${rateText(peak)}${limit > 0 ? ` of ${limit}/s` : ''}`}
        </p>
      </div>
      <div class="plot">
        <span class="dim top-label" aria-hidden="true">
          {Math.round(top)}/s
        </span>
        <svg
          class="chart"
          viewBox="0 0 720 120"
          preserveAspectRatio="none"
          role="img"
          aria-label={`PutMetadata calls per second in the last hour, averaged over ${duration(stepMs)}: ${rateText(last)} now, highest ${rateText(peak)}${limit > 0 ? `, quota ${limit} per second` : ''}`}
        >
          {[0.25, 0.5, 0.75].map((part) => (
            <line key={part} x1={0} x2={720} y1={y(top * part)} y2={y(top * part)} class="grid" />
          ))}
          {limit > 0 && <line x1={0} x2={720} y1={y(limit)} y2={y(limit)} class="limit" />}
          {runs(perSecond).map((points) => {
            const [[from] = ['0']] = points;
            const [to] = points.at(-1) ?? ['0'];
            const path = points.map(([x, rate]) => `${x} ${y(rate).toFixed(1)}`).join('L');
            return (
              <g key={from}>
                <path class="area" d={`M${from} 116L${path}L${to} 116Z`} />
                <path class="line" d={`M${path}`} />
              </g>
            );
          })}
        </svg>
      </div>
      <p class="dim axis" aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <span key={part}>{clock(startMs + part * (endMs - startMs)).slice(-8, -3)}</span>
        ))}
      </p>
      <p class={throttled > 0 ? 'bad' : 'dim'}>
        {throttled > 0
          ? `AWS throttled ${plural(throttled, 'call')} in the last hour: other software may use the account, see limits.share.`
          : 'AWS throttled no calls in the last hour.'}
        {limit > 0 ? ' The dashed line is the quota.' : ''}
        {known.length < perSecond.length - 1 ? ' Where there is no line, there are no samples.' : ''}
      </p>
    </section>
  );
}

type Point = readonly [x: string, rate: number];

/** Stretches of the hour with data. A single step is widened to be visible. */
function runs(perSecond: QuotaHour['perSecond']): readonly (readonly Point[])[] {
  const found: Point[][] = [];
  let run: Point[] | undefined;
  for (const [index, rate] of perSecond.entries()) {
    if (rate === null) {
      run = undefined;
      continue;
    }
    const x = (720 * index) / (perSecond.length - 1);
    if (!run) {
      run = [[Math.max(0, x - 1).toFixed(1), rate]];
      found.push(run);
    }
    run.push([x.toFixed(1), rate]);
  }
  return found;
}

function rateText(rate: number): string {
  return `${rate >= 10 || rate === 0 ? Math.round(rate) : rate.toFixed(1)}/s`;
}
