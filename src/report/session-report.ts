// Makes a report from what is known about one session. Pure.
import type { StreamHealth } from '#domain/channel.ts';
import { decisionReasons } from '#domain/decision.ts';
import type { AuditEntry } from '#domain/log-entries.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import type { DecisionRow } from '#journal/query.ts';
import { endReason, isEndToldByEvent } from '#streams/ending.ts';
import type { Sample } from '#streams/samples.ts';
import { maxAdBreaks, maxBreaches } from '#streams/session-record.ts';
import { maxTimelineEntries } from '#streams/timeline.ts';
import {
  type CueSummary,
  type HealthSummary,
  type ReportAction,
  type ReportList,
  type ReportRequest,
  type ReportSample,
  type ReportWithheld,
  reportLists,
  type SessionReport,
  type ViewersSummary,
} from './model.ts';

export interface SessionFacts {
  readonly record: StreamRecord;
  readonly channelName: string;
  /** In the order of their times. */
  readonly samples: readonly Sample[];
  /** Of the channel, during the session; newest first. */
  readonly decisions: readonly DecisionRow[];
  /** The same. */
  readonly audit: readonly AuditEntry[];
  readonly hints: readonly string[] | undefined;
  readonly incomplete: boolean;
  readonly nowMs: number;
}

/** A sample is valid for at least this long, if samples are taken once a minute. */
const saysLeastMs = 150_000;
/** Maximum number of points of a plot. */
const mostSamples = 720;
const mostRows = 500;
const longest: Readonly<Record<ReportList, number>> = {
  starving: mostRows,
  limitBreaches: maxBreaches,
  adBreaks: maxAdBreaks,
  actions: mostRows,
  withheld: mostRows,
  operators: mostRows,
  timeline: maxTimelineEntries,
};

export function sessionReport(facts: SessionFacts): SessionReport {
  const { record, channelName, nowMs, hints } = facts;
  const { channelArn, streamId, state, startedAtMs, endedAtMs, recordingSinceMs, recordingPrefix } = record;
  const over = endReason(record);
  const toMs = endedAtMs ?? (state === 'live' ? nowMs : undefined);
  // ListStreams may list a stream for a while after its end.
  const samples = asTold(
    facts.samples.filter(({ atMs }) => atMs <= (toMs ?? atMs)),
    record.timeline,
  );
  const fromMs = startedAtMs ?? samples[0]?.atMs;
  const report: SessionReport = {
    channelArn,
    channelName,
    streamId,
    state,
    ...at('startedAt', startedAtMs),
    ...at('endedAt', endedAtMs),
    ...(endedAtMs === undefined || isEndToldByEvent(record) ? {} : { endedAtLatest: true as const }),
    ...(startedAtMs === undefined || toMs === undefined
      ? {}
      : { durationSeconds: Math.max(0, Math.round((toMs - startedAtMs) / 1000)) }),
    ...(over === undefined ? {} : { endReason: over }),
    ...(over === undefined || record.stoppedBy === undefined ? {} : { stoppedBy: record.stoppedBy }),
    ...at('learntAt', record.learntAtMs),
    health: healthOf(samples, { fromMs, toMs, isLive: state === 'live' }),
    viewers: viewersOf(samples),
    samples: thinned(samples),
    limitBreaches: record.limitBreaches.toReversed().map(({ atMs, limitName, limitValue, exceededBy, limitUnit }) => ({
      at: iso(atMs),
      limitName,
      ...(limitValue === undefined ? {} : { limitValue }),
      ...(exceededBy === undefined ? {} : { exceededBy }),
      ...(limitUnit === undefined ? {} : { limitUnit }),
    })),
    ...decided(facts.decisions),
    operators: requestsOf(facts.audit),
    adBreaks: (record.adBreaks ?? []).toReversed().map(({ id, startsAtMs, endsAtMs }) => ({
      id,
      startsAt: iso(startsAtMs),
      endsAt: iso(endsAtMs),
    })),
    recording: {
      state: record.recording,
      ...at('since', recordingSinceMs),
      ...(recordingPrefix === undefined ? {} : { prefix: recordingPrefix }),
    },
    ...(hints === undefined ? {} : { hints }),
    timeline: record.timeline.map(({ eventTimeMs, source, name, text }) => ({
      at: iso(eventTimeMs),
      source,
      name,
      text,
    })),
    ...(facts.incomplete ? { incomplete: true } : {}),
  };
  const full = reportLists.filter((list) => rowsOf(report, list) >= longest[list]);
  return full.length === 0 ? report : { ...report, full };
}

function rowsOf({ health, ...report }: SessionReport, list: ReportList): number {
  return list === 'starving' ? health.starving.length : report[list].length;
}

/** Each sample counts until the next one, or until it is too old; the rest of the session is unobserved. */
function healthOf(
  samples: readonly Sample[],
  {
    fromMs,
    toMs,
    isLive,
  }: { readonly fromMs: number | undefined; readonly toMs: number | undefined; readonly isLive: boolean },
): HealthSummary {
  const ms: Record<StreamHealth, number> = { HEALTHY: 0, STARVING: 0, UNKNOWN: 0 };
  const starving: Starving[] = [];
  const saysMs = Math.max(saysLeastMs, 2.5 * usualGapMs(samples));
  let seenMs = 0;
  let open: Starving | undefined;
  for (const [index, { atMs, health }] of samples.entries()) {
    const next = samples[index + 1];
    const endMs = Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, toMs ?? Number.POSITIVE_INFINITY, atMs + saysMs);
    const lastedMs = Math.max(0, endMs - atMs);
    ms[health] += lastedMs;
    seenMs += lastedMs;
    if (health !== 'STARVING') continue;
    if (!open) starving.push((open = { from: iso(atMs) }));
    if (next?.health === 'STARVING' && next.atMs - atMs <= saysMs) continue;
    // Without further observation, nobody saw the end.
    const isSeen = next ? next.atMs - atMs <= saysMs : toMs !== undefined && toMs - atMs <= saysMs;
    if (isSeen && !next && isLive) open.ongoing = true;
    else if (isSeen) open.to = iso(endMs);
    open = undefined;
  }
  const wholeMs = fromMs === undefined || toMs === undefined ? seenMs : Math.max(seenMs, toMs - fromMs);
  const seconds = (value: number) => Math.round(value / 1000);
  return {
    healthySeconds: seconds(ms.HEALTHY),
    starvingSeconds: seconds(ms.STARVING),
    unknownSeconds: seconds(ms.UNKNOWN),
    unseenSeconds: seconds(wholeMs - seenMs),
    starving: starving.slice(0, mostRows),
  };
}

type Starving = { -readonly [K in keyof HealthSummary['starving'][number]]: HealthSummary['starving'][number][K] };

/** A change of health gets the time of its event, if there is one: a sample only has the time when the change was noticed. */
function asTold(samples: readonly Sample[], timeline: StreamRecord['timeline']): readonly Sample[] {
  let before: Sample | undefined;
  return samples.map((sample) => {
    const [was, is] = [before?.health === 'STARVING', sample.health === 'STARVING'];
    const told = was === is ? undefined : toldMs(timeline, is ? 'Starvation Start' : 'Starvation End', sample.atMs);
    const dated = told === undefined ? sample : { ...sample, atMs: Math.max(told, before?.atMs ?? told) };
    before = dated;
    return dated;
  });
}

/** @param noticedMs later than the event by at most the delay of a poll or the queue */
function toldMs(timeline: StreamRecord['timeline'], event: string, noticedMs: number): number | undefined {
  return timeline.findLast(
    ({ name, eventTimeMs }) => name === event && eventTimeMs <= noticedMs && noticedMs - eventTimeMs <= 60_000,
  )?.eventTimeMs;
}

/** Median time between samples: a large fleet is listed less often than once a minute. */
function usualGapMs(samples: readonly Sample[]): number {
  const gaps = samples.slice(1).map(({ atMs }, index) => atMs - samples[index]!.atMs);
  return gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
}

function viewersOf(samples: readonly Sample[]): ViewersSummary {
  let peak: ViewersSummary['peak'];
  let [sum, counted] = [0, 0];
  for (const { atMs, viewers } of samples) {
    if (viewers === undefined) continue;
    sum += viewers;
    counted += 1;
    if (!peak || viewers > peak.viewers) peak = { viewers, at: iso(atMs) };
  }
  return peak ? { peak, average: Math.round(sum / counted) } : {};
}

const worst: readonly StreamHealth[] = ['STARVING', 'UNKNOWN', 'HEALTHY'];

/** Reduced to few enough samples for a plot; peaks and problems stay. */
function thinned(samples: readonly Sample[]): ReportSample[] {
  const size = Math.ceil(samples.length / mostSamples);
  const groups = Array.from({ length: Math.ceil(samples.length / Math.max(1, size)) }, (_, index) =>
    samples.slice(index * size, (index + 1) * size),
  );
  return groups.map((group) => {
    const counts = group.flatMap(({ viewers }) => viewers ?? []);
    return {
      at: iso(group[0]!.atMs),
      health: worst.find((health) => group.some((sample) => sample.health === health))!,
      ...(counts.length === 0 ? {} : { viewers: Math.max(...counts) }),
    };
  });
}

function decided(rows: readonly DecisionRow[]): Pick<SessionReport, 'actions' | 'withheld' | 'cues'> {
  const actions: ReportAction[] = [];
  const withheld: ReportWithheld[] = [];
  const cues = { jobs: 0, delivered: 0, expired: 0, failed: 0, notSent: 0 };
  for (const row of rows.toReversed().toSorted((a, b) => a.atMs - b.atMs)) {
    const { rule, mode, outcome, reason, jobs } = row;
    const of = { at: iso(row.atMs), rule };
    if (outcome === 'suppressed' && row.withheld.length === 0)
      withheld.push({ ...of, reason, meaning: meaningOf(reason) });
    for (const { action, reason: why } of row.withheld)
      withheld.push({ ...of, action, reason: why, meaning: meaningOf(why) });
    for (const { action, jobId, result } of jobs) {
      if (outcome === 'would_act' || mode !== 'enforce') {
        withheld.push({
          ...of,
          action,
          reason: 'dry_run',
          meaning: 'The rule is in dry run: it only says what it would do.',
        });
        continue;
      }
      actions.push({
        ...of,
        action,
        jobId,
        ...(result ? { outcome: result.outcome, ...(result.detail === '' ? {} : { detail: result.detail }) } : {}),
      });
      if (action === 'put_metadata') addCues(cues, result?.delivery);
    }
  }
  return { actions: actions.slice(0, mostRows), withheld: withheld.slice(0, mostRows), cues };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function addCues(
  cues: Writable<CueSummary>,
  delivery: NonNullable<DecisionRow['jobs'][number]['result']>['delivery'],
): void {
  cues.jobs += 1;
  if (!delivery) return;
  cues.delivered += delivery.delivered;
  cues.expired += delivery.expired;
  cues.failed += delivery.failed;
  cues.notSent += delivery.conflated + delivery.cancelled + delivery.notBroadcasting;
}

function meaningOf(reason: string): string {
  return Object.hasOwn(decisionReasons, reason)
    ? decisionReasons[reason as keyof typeof decisionReasons].meaning
    : reason;
}

/** What people requested, each with its last outcome; what rules did is among the decisions. */
function requestsOf(entries: readonly AuditEntry[]): ReportRequest[] {
  const byJob = new Map<string, ReportRequest>();
  for (const [index, { atMs, who, what, outcome, why, jobId }] of entries
    .toReversed()
    .toSorted((a, b) => a.atMs - b.atMs)
    .entries())
    if (!who.startsWith('rule ')) byJob.set(jobId ?? `entry ${index}`, { at: iso(atMs), who, what, outcome, why });
  return [...byJob.values()].slice(0, mostRows);
}

function at<K extends string>(name: K, ms: number | undefined): { [key in K]?: string } {
  return (ms === undefined ? {} : { [name]: iso(ms) }) as { [key in K]?: string };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
