// Alerts: the one list of what needs a person, as the page's "Needs you", `GET /v1/alerts`, `alert list` and the metric show it.

import type { Acknowledgement, DeliveryFailedAlert, FailedJobAlert, SeenAlert } from '#domain/alert.ts';
import type { Approval } from '#domain/approval.ts';
import { type Carried, missingText } from '#domain/carrier.ts';
import type { ChannelArn } from '#domain/channel.ts';
import type { Silence } from '#domain/control.ts';
import { holdsInForce, silencesInForce } from '#domain/controls-in-force.ts';
import type { Incident } from '#domain/decision.ts';
import { AppError } from '#domain/errors.ts';
import type { DataSource } from '#domain/observation.ts';
import { personText } from '#domain/person.ts';
import type { SharedState, StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import { approvalAlertId, deedOf, waitingApprovals } from '#rules/approvals.ts';
import { nameOf } from '#streams/queries.ts';

/** The title of each kind, and its severity. */
export const alertKinds = {
  incident: { severity: 'critical', title: 'Incident' },
  keyless: { severity: 'critical', title: 'Channel without a stream key' },
  undelivered: { severity: 'critical', title: 'New stream key not delivered' },
  state_lost: { severity: 'critical', title: 'The shared state was lost' },
  redis: { severity: 'critical', title: 'A Redis cannot be used' },
  not_carried: { severity: 'critical', title: 'Nobody carries an account' },
  data_gap: { severity: 'critical', title: 'Data is missing' },
  cap: { severity: 'critical', title: 'Rule stopped by its cap' },
  delivery_failed: { severity: 'critical', title: 'Metadata is refused' },
  approval: { severity: 'critical', title: 'An action waits for approval' },
  failed_job: { severity: 'warning', title: 'Failed job' },
  rate: { severity: 'warning', title: 'Rule reached its hourly limit' },
  replicas_differ: { severity: 'warning', title: 'Replicas differ' },
  config: { severity: 'warning', title: 'The new configuration is not valid; the last one stays in force' },
  dead_letters: { severity: 'warning', title: 'Dead letters' },
  silence_ending: { severity: 'warning', title: 'A silence is about to end' },
  hold_ending: { severity: 'warning', title: 'A hold is about to end' },
} as const satisfies Record<string, { readonly severity: 'critical' | 'warning'; readonly title: string }>;
export type AlertKind = keyof typeof alertKinds;

/** Something that needs a person. */
export interface Alert {
  readonly id: string;
  readonly kind: AlertKind;
  readonly severity: 'critical' | 'warning';
  readonly title: string;
  /** What happened, in full. */
  readonly cause: string;
  /** Where to see more: an address within the page, such as `#/incident/i-1`, or of the daemon. */
  readonly link: string;
  /** Epoch ms. */
  readonly since: number;
  /**
   * For an alert that stands for several things: when the newest of them began. Whoever acknowledged it earlier had not seen that one.
   * Default: `since`
   */
  readonly newest?: number | undefined;
  /** When it ended, or ends by itself. */
  readonly end?: number | undefined;
  readonly channelArn?: string | undefined;
  readonly rule?: string | undefined;
  /** Only a person can end it. */
  readonly dismissible?: true | undefined;
  /** Who has acknowledged it, when, and with which note. */
  readonly acknowledged?: Acknowledgement | undefined;
}

export const alertStates = ['open', 'acknowledged', 'resolved'] as const;
export type AlertState = (typeof alertStates)[number];

/** Whether an acknowledgement or escalation at this time covers the whole alert: it covers only what had begun by then. */
export function isAboutAllOf(atMs: number, { since, newest = since }: Pick<Alert, 'since' | 'newest'>): boolean {
  return atMs >= newest;
}

/** `resolved`: it has ended. */
export function stateOf({ end, acknowledged }: Alert, nowMs: number): AlertState {
  if (end !== undefined && end <= nowMs) return 'resolved';
  return acknowledged ? 'acknowledged' : 'open';
}

/** What alerts need to know about one account. */
export interface AlertShard {
  readonly name: string;
  readonly state: Pick<SharedState, 'view' | 'nowMs'>;
  /** Since when a source has given no data; undefined while it gives data. */
  readonly silentSinceMs?: ((source: DataSource) => number | undefined) | undefined;
  readonly deadLetters?: (() => { readonly count: number; readonly sinceMs: number } | undefined) | undefined;
}

export interface AlertSources {
  readonly shards: readonly AlertShard[];
  /** Whether the configuration has only one account; default: whether there is one shard here. */
  readonly isOne?: boolean | undefined;
  /** Who carries which accounts, if there are several. */
  readonly carried?: (() => readonly Carried[]) | undefined;
  /** With several Redis servers, those that cannot be used. A single one is never listed, because without it no alert can be shown. */
  readonly outages?: (() => readonly RedisOutageOf[]) | undefined;
  readonly config: () => {
    readonly loadedAtMs: number;
    readonly triedAtMs?: number;
    readonly error?: string | undefined;
  };
}

/** A Redis that cannot be used, so that its accounts stand still. */
export interface RedisOutageOf {
  /** `REDIS_URL`, or `accounts[2].redis_url_file`. */
  readonly setting: string;
  /** Without user and password. */
  readonly address: string;
  readonly kind: 'away' | 'refuses';
  readonly sinceMs: number;
  readonly accounts: readonly string[];
}

const soonMs = 10 * 60_000;
/** Only if less than this share of its duration is left, so that a short one is not announced as soon as it is made. */
const soonShare = 0.2;

/** Each alert once, in its last version; the most severe first, then the oldest. */
export function inAlertOrder(alerts: readonly Alert[]): Alert[] {
  const byId = new Map(alerts.map((alert) => [alert.id, alert]));
  return [...byId.values()].sort((a, b) => rank(a) - rank(b) || a.since - b.since);
}

/** Everything that needs a person now, the most severe first, then the oldest. */
export function openAlerts({ shards, isOne = shards.length === 1, carried, outages, config }: AlertSources): Alert[] {
  const found = new Map<string, Alert>();
  for (const shard of shards) {
    const own = [
      ...stored(shard),
      ...incidents(shard, 'open'),
      ...silent(shard),
      ...endingSilences(shard),
      ...endingHolds(shard),
      ...awaited(shard, isOne),
      ...letters(shard),
    ];
    for (const alert of own.map((each) => named(shard, each, isOne))) found.set(alert.id, alert);
  }
  for (const outage of outages?.() ?? []) {
    const alert = redisAlert(outage);
    found.set(alert.id, alert);
  }
  for (const each of carried?.() ?? []) for (const alert of notCarried(each)) found.set(alert.id, alert);
  const { error, loadedAtMs, triedAtMs = loadedAtMs } = config();
  if (error !== undefined)
    found.set('config', alertOf('config', { id: 'config', cause: error, link: '#/rules', since: triedAtMs }));
  const all = Array.from(found.values(), (alert) => {
    const acknowledged = shardOf(shards, alert.id)?.state.view.get(ackKey(alert.id));
    return acknowledged && isAboutAllOf(acknowledged.atMs, alert) ? { ...alert, acknowledged } : alert;
  });
  return inAlertOrder(all);
}

/** Alerts that have ended, the last one first: the newest incidents, and others that ended within a day. */
export function endedAlerts({ shards, isOne = shards.length === 1 }: Pick<AlertSources, 'shards' | 'isOne'>): Alert[] {
  return shards
    .flatMap((shard) => [
      ...incidents(shard, 'over').map((each) => {
        const alert = named(shard, each, isOne);
        const acknowledged = shard.state.view.get(ackKey(alert.id));
        return acknowledged && isAboutAllOf(acknowledged.atMs, alert) ? { ...alert, acknowledged } : alert;
      }),
      ...endedOnRecord(shard.state.view),
    ])
    .sort(byEnd);
}

/** Each alert once, the last one first: several processes may have recorded the end of an alert that belongs to no account. */
export function inEndOrder(ended: readonly Alert[]): Alert[] {
  return [...new Map(ended.map((alert) => [alert.id, alert])).values()].sort(byEnd);
}

function byEnd(a: Alert, b: Alert): number {
  return (b.end ?? 0) - (a.end ?? 0);
}

function endedOnRecord(view: StateView): Alert[] {
  return Array.from(view.entries(kinds.seenAlert)).flatMap(([id, { kind, sinceMs, endedMs, ...rest }]) => {
    if (endedMs === undefined || !isAlertKind(kind)) return [];
    const { severity, title, cause, link, channelArn, rule, acknowledged } = rest;
    const about = { severity, title, cause, link, channelArn, rule, acknowledged };
    return [{ ...about, id, kind, since: sinceMs, end: endedMs }];
  });
}

/** A replica of another version may write kinds that this one does not know. */
export function isAlertKind(kind: string): kind is AlertKind {
  return Object.hasOwn(alertKinds, kind);
}

/** With several accounts, an id says which account it belongs to. A silence is stored in all of them. */
function named({ name }: AlertShard, alert: Alert, isOne: boolean): Alert {
  return isOne || alert.kind === 'silence_ending' ? alert : { ...alert, id: `${name}:${alert.id}` };
}

/** The account that an id names; alerts about all accounts are stored in the first. */
export function shardOf<S extends AlertShard>(shards: readonly S[], id: string): S | undefined {
  return shards.find(({ name }) => id.startsWith(`${name}:`)) ?? shards[0];
}

/** Finds alerts of accounts that others carry. */
export interface AlertFinder {
  find(id: string): Promise<{ readonly shard: Pick<SharedState, 'transact'>; readonly alert: Alert } | undefined>;
}

/**
 * Acknowledges an alert for a person. If only a person can end it, this ends it; any other alert stays until its cause is gone.
 * @throws AppError NOT_FOUND
 */
export async function acknowledge(
  sources: AlertSources & {
    readonly shards: readonly (AlertShard & { readonly state: SharedState })[];
    /** If other processes carry accounts. */
    readonly elsewhere?: AlertFinder | undefined;
  },
  id: string,
  by: { readonly who: string; readonly note: string },
): Promise<Alert> {
  const elsewhere = await sources.elsewhere?.find(id);
  const found = elsewhere?.alert ?? openAlerts(sources).find((alert) => alert.id === id);
  if (!found) throw new AppError('NOT_FOUND', `there is no alert ${id}; GET /v1/alerts lists those there are`);
  const state = elsewhere?.shard ?? shardOf(sources.shards, id)!.state;
  return state.transact((tx) => {
    const acknowledged: Acknowledgement = { ...by, atMs: tx.nowMs };
    tx.set(ackKey(id), acknowledged);
    const key = kinds.alert.of(id.slice(id.indexOf('alert:') + 'alert:'.length));
    if (found.dismissible && tx.get(key) !== undefined) {
      tx.delete(key);
      tx.delete(ackKey(id));
      tx.set(kinds.seenAlert.of(id), { ...seenOf(found, tx.nowMs), endedMs: tx.nowMs, acknowledged });
    }
    audit(tx, {
      who: by.who,
      what: found.dismissible ? 'dismiss' : 'acknowledge',
      outcome: 'done',
      why: by.note,
      reason: `${found.title}: ${found.cause}`,
      ...(found.channelArn === undefined ? {} : { channelArn: found.channelArn }),
    });
    return { ...found, acknowledged, ...(found.dismissible ? { end: tx.nowMs } : {}) };
  });
}

/** What the log of alerts records about an alert. */
export function seenOf(
  { kind, severity, title, cause, link, since, channelArn, rule }: Alert,
  nowMs: number,
): SeenAlert {
  return {
    kind,
    severity,
    title,
    cause: cause.slice(0, mostCause),
    link,
    sinceMs: since,
    seenMs: nowMs,
    ...(channelArn === undefined ? {} : { channelArn }),
    ...(rule === undefined ? {} : { rule }),
  };
}

const mostCause = 1_000;
const ackKey = (id: string) => kinds.acknowledged.of(id);

function alertOf(
  kind: AlertKind,
  rest: Omit<Alert, 'kind' | 'severity' | 'title'> & { readonly title?: string },
): Alert {
  return { kind, ...alertKinds[kind], ...rest };
}

/** Alerts that are stored in the shared state. */
function* stored({ state: { view } }: AlertShard): Iterable<Alert> {
  for (const [id, alert] of view.entries(kinds.alert)) {
    if (!isAlertKind(alert.kind)) continue;
    const named = { id: `alert:${id}`, cause: withNames(view, alert.text), since: alert.sinceMs };
    if (alert.kind === 'failed_job' || alert.kind === 'delivery_failed')
      yield alertOf(alert.kind, { ...named, ...ofDismissible(alert), dismissible: true });
    else if ('channelArn' in alert)
      yield alertOf(alert.kind, { ...named, channelArn: alert.channelArn, link: streamLink(alert.channelArn) });
    else if ('rule' in alert)
      yield alertOf(alert.kind, { ...named, rule: alert.rule, link: decisionsLink(alert.rule) });
    else yield alertOf(alert.kind, { ...named, link: `#/runbook/${alert.kind.replaceAll('_', '-')}` });
  }
}

/** Channels by name, if the name is known. */
function withNames(view: StateView, text: string): string {
  return text.replaceAll(/arn:[\w-]+:ivs:[\w-]+:\d+:channel\/\w+/g, (arn) => nameOf(view, arn as ChannelArn) || arn);
}

function ofDismissible(alert: FailedJobAlert | DeliveryFailedAlert): {
  title?: string;
  link: string;
  channelArn?: string;
} {
  if (alert.kind === 'delivery_failed') {
    const [arn] = alert.channelArns;
    return alert.count === 1 && arn !== undefined
      ? { link: streamLink(arn), channelArn: arn }
      : { link: '#/runbook/metadata-is-refused' };
  }
  const [newest] = alert.jobs;
  const title = alert.count === 1 ? 'Failed job' : `${alert.count} failed jobs`;
  if (alert.count === 1 && newest)
    return {
      title,
      link: `#/job/${encodeURIComponent(newest.jobId)}`,
      ...(newest.channelArn === undefined ? {} : { channelArn: newest.channelArn }),
    };
  return { title, link: `#/audit?what=${encodeURIComponent(alert.action)}` };
}

function incidents({ state: { view } }: AlertShard, which: 'open' | 'over'): Alert[] {
  return (
    Array.from(view.entries(kinds.incident), ([, incident]) => incident)
      .filter(({ closedAtMs }) => (closedAtMs === undefined) === (which === 'open'))
      // The incident of a cap is already shown as the alert of that cap.
      .filter(({ kind }) => kind !== 'cap')
      .map((incident) =>
        alertOf('incident', {
          id: `incident:${incident.id}`,
          title:
            incident.closedAtMs === undefined
              ? `Incident: ${incident.affected} of ${incident.live} channels`
              : `Incident: ${incident.peak} channels at most`,
          cause: `${incident.text}${withheldText(incident)}`,
          link: `#/incident/${encodeURIComponent(incident.id)}`,
          since: incident.openedAtMs,
          ...(incident.closedAtMs === undefined ? {} : { end: incident.closedAtMs }),
          rule: incident.rule,
        }),
      )
  );
}

function withheldText({ withheld }: Incident): string {
  if (withheld === 0) return '';
  return withheld === 1 ? '. 1 action was held back' : `. ${withheld} actions were held back`;
}

const gapTexts = {
  poll: 'No sweep of the live streams has completed',
  events: 'The event queue could not be read',
} as const;

function silent({ silentSinceMs }: AlertShard): Alert[] {
  return (['poll', 'events'] as const).flatMap((source) => {
    const since = silentSinceMs?.(source);
    if (since === undefined) return [];
    const cause = `${gapTexts[source]} since ${new Date(since).toISOString()}: timers stand still, and no rule acts on missing data.`;
    return [alertOf('data_gap', { id: `data_gap:${source}`, cause, link: '#/runbook/data-gap', since })];
  });
}

function redisAlert({ setting, address, kind, sinceMs, accounts }: RedisOutageOf): Alert {
  const says = kind === 'away' ? 'does not answer' : 'answers and refuses';
  return alertOf('redis', {
    id: `redis:${address}`,
    cause: `The Redis at ${address} (${setting}) ${says}: ${accounts.join(', ')} ${accounts.length === 1 ? 'stands' : 'stand'} still. Accounts on other servers continue.`,
    link: '#/runbook/one-redis-of-several',
    since: sinceMs,
  });
}

/** Processes that carry other accounts show this alert, because this account has no process that could. */
function notCarried(each: Carried): Alert[] {
  const cause = missingText(each);
  if (cause === undefined) return [];
  const since = Math.min(...each.missing.map(({ sinceMs }) => sinceMs));
  return [
    alertOf('not_carried', {
      id: `${each.account}:not_carried`,
      cause,
      link: '#/runbook/nobody-carries-an-account',
      since,
    }),
  ];
}

function endingSilences({ state }: AlertShard): Alert[] {
  const nowMs = state.nowMs();
  return silencesInForce(state.view, nowMs)
    .filter(([, silence]) => isAboutToEnd(silence, nowMs))
    .map(([id, { reason, author, matchers, startsMs, endsMs }]) =>
      alertOf('silence_ending', {
        id: `silence:${id}`,
        cause: `${matchers.join(', ')}: ${reason} (${personText(author)})`,
        link: '#/decisions?reason=silenced',
        since: startsMs,
        end: endsMs,
      }),
    );
}

/** Actions that wait for a person's approval. Those that a rule asks for at the same moment are one alert. */
function awaited({ name, state: { view } }: AlertShard, isOne: boolean): Alert[] {
  const alike = Map.groupBy(waitingApprovals(view), approvalAlertId);
  return Array.from(alike, ([alertId, approvals]) => {
    const [first] = approvals as [Approval];
    const isAlone = approvals.length === 1;
    const id = isOne ? first.id : `${name}:${first.id}`;
    const { rule, channelArn } = first;
    return alertOf('approval', {
      id: alertId,
      title: isAlone ? `${first.action} waits for approval` : `${approvals.length} × ${first.action} wait for approval`,
      cause: isAlone ? `${deedOf(first)}: ${first.why}` : `${approvals.length} channels: ${first.why}, …`,
      link: isAlone ? `#/approval/${encodeURIComponent(id)}` : `#/approvals?rule=${encodeURIComponent(rule)}`,
      since: Math.min(...approvals.map(({ askedAtMs }) => askedAtMs)),
      newest: Math.max(...approvals.map(({ askedAtMs }) => askedAtMs)),
      end: first.untilMs,
      rule,
      ...(isAlone && channelArn !== undefined ? { channelArn } : {}),
    });
  });
}

function endingHolds({ state }: AlertShard): Alert[] {
  const nowMs = state.nowMs();
  return holdsInForce(state.view, nowMs).flatMap(([arn, { who, reason, sinceMs, untilMs }]) => {
    if (untilMs === undefined || !isAboutToEnd({ startsMs: sinceMs, endsMs: untilMs }, nowMs)) return [];
    const cause = `${nameOf(state.view, arn) || arn}: ${reason} (${personText(who)})`;
    return [
      alertOf('hold_ending', {
        id: `hold:${arn}`,
        cause,
        link: streamLink(arn),
        since: sinceMs,
        end: untilMs,
        channelArn: arn,
      }),
    ];
  });
}

function isAboutToEnd({ startsMs, endsMs }: Pick<Silence, 'startsMs' | 'endsMs'>, nowMs: number): boolean {
  return endsMs - nowMs < Math.min(soonMs, (endsMs - startsMs) * soonShare);
}

function letters({ deadLetters }: AlertShard): Alert[] {
  const { count = 0, sinceMs = 0 } = deadLetters?.() ?? {};
  if (count === 0) return [];
  return [
    alertOf('dead_letters', {
      id: 'dead_letters',
      title: `${count} dead letter${count === 1 ? '' : 's'}`,
      cause: 'Events that could not be read or delivered wait in the dead-letter queue.',
      link: '#/runbook/dead-letters',
      since: sinceMs,
    }),
  ];
}

function streamLink(arn: string): string {
  return `#/stream/${encodeURIComponent(arn)}`;
}

function decisionsLink(rule: string): string {
  return `#/decisions?rule=${encodeURIComponent(rule)}`;
}

function rank({ severity }: Alert): number {
  return severity === 'critical' ? 0 : 1;
}
