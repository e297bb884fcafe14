// An alert: the kinds there are, what one says, and the state it is in.
import type { Acknowledgement } from '#domain/alert.ts';

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
  /** It is about a rule in dry run. */
  readonly dryRun?: true | undefined;
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

/** A replica of another version may write kinds that this one does not know. */
export function isAlertKind(kind: string): kind is AlertKind {
  return Object.hasOwn(alertKinds, kind);
}

/** Makes an alert with the severity of its kind (about a rule in dry run: a warning), and with the title of its kind unless it has another. */
export function alertOf(
  kind: AlertKind,
  rest: Omit<Alert, 'kind' | 'severity' | 'title'> & { readonly title?: string },
): Alert {
  return { kind, ...alertKinds[kind], ...(rest.dryRun ? { severity: 'warning' } : {}), ...rest };
}
