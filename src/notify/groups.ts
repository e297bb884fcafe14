// Groups of alerts, like Alertmanager's dispatcher and notification log: a new group waits for `group_wait`, then reports changes no more
// often than every `group_interval`, and repeats itself after `repeat_interval`. Everything is in the shared state and is decided in its
// commits, so any number of replicas sends one message, and a restart forgets nothing.
// https://prometheus.io/docs/alerting/latest/configuration/#route
import { createHash } from 'node:crypto';
import type { Labels } from '#domain/labels.ts';
import {
  type Alert,
  type AlertGroup,
  byBadness,
  type GroupedAlert,
  type GroupMessage,
  isFiring,
  type SentNote,
} from '#domain/notification.ts';
import type { Grouping, Receiver, Route } from '#domain/receiver.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { placesIn, type Traceparent } from '#domain/trace.ts';

/** Where an alert goes. */
export interface Target {
  readonly receiver: string;
  /** Undefined: at once. */
  readonly grouping: Grouping | undefined;
  /** Names the route, as Alertmanager does: `{}/{severity="critical"}`. */
  readonly routeKey: string;
}

export type GroupedTarget = Target & { readonly grouping: Grouping };

/** What a flush needs to know. */
export interface FlushPorts {
  /** A receiver of the configuration in force. */
  receiver(name: string): Receiver | undefined;
  /** Whether an active silence suppresses alerts with these labels. */
  isSilenced(view: StateView, nowMs: number, labels: Labels): boolean;
}

/** What became of an alert: in a group, with the time of the group's next message; or not kept, since the group is full. */
export type Gathered =
  | { readonly kind: 'gathered'; readonly groupKey: string; readonly nextMs: number }
  | { readonly kind: 'over' | 'older' | 'full'; readonly groupKey: string };

const mostGroups = 1_000;
const mostAlertsOfGroup = 1_000;
const mostAlerts = 10_000;
const mostText = 1_000;
/** The most alerts of one message, in a job. */
const mostListed = 100;
const mostListedBytes = 256_000;
const hourMs = 3_600_000;
/** When the excess over a receiver's limit is first sent, and how often after that. */
const overflowIntervalMs = 300_000;
/** A group without alerts is kept for this long, so that a late report is recognised as already sent. */
const lingerMs = 30_000;

/** The routes that an alert takes: the deepest that match, and after `continue` their later siblings. */
export function routesOf(route: Route, labels: Labels): readonly Target[] {
  const matched: Target[] = [];
  for (const child of route.routes) {
    if (!child.matchers.every((matcher) => matcher.test(labels))) continue;
    matched.push(...routesOf(child, labels));
    if (!child.continues) break;
  }
  if (matched.length > 0) return matched;
  return [{ receiver: route.receiver, grouping: route.grouping, routeKey: route.key }];
}

/** Whether one more message may go to a receiver now. */
export function hasRoom(view: StateView, { name, maxPerHour }: Receiver, nowMs: number): boolean {
  if (maxPerHour === undefined) return true;
  return sentInHour(view, name, nowMs).length < maxPerHour;
}

/** Counts a message to a receiver. */
export function noteSent(tx: Transaction, { name, maxPerHour }: Receiver): void {
  if (maxPerHour === undefined) return;
  tx.set(kinds.sent.of(name), [...sentInHour(tx, name, tx.nowMs), tx.nowMs].slice(-maxPerHour));
}

function sentInHour(view: StateView, receiver: string, nowMs: number): readonly number[] {
  return (view.get(kinds.sent.of(receiver)) ?? []).filter((atMs) => nowMs - atMs < hourMs);
}

/** When one more message may go to a receiver. */
export function nextRoomMs(view: StateView, { name, maxPerHour = 0 }: Receiver, nowMs: number): number {
  const sent = sentInHour(view, name, nowMs);
  return sent.length < maxPerHour ? nowMs : sent[sent.length - maxPerHour]! + hourMs;
}

/** Where the excess over a receiver's limit is collected: one group, sent when there is room. */
export function overflowOf({ name }: Receiver): GroupedTarget {
  const grouping: Grouping = { by: [], waitMs: 0, intervalMs: overflowIntervalMs, repeatMs: Number.MAX_SAFE_INTEGER };
  return { receiver: name, grouping, routeKey: `{max_per_hour="${name}"}` };
}

/** Whether an alert is in the group that it would go to. */
export function isInGroup(view: StateView, target: Target, alert: Alert): boolean {
  return view.get(kinds.groupAlert.of(groupIdOf(target, alert.labels).id, alert.fingerprint)) !== undefined;
}

/** Whether an alert is the end of something that its group does not know: the beginning was sent separately, and so is the end. */
export function isEndOfAnother(view: StateView, target: Target, alert: Alert): boolean {
  return !isFiring(alert) && !isInGroup(view, target, alert) && !wasTold(view, target, alert);
}

/** A report about an alert: that it fires, or that it is over. */
export interface Word {
  readonly alert: Alert;
  /** When: an earlier decision does not overwrite a later one. */
  readonly decidedAtMs: number;
  /** The reporter's place in a trace. */
  readonly trace?: Traceparent | undefined;
}

/**
 * Puts an alert into its group, or marks it there as over. The end of something that was never sent is not sent either, unless
 * the rule asks for it by name: then it is an alert of its own.
 */
export function gather(tx: Transaction, target: GroupedTarget, { alert: given, decidedAtMs, trace }: Word): Gathered {
  const { groupKey } = groupIdOf(target, given.labels);
  let alert = given;
  if (!isFiring(alert)) {
    const known = resolveEverywhere(tx, alert, { receiver: target.receiver, decidedAtMs, trace });
    if (known !== undefined) return { kind: 'gathered', groupKey, nextMs: known };
    if (alert.isAutomatic || wasTold(tx, target, alert)) return { kind: 'over', groupKey };
    alert = momentOf(alert);
  }
  return place(tx, target, { alert, decidedAtMs, trace });
}

function place(tx: Transaction, target: GroupedTarget, { alert, decidedAtMs, trace }: Word): Gathered {
  const { grouping, receiver } = target;
  const { id, groupKey, groupLabels } = groupIdOf(target, alert.labels);
  const key = kinds.groupAlert.of(id, alert.fingerprint);
  const before = tx.get(key);
  const group = tx.get(kinds.alertGroup.of(id));
  if (before && before.decidedAtMs > decidedAtMs) return { kind: 'older', groupKey };
  const count = group?.count ?? 0;
  const isFull =
    !before &&
    (count >= mostAlertsOfGroup ||
      tx.count(kinds.groupAlert) >= mostAlerts ||
      (!group && tx.count(kinds.alertGroup) >= mostGroups));
  if (isFull) {
    if (group) tx.set(kinds.alertGroup.of(id), { ...group, more: group.more + 1 });
    return { kind: 'full', groupKey };
  }
  const text = alert.text.slice(0, mostText);
  tx.set(key, { ...alert, text, decidedAtMs, ...(trace === undefined ? {} : { trace }) });
  // What was decided long ago, while nobody could send, does not wait again.
  const firstMs = Math.max(tx.nowMs, Math.min(tx.nowMs, decidedAtMs) + grouping.waitMs);
  const isNew = !group || count === 0;
  const nextMs = isNew ? firstMs : group.hasFlushed ? group.nextMs : Math.min(group.nextMs, firstMs);
  tx.set(kinds.alertGroup.of(id), {
    receiver,
    groupKey,
    groupLabels,
    intervalMs: grouping.intervalMs,
    repeatMs: grouping.repeatMs,
    nextMs,
    hasFlushed: !isNew && group.hasFlushed,
    count: count + (before ? 0 : 1),
    more: group?.more ?? 0,
    ...(group?.sent ? { sent: group.sent } : {}),
  });
  return { kind: 'gathered', groupKey, nextMs };
}

/** The end of a condition as an event of its own, with its own identity. */
function momentOf(alert: Alert): Alert {
  const { fingerprint, labels, text, startsAtMs, endsAtMs = startsAtMs } = alert;
  return { fingerprint: `${fingerprint}-end`, labels, text, startsAtMs: endsAtMs };
}

/** Whether the group has reported that an alert is over. */
function wasTold(view: StateView, target: Target, { fingerprint, labels }: Alert): boolean {
  const { sent } = view.get(kinds.alertGroup.of(groupIdOf(target, labels).id)) ?? {};
  return [sent?.all, sent?.firing].some((note) => note?.resolved.includes(fingerprint));
}

/**
 * Marks an alert as over in every group of the receiver, since its labels may have changed meanwhile. Returns when that is sent; undefined:
 * no group has it.
 */
function resolveEverywhere(
  tx: Transaction,
  alert: Alert,
  { receiver, decidedAtMs, trace }: Omit<Word, 'alert'> & { readonly receiver: string },
): number | undefined {
  let nextMs: number | undefined;
  for (const [id, group] of Array.from(tx.entries(kinds.alertGroup))) {
    const key = kinds.groupAlert.of(id, alert.fingerprint);
    const known = tx.get(key);
    if (group.receiver !== receiver || !known) continue;
    nextMs = group.nextMs;
    if (known.decidedAtMs > decidedAtMs) continue;
    tx.set(key, { ...known, endsAtMs: alert.endsAtMs, decidedAtMs, ...(trace === undefined ? {} : { trace }) });
  }
  return nextMs;
}

/** The groups that are due: what is to be sent, in the order in which it is due. Afterwards the state contains all of it. */
export function flushDue(tx: Transaction, ports: FlushPorts): GroupMessage[] {
  const due = Array.from(tx.entries(kinds.alertGroup)).filter(([, { nextMs }]) => nextMs <= tx.nowMs);
  if (due.length === 0) return [];
  due.sort(([, left], [, right]) => left.nextMs - right.nextMs);
  const alertsOf = Map.groupBy(tx.entries(kinds.groupAlert), ([id]) => id.slice(0, id.indexOf('|')));
  return due.flatMap(([id, group]) => {
    const alerts = (alertsOf.get(id) ?? []).map(([, alert]) => alert);
    return flush(tx, { id, group, alerts, receiver: ports.receiver(group.receiver) }, ports);
  });
}

/** Whether a group is due now or later, and when the first of them is. */
export function nextFlushMs(view: StateView): number | undefined {
  let first: number | undefined;
  for (const [, { nextMs }] of view.entries(kinds.alertGroup))
    if (first === undefined || nextMs < first) first = nextMs;
  return first;
}

function flush(
  tx: Transaction,
  {
    id,
    group,
    alerts,
    receiver,
  }: {
    readonly id: string;
    readonly group: AlertGroup;
    readonly alerts: readonly GroupedAlert[];
    readonly receiver: Receiver | undefined;
  },
  { isSilenced }: Pick<FlushPorts, 'isSilenced'>,
): GroupMessage[] {
  const key = kinds.alertGroup.of(id);
  // The receiver is no longer in the configuration: there is nobody to send to.
  if (!receiver) {
    for (const { fingerprint } of alerts) tx.delete(kinds.groupAlert.of(id, fingerprint));
    tx.delete(key);
    return [];
  }
  const all = alerts.map((alert) => asItIs(tx, alert));
  // As in Alertmanager, a silenced alert is left out; when the silence ends it counts as new.
  const now = all.filter(({ labels }) => !isSilenced(tx, tx.nowMs, labels));
  const firing = now.filter(isFiring);
  const resolved = now.filter((alert) => !isFiring(alert));
  const classes = [...new Set(receiver.integrations.map(({ sendResolved }) => sendResolved))];
  const sent: { -readonly [C in keyof NonNullable<AlertGroup['sent']>]?: SentNote } = { ...group.sent };
  const messages: GroupMessage[] = [];
  const names = (list: readonly Alert[]) => list.map(({ fingerprint }) => fingerprint);
  for (const sendResolved of classes) {
    const place = sendResolved ? 'all' : 'firing';
    const told = group.sent?.[place];
    const isUpdate = needsUpdate(told, {
      firing: names(firing),
      resolved: names(resolved),
      sendResolved,
      repeatMs: group.repeatMs,
      nowMs: tx.nowMs,
    });
    const missed = firing.length === 0 ? [] : (told?.missed ?? []);
    if (!isUpdate && missed.length === 0) continue;
    // The others get only what fires.
    const content = sendResolved ? now : firing;
    if (content.length > 0) {
      if (!hasRoom(tx, receiver, tx.nowMs)) {
        tx.set(key, { ...group, sent, nextMs: nextRoomMs(tx, receiver, tx.nowMs) });
        return messages;
      }
      noteSent(tx, receiver);
      const only = isUpdate ? undefined : missed;
      messages.push({ ...messageOf(group, content, { id, sendResolved, nowMs: tx.nowMs }), ...(only ? { only } : {}) });
    }
    if (!isUpdate && told) {
      const { missed: _, ...rest } = told;
      sent[place] = { ...rest, againMs: tx.nowMs };
      continue;
    }
    // An event without a duration is reported once; its absence next time is not an end.
    sent[place] = {
      atMs: tx.nowMs,
      firing: names(firing.filter(({ firing: lasting }) => lasting)),
      resolved: names(resolved),
    };
  }
  for (const alert of all)
    if (!isFiring(alert) || !alert.firing) tx.delete(kinds.groupAlert.of(id, alert.fingerprint));
    else if (!alerts.includes(alert)) tx.set(kinds.groupAlert.of(id, alert.fingerprint), alert);
  const count = all.filter((alert) => isFiring(alert) && alert.firing).length;
  const after = { ...group, hasFlushed: true, count, sent };
  if (all.length === 0) tx.delete(key);
  else if (count === 0) tx.set(key, { ...after, more: 0, nextMs: tx.nowMs + lingerMs });
  else tx.set(key, { ...after, nextMs: tx.nowMs + group.intervalMs });
  return messages;
}

/**
 * A message of a group was given up for some integrations: they count as not having it. A newer message has its own outcome.
 * @param missed keys of those that do not have it
 */
export function noteMissed(
  tx: Transaction,
  { messageId, sendResolved }: Pick<GroupMessage, 'messageId' | 'sendResolved'>,
  missed: readonly string[],
): void {
  const [id = ''] = messageId.split('-');
  const sentMs = Number(messageId.slice(messageId.lastIndexOf('-') + 1));
  const key = kinds.alertGroup.of(id);
  const group = tx.get(key);
  const place = sendResolved ? 'all' : 'firing';
  const told = group?.sent?.[place];
  if (!group || !told || (told.atMs !== sentMs && told.againMs !== sentMs)) return;
  tx.set(key, { ...group, sent: { ...group.sent, [place]: { ...told, missed } } });
}

/** The rule memory is the truth: a rule that was removed or changed, or a report that was lost, leaves nothing firing forever. */
function asItIs<A extends Alert>(tx: StateView & { readonly nowMs: number }, alert: A): A {
  if (!isFiring(alert) || !alert.firing) return alert;
  const { rule, subject, causeId } = alert.firing;
  const isStill = tx.get(kinds.ruleMemory.of(rule, subject))?.firing?.cause.id === causeId;
  return isStill ? alert : { ...alert, endsAtMs: tx.nowMs };
}

/** As in Alertmanager's DedupStage: something new fires, something is over, or it is time to repeat the message. */
function needsUpdate(
  told: SentNote | undefined,
  now: {
    readonly firing: readonly string[];
    readonly resolved: readonly string[];
    readonly sendResolved: boolean;
    readonly repeatMs: number;
    readonly nowMs: number;
  },
): boolean {
  if (!told) return now.firing.length > 0;
  const known = new Set(told.firing);
  if (now.firing.some((fingerprint) => !known.has(fingerprint))) return true;
  if (now.firing.length === 0) return told.firing.length > 0;
  const over = new Set(told.resolved);
  if (now.sendResolved && now.resolved.some((fingerprint) => !over.has(fingerprint))) return true;
  return now.nowMs - told.atMs >= now.repeatMs;
}

function messageOf(
  group: AlertGroup,
  content: readonly GroupedAlert[],
  { id, sendResolved, nowMs }: { readonly id: string; readonly sendResolved: boolean; readonly nowMs: number },
): GroupMessage {
  const listedFiring = content.filter(isFiring).length;
  // Nothing is known of the alerts that did not fit: they are over when the last known one is.
  const firing = listedFiring === 0 ? 0 : listedFiring + group.more;
  const follows = placesIn([...content].sort(byBadness).flatMap(({ trace }) => trace ?? []));
  return {
    messageId: `${id}-${sendResolved ? 'all' : 'firing'}-${nowMs}`,
    sendResolved,
    notification: {
      receiver: group.receiver,
      groupKey: group.groupKey,
      groupLabels: group.groupLabels,
      alerts: listed(content),
      firing,
      resolved: content.length + group.more - firing,
    },
    ...(follows.length === 0 ? {} : { follows }),
  };
}

/** The worst alerts, as many as one job can carry. */
function listed(alerts: readonly Alert[]): Alert[] {
  const list: Alert[] = [];
  let bytes = 0;
  for (const alert of alerts.toSorted(byBadness).slice(0, mostListed)) {
    const { fingerprint, labels, startsAtMs, endsAtMs, text, needs } = alert;
    const plain: Alert = {
      fingerprint,
      labels,
      startsAtMs,
      text,
      ...(endsAtMs === undefined ? {} : { endsAtMs }),
      ...(needs ? { needs } : {}),
    };
    bytes += JSON.stringify(plain).length;
    if (bytes > mostListedBytes && list.length > 0) break;
    list.push(plain);
  }
  return list;
}

function groupIdOf(
  { receiver, grouping, routeKey }: Target,
  labels: Labels,
): { readonly id: string; readonly groupKey: string; readonly groupLabels: Labels } {
  const by = grouping?.by ?? [];
  const names = by === '...' ? Object.keys(labels) : by.filter((name) => Object.hasOwn(labels, name));
  const groupLabels = Object.fromEntries(names.toSorted().map((name) => [name, labels[name]!]));
  const text = Object.entries(groupLabels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const groupKey = `${routeKey}:{${text.join(', ')}}`;
  const id = createHash('sha256')
    .update(JSON.stringify([receiver, groupKey]))
    .digest('hex')
    .slice(0, 24);
  return { id, groupKey, groupLabels };
}
