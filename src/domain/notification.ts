// What a notification tells of: alerts, as Alertmanager's webhook has them. A rule's `notify` is one alert; what is grouped is many.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
import type { Labels } from './labels.ts';
import type { Traceparent } from './trace.ts';

export const severities = ['critical', 'error', 'warning', 'info'] as const;
export type Severity = (typeof severities)[number];

/** What a message asks a person for: where its link leads, and what a button in it answers. */
export type NeedsPerson =
  /** An alert of the list that the page, `GET /v1/alerts` and `alert list` show. */
  | {
      readonly kind: 'alert';
      readonly id: string;
      /** What the message knows of: all of it that began at this time or before. */
      readonly sinceMs: number;
    }
  /** One action that waits for a yes. */
  | { readonly kind: 'approval'; readonly id: string };

/** What a rule's `notify` tells of, beside its text. */
export interface AlertContext {
  /** The same for as long as the rule fires for the same subject; of a moment, its own. */
  readonly fingerprint: string;
  readonly labels: Labels;
  /** When the condition began. */
  readonly startsAtMs: number;
  /** When it ended; undefined while it goes on. */
  readonly endsAtMs?: number | undefined;
  /** Of a condition that has an end: where the rule remembers it, and by what. Undefined: a moment, which is told once and is over. */
  readonly firing?: { readonly rule: string; readonly subject: string; readonly causeId: string } | undefined;
  /** Told only because of `send_resolved`: the rule has no message of its own for it. */
  readonly isAutomatic?: boolean | undefined;
  readonly needs?: NeedsPerson | undefined;
  /** It tells of a time that is over: it neither begins nor ends. */
  readonly isReport?: true | undefined;
}

export interface Alert extends AlertContext {
  readonly text: string;
}

/** What is sent to a receiver as one message: in a job, so bounded. */
export interface Notification {
  readonly receiver: string;
  /** Names the group; the same for each of its messages. */
  readonly groupKey: string;
  readonly groupLabels: Labels;
  /** The worst first; the rest is only counted. */
  readonly alerts: readonly Alert[];
  /** Of all. */
  readonly firing: number;
  readonly resolved: number;
}

/** What was last told of a group to those with `send_resolved` (`all`), or without (`firing`). */
export interface SentNote {
  readonly atMs: number;
  /** Fingerprints. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  /** Keys of integrations for which that message was given up: they are told again at the group's next look, as long as anything fires. */
  readonly missed?: readonly string[] | undefined;
  /** When those were last told again. */
  readonly againMs?: number | undefined;
}

/** At `alert-group/<id>`. Its alerts lie at `group-alert/<id>|<fingerprint>`. */
export interface AlertGroup {
  readonly receiver: string;
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly intervalMs: number;
  readonly repeatMs: number;
  /** When it is looked at next. */
  readonly nextMs: number;
  /** Whether it has been looked at: `group_wait` is over. */
  readonly hasFlushed: boolean;
  /** Alerts in it. */
  readonly count: number;
  /** Alerts that had no room in it. */
  readonly more: number;
  readonly sent?: { readonly all?: SentNote; readonly firing?: SentNote } | undefined;
}

/** At `group-alert/<id of the group>|<fingerprint>`. */
export interface GroupedAlert extends Alert {
  /** When what it says was decided. */
  readonly decidedAtMs: number;
  /** Where that stands in a trace. */
  readonly trace?: Traceparent | undefined;
}

/** One message about a group, for the integrations with `send_resolved` or for those without. */
export interface GroupMessage {
  readonly messageId: string;
  readonly sendResolved: boolean;
  /** Keys of the integrations that it is for; undefined: all of these. */
  readonly only?: readonly string[] | undefined;
  readonly notification: Notification;
  /** Where what it tells of stands in traces. */
  readonly follows?: readonly Traceparent[] | undefined;
}

/** As templates print it, and the webhook's body of version 4. */
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
  /** Empty where `http.external_url` is not set. */
  readonly externalURL: string;
  readonly alerts: readonly AlertDocument[];
}

export interface AlertDocument {
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  /** ISO 8601. */
  readonly startsAt: string;
  /** `0001-01-01T00:00:00Z` while it goes on, as Alertmanager writes it. */
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

/** Place in the order of severities; without one it is behind all others. */
export function severityRank(labels: Labels): number {
  const place = severities.findIndex((severity) => severity === labels['severity']);
  return place === -1 ? severities.length : place;
}

/** The worst first: what fires before what is over, by severity, and what began first. */
export function byBadness(left: Alert, right: Alert): number {
  return (
    Number(isFiring(right)) - Number(isFiring(left)) ||
    severityRank(left.labels) - severityRank(right.labels) ||
    left.startsAtMs - right.startsAtMs ||
    (left.fingerprint < right.fingerprint ? -1 : 1)
  );
}
