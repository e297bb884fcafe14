// Alerts: the one list of what needs a person, as the page's "Needs you", `GET /v1/alerts`, `alert list` and the metric show it.

import type { Acknowledgement, SeenAlert } from '#domain/alert.ts';
import { notFound } from '#domain/not-found.ts';
import type { SharedState, StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import { type Alert, alertOf, isAboutAllOf, isAlertKind } from './alert.ts';
import { type AlertShard, type AlertSources, alertsOf, incidents, notCarried, redisAlert } from './alert-sources.ts';

/** Each alert once, in its last version; the most severe first, then the oldest. */
export function inAlertOrder(alerts: readonly Alert[]): Alert[] {
  const byId = new Map(alerts.map((alert) => [alert.id, alert]));
  return [...byId.values()].sort((a, b) => rank(a) - rank(b) || a.since - b.since);
}

/** Everything that needs a person now, the most severe first, then the oldest. */
export function openAlerts({ shards, isOne = shards.length === 1, carried, outages, config }: AlertSources): Alert[] {
  const found = new Map<string, Alert>();
  for (const shard of shards)
    for (const alert of alertsOf(shard, isOne).map((each) => named(shard, each, isOne))) found.set(alert.id, alert);
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
    /** Called once it is committed. */
    readonly onAcknowledged?: ((alert: Alert, by: { readonly who: string; readonly note: string }) => void) | undefined;
  },
  id: string,
  by: { readonly who: string; readonly note: string },
): Promise<Alert> {
  const elsewhere = await sources.elsewhere?.find(id);
  const found = elsewhere?.alert ?? openAlerts(sources).find((alert) => alert.id === id);
  if (!found) throw notFound('alert', `there is no alert ${id}; GET /v1/alerts lists those there are`);
  const state = elsewhere?.shard ?? shardOf(sources.shards, id)!.state;
  const taken = await state.transact((tx) => {
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
  sources.onAcknowledged?.(taken, by);
  return taken;
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

function rank({ severity }: Alert): number {
  return severity === 'critical' ? 0 : 1;
}
