// Conditions that need a person and stay until they end, as stored in the shared state under `alert/<kind>|<about>`.
import type { Values } from './decision.ts';

export const keyAlertKinds = ['keyless', 'undelivered'] as const;
export type KeyAlertKind = (typeof keyAlertKinds)[number];

/** At `alert/<kind>|<channelArn>`; stays until it is fixed. */
export interface KeyAlert {
  readonly kind: KeyAlertKind;
  readonly channelArn: string;
  readonly sinceMs: number;
  readonly updatedAtMs: number;
  /** What happened and what to do. */
  readonly text: string;
  /** The rotation that caused it; undefined: the audit of keys found it. */
  readonly jobId?: string;
}

/** At `alert/failed_job|<id>`: jobs of one action that failed for the same reason. A person ends it. */
export interface FailedJobAlert {
  readonly kind: 'failed_job';
  readonly action: string;
  readonly code: string;
  readonly who: string;
  readonly count: number;
  /** The newest first, at most 20. */
  readonly jobs: readonly { readonly jobId: string; readonly channelArn?: string | undefined }[];
  readonly sinceMs: number;
  readonly updatedAtMs: number;
  readonly text: string;
}

/** At `alert/delivery_failed|<code>`: IVS refuses metadata, and retries do not help. A delivery to these channels ends it, or a person. */
export interface DeliveryFailedAlert {
  readonly kind: 'delivery_failed';
  readonly code: string;
  /** Channels; the first 20 are named. */
  readonly count: number;
  readonly channelArns: readonly string[];
  /** What IVS answered last, and for which channel; alerts of earlier versions lack it. */
  readonly answer?: { readonly channelArn: string; readonly message: string } | undefined;
  readonly sinceMs: number;
  readonly updatedAtMs: number;
  readonly text: string;
}

/** At `alert/state_lost|state`. */
export interface StateLossAlert {
  readonly kind: 'state_lost';
  readonly sinceMs: number;
  readonly updatedAtMs: number;
  readonly text: string;
}

/** At `alert/replicas_differ|<trait>`. */
export interface ReplicasDifferAlert {
  readonly kind: 'replicas_differ';
  readonly sinceMs: number;
  readonly updatedAtMs: number;
  readonly text: string;
}

/** At `alert/<kind>|<rule>`. */
export interface RuleAlert {
  readonly kind: 'cap' | 'rate';
  readonly rule: string;
  /** The hash of the rule that was stopped: a changed rule starts again. */
  readonly ruleHash: string;
  readonly sinceMs: number;
  readonly text: string;
  readonly values: Values;
  /** The rule is in dry run: nothing was held back, so it is at most a warning. */
  readonly dryRun?: true | undefined;
}

/**
 * At `seen-alert/<id of the alert>`: a record that the alert existed, so that its end is known. Incidents are not included, because they
 * have a record of their own.
 */
export interface SeenAlert {
  readonly kind: string;
  readonly severity: 'critical' | 'warning';
  readonly title: string;
  readonly cause: string;
  readonly link: string;
  readonly sinceMs: number;
  readonly channelArn?: string | undefined;
  readonly rule?: string | undefined;
  /** When its existence was last recorded. */
  readonly seenMs: number;
  readonly endedMs?: number | undefined;
  /** Who had acknowledged it when it ended. */
  readonly acknowledged?: Acknowledgement | undefined;
}

/** At `acknowledged/<id of the alert>`; does not apply to an alert that began later. */
export interface Acknowledgement {
  readonly who: string;
  readonly note: string;
  readonly atMs: number;
}

/** At `escalated/<id of the alert>`; does not apply to an alert that began later. */
export interface Escalated {
  /** When it was escalated. */
  readonly atMs: number;
}
