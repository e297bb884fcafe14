// Turns a notification into the document that templates and message bodies are made of, with the words that all receivers share.
import { iso } from '#domain/duration.ts';
import type { Labels } from '#domain/labels.ts';
import type { Alert, AlertDocument, Notification, NotificationDocument } from '#domain/notification.ts';
import { isFiring, pageOfNeed } from '#domain/notification.ts';

/** How Alertmanager writes that there is no end. */
const noEnd = '0001-01-01T00:00:00Z';
/** A message for people names at most this many alerts. */
export const mostNamed = 10;

/** @param externalUrl the base of links; empty: no links */
export function documentOf(notification: Notification, externalUrl: string): NotificationDocument {
  const { receiver, groupKey, groupLabels, alerts, firing, resolved } = notification;
  const documents = alerts.map((alert) => alertDocument(alert, externalUrl));
  return {
    version: '4',
    groupKey,
    truncatedAlerts: Math.max(0, firing + resolved - alerts.length),
    status: firing > 0 ? 'firing' : 'resolved',
    receiver,
    groupLabels,
    commonLabels: common(documents.map(({ labels }) => labels)),
    commonAnnotations: common(documents.map(({ annotations }) => annotations)),
    externalURL: externalUrl,
    alerts: documents,
  };
}

function alertDocument(alert: Alert, externalUrl: string): AlertDocument {
  const { labels, text, startsAtMs, endsAtMs, fingerprint, needs } = alert;
  return {
    status: isFiring(alert) ? 'firing' : 'resolved',
    labels,
    annotations: { summary: text },
    startsAt: iso(startsAtMs),
    endsAt: endsAtMs === undefined ? noEnd : iso(endsAtMs),
    generatorURL: externalUrl && (needs ? pageOfNeed(needs, externalUrl) : pageOf(labels, externalUrl)),
    fingerprint,
  };
}

/** The page that shows what an alert is about. */
function pageOf({ channel, rule }: Labels, externalUrl: string): string {
  const base = externalUrl.replace(/\/+$/, '');
  if (channel) return `${base}/#/stream/${encodeURIComponent(channel)}`;
  return rule ? `${base}/#/decisions?rule=${encodeURIComponent(rule)}` : `${base}/`;
}

/** Where the link of a message leads: for a single alert to what it is about, else to the page; empty: no link. */
export function linkIn({ alerts, externalURL, truncatedAlerts }: NotificationDocument): string {
  return alerts.length === 1 && truncatedAlerts === 0 ? alerts[0]!.generatorURL : externalURL;
}

/** What all of them have, with the same value. */
function common([first = {}, ...others]: readonly Labels[]): Labels {
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((each) => each[name] === value)),
  );
}

/** `[FIRING:3] mass-starvation`: the subject in one line. */
export function titleOf(document: NotificationDocument, { firing, resolved, isReport }: Counts): string {
  const { status, groupLabels, commonLabels, receiver } = document;
  if (isReport) return commonLabels['alertname'] ?? receiver;
  const count = firing + resolved > 1 ? `:${status === 'firing' ? firing : resolved}` : '';
  const { alertname = '', channel_name: channel = '' } = commonLabels;
  const group = Object.values(groupLabels).filter((value) => value !== '');
  const about = group.length > 0 ? group : [alertname, channel].filter((value) => value !== '');
  return `[${status.toUpperCase()}${count}] ${about.join(' ') || receiver}`;
}

export interface Counts {
  readonly firing: number;
  readonly resolved: number;
  /** It is about a time that is over. */
  readonly isReport?: boolean | undefined;
}

/** Whether it is about something that still lasts: for colours. */
export function isBad({ status }: NotificationDocument, { isReport }: Counts): boolean {
  return status === 'firing' && !isReport;
}

/** The texts of its alerts; for many alerts, the counts and the ten worst. */
export function textOf({ alerts }: NotificationDocument, counts: Counts): string {
  const [first, ...others] = alerts;
  const total = counts.firing + counts.resolved;
  if (first && others.length === 0 && total === 1) return first.annotations['summary'] ?? '';
  const named = alerts.slice(0, mostNamed);
  const left = total - named.length;
  const lines = named.map(({ status, annotations, startsAt }) => {
    const over = status === 'resolved' ? 'resolved: ' : '';
    return `- ${over}${oneLine(annotations['summary'] ?? '')} (since ${startsAt})`;
  });
  const worst = left > 0 ? ` The ${named.length} worst:` : '';
  return [
    `${counts.firing} firing, ${counts.resolved} resolved.${worst}`,
    ...lines,
    ...(left > 0 ? [`and ${left} more`] : []),
  ].join('\n');
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, ' ');
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}

/** Cuts a text to this many characters; the last one is `…` if something was cut off. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
