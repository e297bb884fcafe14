// The content of a notification: alerts, as in Alertmanager's webhook. A rule's `notify` is one alert; a group has many.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
import type { Labels } from './labels.ts';
import type { Traceparent } from './trace.ts';

export const severities = ['critical', 'error', 'warning', 'info'] as const;
export type Severity = (typeof severities)[number];

/** What a message asks of a person: where its link leads, and what a button in it answers. */
export type NeedsPerson =
  /** An alert of the list that the page, `GET /v1/alerts` and `alert list` show. */
  | {
      readonly kind: 'alert';
      readonly id: string;
      /** The message covers everything of the alert that began at this time or before. */
      readonly sinceMs: number;
    }
  /** One action that waits for approval. */
  | { readonly kind: 'approval'; readonly id: string };

/** What a rule's `notify` reports, besides its text. */
export interface AlertContext {
  /** Stays the same while the rule fires for the same subject; a moment has its own. */
  readonly fingerprint: string;
  readonly labels: Labels;
  /** When the condition began. */
  readonly startsAtMs: number;
  /** When it ended; undefined while it lasts. */
  readonly endsAtMs?: number | undefined;
  /** For a condition that can end: where the rule remembers it. Undefined: a moment, which is reported once and is over. */
  readonly firing?: { readonly rule: string; readonly subject: string; readonly causeId: string } | undefined;
  /** Only for `send_resolved`: the rule has no message of its own for the end. */
  readonly isAutomatic?: boolean | undefined;
  readonly needs?: NeedsPerson | undefined;
  /** It reports a past period: it neither begins nor ends. */
  readonly isReport?: true | undefined;
}

export interface Alert extends AlertContext {
  readonly text: string;
}

/** What a receiver gets as one message; part of a job, and therefore bounded. */
export interface Notification {
  readonly receiver: string;
  /** Identifies the group; the same in all of its messages. */
  readonly groupKey: string;
  readonly groupLabels: Labels;
  /** The most severe first; the rest is only counted. */
  readonly alerts: readonly Alert[];
  /** Of all alerts. */
  readonly firing: number;
  readonly resolved: number;
}

/** What was last sent about a group to integrations with `send_resolved` (`all`), or without (`firing`). */
export interface SentNote {
  readonly atMs: number;
  /** Fingerprints. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  /** Keys of integrations for which that message was given up: they get it at the group's next flush, if anything still fires. */
  readonly missed?: readonly string[] | undefined;
  /** When those last got it again. */
  readonly againMs?: number | undefined;
}

/** At `alert-group/<id>`. Its alerts are at `group-alert/<id>|<fingerprint>`. */
export interface AlertGroup {
  readonly receiver: string;
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly intervalMs: number;
  readonly repeatMs: number;
  /** When it is flushed next. */
  readonly nextMs: number;
  /** Whether it has been flushed: `group_wait` is over. */
  readonly hasFlushed: boolean;
  /** Alerts in it. */
  readonly count: number;
  /** Alerts that no longer fitted into it. */
  readonly more: number;
  readonly sent?: { readonly all?: SentNote; readonly firing?: SentNote } | undefined;
}

/** At `group-alert/<id of the group>|<fingerprint>`. */
export interface GroupedAlert extends Alert {
  /** When its content was decided. */
  readonly decidedAtMs: number;
  /** Its place in a trace. */
  readonly trace?: Traceparent | undefined;
}

/** One message about a group, for the integrations with `send_resolved` or for those without. */
export interface GroupMessage {
  readonly messageId: string;
  readonly sendResolved: boolean;
  /** Keys of the integrations that get it; undefined: all of them. */
  readonly only?: readonly string[] | undefined;
  readonly notification: Notification;
  /** Places in traces of what it reports. */
  readonly follows?: readonly Traceparent[] | undefined;
}

/** As templates print it, and as in the webhook's body of version 4. */
export interface NotificationDocument {
  readonly version: '4';
  readonly groupKey: string;
  /** Alerts that are not listed. */
  readonly truncatedAlerts: number;
  readonly status: 'firing' | 'resolved';
  readonly receiver: string;
  readonly groupLabels: Labels;
  readonly commonLabels: Labels;
  readonly commonAnnotations: Labels;
  /** Empty if `http.external_url` is not set. */
  readonly externalURL: string;
  readonly alerts: readonly AlertDocument[];
}

export interface AlertDocument {
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  /** ISO 8601. */
  readonly startsAt: string;
  /** `0001-01-01T00:00:00Z` while it lasts, as in Alertmanager. */
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly fingerprint: string;
}

/** The page that shows what a person is asked for, with the button that answers it. @param externalUrl `http.external_url` */
export function pageOfNeed({ kind, id }: Pick<NeedsPerson, 'kind' | 'id'>, externalUrl: string): string {
  const page = kind === 'alert' ? 'alerts' : 'approval';
  return `${externalUrl.replace(/\/+$/, '')}/#/${page}/${encodeURIComponent(id)}`;
}

export function isFiring({ endsAtMs }: Pick<AlertContext, 'endsAtMs'>): boolean {
  return endsAtMs === undefined;
}

/** Its rank among the severities; without one it comes after all others. */
export function severityRank(labels: Labels): number {
  const place = severities.findIndex((severity) => severity === labels['severity']);
  return place === -1 ? severities.length : place;
}

/** The order of alerts: firing before resolved, then by severity, then by beginning. */
export function byBadness(left: Alert, right: Alert): number {
  return (
    Number(isFiring(right)) - Number(isFiring(left)) ||
    severityRank(left.labels) - severityRank(right.labels) ||
    left.startsAtMs - right.startsAtMs ||
    (left.fingerprint < right.fingerprint ? -1 : 1)
  );
}
