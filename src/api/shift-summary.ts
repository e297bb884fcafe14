// A message at set times with what happened in a shift: incidents, actions, approvals, and who has acknowledged what is still open. The
// shared state has the next time, written in the commit that enqueues the message. So the fleet sends each summary once. If the daemon was
// down at that time, the summary comes later and covers all of the time since the last one.
import { DateTime } from 'luxon';
import { type ActionJob, actionSchemas } from '#domain/action.ts';
import type { Incident } from '#domain/decision.ts';
import { spanText } from '#domain/duration.ts';
import { pageOfNeed } from '#domain/notification.ts';
import { personText } from '#domain/person.ts';
import type { DailyTimes } from '#domain/rule.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { notes } from '#domain/state-registry.ts';
import { visibleLine } from '#domain/visible-text.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { auditEntries } from '#journal/audit.ts';
import { keptIncidents, listIncidents } from '#rules/incidents.ts';
import { nextDailyMs } from '#rules/time-intervals.ts';
import type { Clock } from '#runtime/clock.ts';
import { loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import type { SeenState } from '#store/visited-state.ts';
import type { AlertShard, AlertSources } from './alert-sources.ts';
import { inAlertOrder, openAlerts } from './alerts.ts';
import type { AlertsElsewhere } from './alerts-elsewhere.ts';
import { type Reached, settleEach } from './reach.ts';
import { refreshAll } from './refresh-all.ts';

/** `alerts.shift_summary` of the configuration in force. */
export interface ShiftSummarySettings {
  readonly receiver: string;
  /** Times of the day, such as `08:00`. */
  readonly at: readonly string[];
  /** IANA name of their zone. */
  readonly location: string;
}

export interface ShiftSummaryOptions extends AlertSources {
  /**
   * Whether this process carries the first account of the configuration: with several processes, only such a process sends it. Default: it
   * does.
   */
  readonly isFirst?: (() => boolean) | undefined;
  /** Accounts that other processes carry. */
  readonly others?: readonly Pick<Reached, 'name' | 'read'>[];
  readonly elsewhere?: Pick<AlertsElsewhere, 'open'> | undefined;
  readonly shards: readonly (AlertShard & { readonly state: SharedState; readonly relay: { nudge(): void } })[];
  readonly settings: () => ShiftSummarySettings | undefined;
  /** `http.external_url`. */
  readonly externalUrl: string | undefined;
  /** A standby notifies nobody. Default: it is no standby. */
  readonly standsBy?: () => boolean;
  /** How many audit entries are read for each account; if there are more, the summary says "at least". Default: 20,000 */
  readonly readAtMost?: number;
}

/** A shift is read this long after its end, so that commits of its last moment are included. */
const settleMs = 5_000;
const defaultReadAtMost = 20_000;
/** How far back to look for the last of the missed times; the summary still covers the whole time. */
const mostMissedMs = 8 * 86_400_000;
const mostNamed = 5;

/** The loop that sends summaries. */
export function shiftSummaries(
  options: ShiftSummaryOptions & { readonly clock: Clock; readonly logger: Logger; readonly random: () => number },
): Loop {
  const { clock, logger, random } = options;
  const everyMs = 5_000;
  return new Loop({
    name: 'shift-summary',
    run: async () => void (await summarizeShift(options)),
    everyMs,
    retry: { baseMs: everyMs, maxMs: 60_000 },
    episode: loggedEpisode({
      clock,
      logger,
      level: 'error',
      began: 'the summary of the shift cannot be made; trying again',
      ended: 'summaries of shifts are made again',
    }),
    clock,
    random,
  });
}

/** Checks once. Returns whether a summary was enqueued. */
export async function summarizeShift(options: ShiftSummaryOptions): Promise<boolean> {
  const { shards, settings, standsBy, isFirst, others = [] } = options;
  if (standsBy?.() || isFirst?.() === false) return false;
  const { state, relay } = shards[0]!;
  const asked = settings();
  const known = state.view.get(notes.shiftSummary);
  if (!asked) {
    if (known) await state.transact((tx) => tx.delete(notes.shiftSummary));
    return false;
  }
  const daily = dailyOf(asked);
  const times = `${asked.location} ${asked.at.join(',')}`;
  if (known?.times !== times) {
    // Whatever was not summarized yet is part of the first summary at the new times.
    await state.transact((tx) => {
      const before = tx.get(notes.shiftSummary);
      if (before?.times === times) return;
      tx.set(notes.shiftSummary, { times, fromMs: before?.fromMs ?? tx.nowMs, dueMs: nextDailyMs(daily, tx.nowMs) });
    });
    return false;
  }
  const nowMs = state.nowMs();
  if (nowMs < known.dueMs + settleMs) return false;
  let toMs = Math.max(known.dueMs, nextDailyMs(daily, nowMs - mostMissedMs));
  for (let next = nextDailyMs(daily, toMs); next <= nowMs - settleMs; next = nextDailyMs(daily, next)) toMs = next;
  await refreshAll({ all: shards });
  const here = shards.map(({ name, state: own }) => ({
    name,
    read: async <T>(look: (seen: SeenState) => T | Promise<T>): Promise<T> => look(own),
  }));
  const counts = await countShift([...here, ...others], {
    fromMs: known.fromMs,
    toMs,
    readAtMost: options.readAtMost,
  });
  const text = [
    headOf(counts, known.fromMs, toMs, asked.location),
    ...details(counts),
    ...(await openLines(options)),
  ].join('\n');
  const isTold = await state.transact((tx) => {
    const now = tx.get(notes.shiftSummary);
    if (now?.times !== times || now.dueMs !== known.dueMs) return false;
    tx.set(notes.shiftSummary, { times, fromMs: toMs, dueMs: nextDailyMs(daily, toMs) });
    const job: ActionJob<'notify'> = {
      action: 'notify',
      params: { receiver: asked.receiver, text: text.slice(0, 4_000) },
      alert: {
        fingerprint: `shift-summary-${toMs}`,
        labels: { alertname: 'Shift summary', severity: 'info' },
        startsAtMs: toMs,
        isReport: true,
      },
      cause: { kind: 'operator', who: 'ivs-autopilot', reason: 'summary of the shift' },
      decidedAtMs: tx.nowMs,
      isNotice: true,
    };
    tx.enqueue({ jobId: jobIdOf('notify', 'shift-summary', String(toMs)), name: 'notify', payload: { ...job } });
    return true;
  });
  if (isTold) relay.nudge();
  return isTold;
}

/** A count; `isAtLeast` if not everything was read. */
export interface Count {
  readonly count: number;
  readonly isAtLeast: boolean;
}

export interface ShiftCounts {
  readonly incidents: Count;
  /** The largest first: `mass-starvation (120 channels, 14 min)`. */
  readonly incidentNames: readonly string[];
  readonly actions: Count;
  readonly byKind: ReadonlyMap<string, number>;
  readonly byPeople: number;
  readonly failed: number;
  /** How often metadata was handed over to a channel. */
  readonly metadata: number;
  readonly approved: number;
  readonly rejected: number;
  readonly timedOut: number;
  /** Refused requests. */
  readonly refusedRequests: number;
  /** Accounts that could not be read. */
  readonly unasked: readonly string[];
}

/** Not counted as actions: they only notify, or read. */
const telling: ReadonlySet<string> = new Set(['notify', 'webhook', 'emit_event', 'report', 'capture_session']);

type Place = Pick<Reached, 'name' | 'read'>;

/** Counts what began and what ended within a period. An account that cannot be asked is named and not counted. */
export async function countShift(
  places: readonly Place[],
  {
    fromMs,
    toMs,
    readAtMost = defaultReadAtMost,
  }: { readonly fromMs: number; readonly toMs: number; readonly readAtMost?: number | undefined },
): Promise<ShiftCounts> {
  const { found, unasked } = await settleEach(places, (place) =>
    place.read(async (seen) => ({
      ...incidentsOf(seen, { fromMs, toMs }),
      ...(await countAudit(seen, { fromMs, toMs, readAtMost })),
    })),
  );
  const all = found.map(({ value }) => value);
  const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0);
  const byKind = new Map<string, number>();
  for (const one of all) for (const [kind, count] of one.byKind) byKind.set(kind, (byKind.get(kind) ?? 0) + count);
  const isUnasked = unasked.length > 0;
  return {
    incidents: {
      count: sum(({ incidents }) => incidents.length),
      isAtLeast: isUnasked || all.some(({ isForgotten }) => isForgotten),
    },
    incidentNames: all
      .flatMap(({ incidents }) => incidents)
      .toSorted((left, right) => right.peak - left.peak)
      .map(incidentText),
    actions: { count: sum(({ actions }) => actions), isAtLeast: isUnasked || all.some(({ isCut }) => isCut) },
    byKind,
    byPeople: sum(({ byPeople }) => byPeople),
    failed: sum(({ failed }) => failed),
    metadata: sum(({ metadata }) => metadata),
    approved: sum(({ approved }) => approved),
    rejected: sum(({ rejected }) => rejected),
    timedOut: sum(({ timedOut }) => timedOut),
    refusedRequests: sum(({ refusedRequests }) => refusedRequests),
    unasked: unasked.map(({ account }) => account),
  };
}

async function countAudit(
  state: Pick<SeenState, 'readLog'>,
  { fromMs, toMs, readAtMost }: { readonly fromMs: number; readonly toMs: number; readonly readAtMost: number },
) {
  const byKind = new Map<string, number>();
  const counts = {
    actions: 0,
    byPeople: 0,
    failed: 0,
    metadata: 0,
    approved: 0,
    rejected: 0,
    timedOut: 0,
    refusedRequests: 0,
  };
  const entries = auditEntries(state, { sinceMs: fromMs, untilMs: toMs }, undefined, readAtMost);
  for (let next = await entries.next(); ; next = await entries.next()) {
    if (next.done) return { ...counts, byKind, isCut: next.value !== undefined };
    const { who, what, outcome, jobId, dryRun } = next.value;
    if (what === 'approve' || what === 'reject' || what === 'approval') {
      if (what === 'approve' && outcome === 'done' && jobId !== undefined) counts.approved += 1;
      else if (what === 'reject' && outcome === 'done') counts.rejected += 1;
      else if (outcome === 'timed_out') counts.timedOut += 1;
    } else if (outcome === 'refused') counts.refusedRequests += 1;
    else if (dryRun || !Object.hasOwn(actionSchemas, what) || telling.has(what)) continue;
    else if (outcome === 'failed') counts.failed += 1;
    else if (outcome !== 'done') continue;
    else if (what === 'put_metadata') counts.metadata += 1;
    else {
      counts.actions += 1;
      byKind.set(what, (byKind.get(what) ?? 0) + 1);
      if (!who.startsWith('rule ')) counts.byPeople += 1;
    }
  }
}

function incidentsOf(
  { view }: Pick<SeenState, 'view'>,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
) {
  const all = listIncidents(view);
  const closed = all.filter(({ closedAtMs }) => closedAtMs !== undefined);
  return {
    incidents: all.filter(({ openedAtMs }) => openedAtMs >= fromMs && openedAtMs < toMs),
    // The oldest entries are removed: if the remaining ones begin later than the period, some may be missing.
    isForgotten: closed.length >= keptIncidents && closed.every(({ openedAtMs }) => openedAtMs >= fromMs),
  };
}

function incidentText({ rule, peak, openedAtMs, closedAtMs }: Incident): string {
  const lasted = closedAtMs === undefined ? 'open' : spanText(closedAtMs - openedAtMs);
  return `${rule} (${counted(peak, 'channel')}, ${lasted})`;
}

function headOf(counts: ShiftCounts, fromMs: number, toMs: number, zone: string): string {
  const { incidents, actions, approved, rejected } = counts;
  const at = (ms: number) => DateTime.fromMillis(ms, { zone }).toFormat('yyyy-MM-dd HH:mm');
  const least = ({ count, isAtLeast }: Count, what: string) => `${isAtLeast ? 'at least ' : ''}${counted(count, what)}`;
  // They are in the same log as the actions.
  const { isAtLeast } = actions;
  const parts = [
    least(incidents, 'incident'),
    least(actions, 'action'),
    least({ count: approved, isAtLeast }, 'approval'),
    `${isAtLeast ? 'at least ' : ''}${rejected} refused`,
  ];
  return `From ${at(fromMs)} to ${at(toMs)} (${zone}): ${parts.join(', ')}`;
}

function details(counts: ShiftCounts): string[] {
  const { incidentNames, actions, byKind, byPeople, failed, metadata, timedOut, refusedRequests, unasked } = counts;
  const kinds = Array.from(byKind, ([kind, count]) => ({ kind, count })).toSorted((a, b) => b.count - a.count);
  const more = [
    failed > 0 ? counted(failed, 'failed action') : '',
    metadata > 0 ? `metadata handed over ${counted(metadata, 'time')}` : '',
    timedOut > 0 ? `${counted(timedOut, 'approval')} that nobody answered in time` : '',
    refusedRequests > 0 ? counted(refusedRequests, 'refused request') : '',
  ].filter(Boolean);
  return [
    ...(incidentNames.length > 0 ? [`Incidents: ${named(incidentNames)}`] : []),
    ...(actions.count > 0
      ? [
          `Actions: ${named(kinds.map(({ kind, count }) => `${count} ${kind}`))}; ${byPeople} of them asked for by people`,
        ]
      : []),
    ...(more.length > 0 ? [`Also: ${more.join(', ')}`] : []),
    ...(unasked.length > 0 ? [`Not counted, since their Redis could not be asked: ${unasked.join(', ')}`] : []),
  ].map(visibleLine);
}

/** Who has acknowledged which open alerts. */
async function openLines({ externalUrl, elsewhere, ...sources }: ShiftSummaryOptions): Promise<string[]> {
  const open = inAlertOrder([...openAlerts(sources), ...((await elsewhere?.open())?.alerts ?? [])]);
  if (open.length === 0) return ['Open now: nothing'];
  const free = open.filter(({ acknowledged }) => !acknowledged).map(({ title }) => title);
  const taken = open.flatMap(({ title, acknowledged }) =>
    acknowledged ? [`${title} (${personText(acknowledged.who)})`] : [],
  );
  const link =
    externalUrl === undefined ? 'ivs-autopilot alert on-call' : pageOfNeed({ kind: 'alert', id: '' }, externalUrl);
  return [
    ...(free.length > 0 ? [visibleLine(`Open, and nobody has it: ${named(free)}`)] : []),
    ...(taken.length > 0 ? [visibleLine(`Open, and taken: ${named(taken)}`)] : []),
    link.replace(/\/$/, ''),
  ];
}

function named(names: readonly string[]): string {
  const left = names.length - mostNamed;
  return `${names.slice(0, mostNamed).join(', ')}${left > 0 ? `, and ${left} more` : ''}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function dailyOf({ at, location }: ShiftSummarySettings): DailyTimes {
  const minutes = at.map((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)));
  return { minutes: [...new Set(minutes)].sort((left, right) => left - right), zone: location };
}
