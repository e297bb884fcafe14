// Builds the page's status and the extras of its rows from the shared state and a few narrow sources.
import type { ChannelArn } from '#domain/channel.ts';
import type { Incident, RuleAlert } from '#domain/decision.ts';
import type { Replica, ReplicasDifferAlert } from '#domain/replica.ts';
import type { Rule, Ruleset } from '#domain/rule.ts';
import type { SharedState, StateView } from '#domain/shared-state.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import type { QuotaHour } from '#ivs/quota-hour.ts';
import { channelOfSubject, facts, heldMoments, readPause, type Silence, silencesInForce } from '#rules/memory.ts';
import type { StateLossAlert } from '#rules/state-loss.ts';
import { dueTimes, timers } from '#rules/timers.ts';
import { nameOf } from '#streams/queries.ts';
import type { ChannelExtras } from './model.ts';
import type { Hold, NextAction } from './row.ts';
import { ruleSentence } from './sentence.ts';
import type {
  ActivityLine,
  BatchLine,
  LiveStatus,
  NeedLine,
  QueueLine,
  QuotaStatus,
  ReplicaLine,
  RuleLine,
  SilenceLine,
} from './status.ts';
import { trustOf } from './trust.ts';

/** Where the status comes from. What is left out is not shown, except trust, which is then unknown. */
export interface LiveSources {
  readonly state: SharedState;
  readonly ruleset: () => Ruleset;
  readonly config: () => { readonly hash: string; readonly loadedAtMs: number; readonly error?: string | undefined };
  /** Of each account, where there are several: a source is as old as the oldest of them. */
  readonly views?: readonly StateView[];
  /** After this long without a complete poll, or without a read of the queue, data is stale. */
  readonly silentAfterMs: () => { readonly poll: number; readonly events: number };
  readonly events?: () => {
    readonly waiting?: number | undefined;
    readonly deadLetters?: number | undefined;
    /** False: a queue gives up on no message. */
    readonly redrives?: boolean | undefined;
  };
  readonly redisLatencyMs?: () => number | undefined;
  readonly quota?: () => QuotaStatus | Promise<QuotaStatus>;
  readonly quotaHour?: () => Promise<QuotaHour | undefined>;
  readonly queues?: () => Promise<readonly QueueLine[]>;
  readonly batches?: () => readonly BatchLine[] | Promise<readonly BatchLine[] | undefined>;
  /** Those that live. */
  readonly replicas?: () => readonly Replica[];
  /** Newest decisions that acted, or that a person should see. */
  readonly activity?: () => readonly ActivityLine[] | Promise<readonly ActivityLine[]>;
}

/** An intent as workers keep it under `intent/…`. */
interface WaitingIntent {
  readonly id: string;
  readonly kind: string;
  readonly channelArn: string;
  readonly summary: string;
}

/** An alert as workers keep it under `alert/…`; RuleAlert lies there too. */
interface KeyAlert {
  readonly kind: 'keyless' | 'undelivered';
  readonly channelArn: string;
  readonly sinceMs: number;
  readonly text: string;
}

/** Alerts about the fleet of replicas, and the state they share. */
type FleetAlert = StateLossAlert | ReplicasDifferAlert;

/** A rotation as workers keep it under `key/<channelArn>`: IVS gives keys no date, so a key's age is known from its rotation. */
interface RotatedKey {
  readonly startedAtMs: number;
  readonly finishedAtMs?: number | undefined;
}

const soonMs = 10 * 60_000;
/** And with less than this share of its life left: a short one is not announced when it is made. */
const soonShare = 0.2;

/** What rows need beside records: the next action and what recording waits for. */
export function gatherExtras({ state, ruleset }: LiveSources): ChannelExtras {
  const next = new Map<string, NextAction>();
  const pendingRecording = new Map<string, string>();
  for (const [, intent] of state.view.entries<WaitingIntent>('intent')) {
    next.set(intent.channelArn, {
      id: `intent:${intent.kind}`,
      text: `${intent.summary} at Stream End`,
    });
    if (intent.kind === 'set_recording') pendingRecording.set(intent.channelArn, intent.summary);
  }
  // What has a time is shown before what waits for an event, and the soonest of it.
  const rules = new Map(ruleset().rules.map((rule) => [rule.name, rule]));
  const dueMsOf = dueTimes(state.view, state.nowMs());
  for (const [id, timer] of timers(state.view)) {
    const arn = channelOfSubject(timer.subject);
    const rule = rules.get(timer.rule);
    if (arn === undefined || !rule || timer.kind === 'end' || rule.mode !== 'enforce') continue;
    const dueMs = dueMsOf(timer);
    const before = next.get(arn);
    if (before?.dueMs !== undefined && before.dueMs <= dueMs) continue;
    const steps =
      timer.kind === 'step' ? [rule.actions[timer.step ?? 0]] : rule.actions.filter(({ afterMs }) => afterMs === 0);
    const text = steps.flatMap((step) => step?.action ?? []).join(', ') || timer.rule;
    const blocked = timer.blocked === undefined ? '' : ` (held back: ${timer.blocked})`;
    next.set(arn, { id: `timer:${id}`, text: text + blocked, rule: timer.rule, dueMs });
  }
  const keyCreatedAtMs = new Map<string, number>();
  for (const [arn, key] of state.view.entries<RotatedKey>('key'))
    if (key.finishedAtMs !== undefined) keyCreatedAtMs.set(arn, key.startedAtMs);
  return { next, pendingRecording, keyCreatedAtMs };
}

/** The status of now. */
export async function gatherStatus(sources: LiveSources): Promise<LiveStatus> {
  const { state } = sources;
  const { view } = state;
  const nowMs = state.nowMs();
  const [quota, quotaHour, queues, batches, activity] = await Promise.all([
    sources.quota?.(),
    sources.quotaHour?.(),
    sources.queues?.(),
    sources.batches?.(),
    sources.activity?.(),
  ]);
  const trusted = trustOf(sources, nowMs);
  const pause = readPause(view);
  const inForce = silencesInForce(view, nowMs);
  const ending = new Set(inForce.filter(([, silence]) => isAboutToEnd(silence, nowMs)).map(([id]) => id));
  const silences: SilenceLine[] = inForce.map(([id, silence]) => ({
    id,
    who: silence.author,
    reason: silence.reason,
    matchers: silence.matchers.join(', '),
    untilMs: silence.endsMs,
  }));
  const endingSoon = silences.filter(({ id }) => ending.has(id));
  const needs = needLines(sources, endingSoon, queues ?? [], nowMs);
  return {
    nowMs,
    counts: countsOf(view, nowMs),
    ...(pause ? { pause } : {}),
    ...(sources.replicas ? { replicas: sources.replicas().map(replicaLine) } : {}),
    rules: ruleLines(sources, nowMs),
    config: sources.config(),
    stale: trusted.trust.some(({ state, name }) => state === 'stale' && (name === 'Poll' || name === 'Redis')),
    ...trusted,
    needs,
    silences,
    activity: activity ?? [],
    names: namesOf(view, [
      ...needs.flatMap(({ link }) => /^#\/stream\/(.+)$/.exec(link)?.[1] ?? []).map((arn) => decodeURIComponent(arn)),
      ...(activity ?? []).flatMap(({ arn }) => arn ?? []),
      ...(quota?.hottest ?? []).flatMap(({ arn }) => arn ?? []),
    ]),
    ...(quota ? { quota } : {}),
    ...(quotaHour ? { quotaHour } : {}),
    ...(queues ? { queues } : {}),
    ...(batches ? { batches } : {}),
  };
}

/** Only what changes seldom: the feed sends what has changed. */
function replicaLine({ id, version, configHash, role, startedAtMs, clockOffsetMs }: Replica): ReplicaLine {
  const offset = clockOffsetMs === undefined ? {} : { clockOffsetSeconds: Math.round(clockOffsetMs / 1000) };
  return { id, version, configHash, role, startedAtMs, ...offset };
}

function namesOf(view: StateView, arns: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    arns.flatMap((arn) => {
      const name = nameOf(view, arn as ChannelArn);
      return name === '' ? [] : [[arn, name]];
    }),
  );
}

function countsOf(view: StateView, nowMs: number): LiveStatus['counts'] {
  const counts = { live: 0, starving: 0, unknown: 0, held: 0, channels: view.count('channel') };
  for (const [, { state, health }] of view.entries<StreamRecord>('stream')) {
    if (state !== 'live') continue;
    counts.live += 1;
    if (health === 'STARVING') counts.starving += 1;
    if (health === 'UNKNOWN') counts.unknown += 1;
  }
  for (const [, { untilMs }] of view.entries<Hold>('hold'))
    if (untilMs === undefined || untilMs > nowMs) counts.held += 1;
  return counts;
}

const sentences = new WeakMap<Rule, string>();

/** Rules are immutable, so each is put into words once. */
function sentenceOf(rule: Rule): string {
  const known = sentences.get(rule) ?? ruleSentence(rule);
  sentences.set(rule, known);
  return known;
}

/** What each rule is doing at this moment. */
function ruleLines({ state: { view }, ruleset }: LiveSources, nowMs: number): RuleLine[] {
  const lines = new Map(
    ruleset().rules.map((rule) => {
      const { name, mode, description, forMs, guards } = rule;
      const line: Mutable<RuleLine> = {
        name,
        mode,
        description,
        sentence: sentenceOf(rule),
        forMs,
        pending: 0,
        firing: 0,
        cooling: 0,
        capped: false,
      };
      return [name, { line, cooldownMs: guards.cooldownMs }];
    }),
  );
  for (const [, { rule, pending, firing }] of facts(view)) {
    const line = lines.get(rule)?.line;
    if (!line) continue;
    if (firing) line.firing += 1;
    else if (pending) {
      line.pending += 1;
      line.pendingSinceMs = Math.min(line.pendingSinceMs ?? Infinity, pending.cause.evidence.sinceMs);
    }
  }
  for (const { rule, cause } of heldMoments(view)) {
    const line = lines.get(rule)?.line;
    if (!line) continue;
    line.pending += 1;
    line.pendingSinceMs = Math.min(line.pendingSinceMs ?? Infinity, cause.evidence.sinceMs);
  }
  for (const [id, firedMs] of view.entries<number>('cooldown')) {
    const found = lines.get(id.slice(0, id.indexOf('|')));
    if (!found || firedMs + found.cooldownMs <= nowMs) continue;
    found.line.cooling += 1;
    found.line.coolingUntilMs = Math.max(found.line.coolingUntilMs ?? 0, firedMs + found.cooldownMs);
  }
  for (const [, alert] of view.entries<RuleAlert>('alert')) {
    const line = alert.kind === 'cap' ? lines.get(alert.rule)?.line : undefined;
    if (line) line.capped = true;
  }
  return Array.from(lines.values(), ({ line }) => line);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const mildAlerts: ReadonlySet<string> = new Set(['rate', 'replicas_differ']);

const alertTitles = {
  keyless: 'Channel without a stream key',
  undelivered: 'New stream key not delivered',
  state_lost: 'The shared state was lost',
  replicas_differ: 'Replicas differ',
  cap: 'Rule stopped by its cap',
  rate: 'Rule reached its hourly limit',
} as const;

function needLines(
  { state, events, config }: LiveSources,
  silences: readonly SilenceLine[],
  queues: readonly QueueLine[],
  nowMs: number,
): NeedLine[] {
  const lines: NeedLine[] = [];
  for (const [id, alert] of state.view.entries<KeyAlert | RuleAlert | FleetAlert>('alert')) {
    if (!Object.hasOwn(alertTitles, alert.kind)) continue;
    lines.push({
      id: `alert:${id}`,
      kind: alert.kind,
      severity: mildAlerts.has(alert.kind) ? 'warning' : 'critical',
      title: alertTitles[alert.kind],
      cause: alert.text,
      since: alert.sinceMs,
      ...('channelArn' in alert
        ? { link: `#/stream/${encodeURIComponent(alert.channelArn)}` }
        : 'rule' in alert
          ? { link: decisionsOf(alert.rule), rule: alert.rule }
          : { link: alert.kind === 'replicas_differ' ? '#/rules' : '#/runbook/state-lost' }),
    });
  }
  for (const [id, incident] of state.view.entries<Incident>('incident')) {
    // A cap's incident is its alert, seen again.
    if (incident.closedAtMs !== undefined || incident.kind === 'cap') continue;
    lines.push({
      id: `incident:${id}`,
      kind: 'incident',
      severity: 'critical',
      title: `Incident: ${incident.affected} of ${incident.live} channels`,
      cause: `${incident.text}${incident.withheld > 0 ? ` ${incident.withheld} actions were held back.` : ''}`,
      link: `#/incident/${encodeURIComponent(incident.id)}`,
      since: incident.openedAtMs,
    });
  }
  const { error, loadedAtMs } = config();
  if (error !== undefined)
    lines.push({
      id: 'config',
      kind: 'config',
      severity: 'warning',
      title: 'The new configuration is not valid; the last one stays in force',
      cause: error,
      link: '#/rules',
      since: loadedAtMs,
    });
  const deadLetters = events?.().deadLetters ?? 0;
  if (deadLetters > 0)
    lines.push({
      id: 'dead-letters',
      kind: 'dead-letters',
      severity: 'warning',
      title: `${deadLetters} dead letter${deadLetters === 1 ? '' : 's'}`,
      cause: 'Events that could not be read or delivered wait in the dead-letter queue.',
      link: '#/runbook/dead-letters',
    });
  const failed = queues.reduce((sum, queue) => sum + queue.failed, 0);
  if (failed > 0)
    lines.push({
      id: 'failed-jobs',
      kind: 'failed-jobs',
      severity: 'warning',
      title: `${failed} failed job${failed === 1 ? '' : 's'}`,
      cause: 'Jobs that were given up; their reasons are in the queues.',
      link: '/queues',
    });
  for (const { id, reason, who, untilMs } of silences) {
    lines.push({
      id: `silence:${id}`,
      kind: 'silence',
      severity: 'warning',
      title: 'A silence is about to end',
      cause: `${reason} (${who})`,
      link: '#/decisions?reason=silenced',
      end: untilMs,
    });
  }
  const order = ({ since, end }: NeedLine) => since ?? end ?? nowMs;
  return lines.toSorted((a, b) => rank(a) - rank(b) || order(a) - order(b));
}

function decisionsOf(rule: string): string {
  return `#/decisions?rule=${encodeURIComponent(rule)}`;
}

function isAboutToEnd({ startsMs, endsMs }: Silence, nowMs: number): boolean {
  return endsMs - nowMs < Math.min(soonMs, (endsMs - startsMs) * soonShare);
}

function rank({ severity }: NeedLine): number {
  return severity === 'critical' ? 0 : 1;
}
