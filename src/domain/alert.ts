// Conditions that need a person and stay until they are over, as they lie in the shared state under `alert/<kind>|<about>`.
import type { Values } from './decision.ts';

export const keyAlertKinds = ['keyless', 'undelivered'] as const;
export type KeyAlertKind = (typeof keyAlertKinds)[number];

/** At `alert/<kind>|<channelArn>`; there until it is fixed. */
export interface KeyAlert {
  readonly kind: KeyAlertKind;
  readonly channelArn: string;
  readonly sinceMs: number;
  readonly updatedAtMs: number;
  /** What happened and what to do. */
  readonly text: string;
  /** Of the rotation that left it so; undefined: the audit of keys found it. */
  readonly jobId?: string;
}

/** At `alert/failed_job|<id>`: jobs of one action that were given up for one reason. A person's word ends it. */
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

/** At `alert/delivery_failed|<code>`: IVS refuses metadata, and no retry mends it. A delivery to these channels ends it, or a person's word. */
export interface DeliveryFailedAlert {
  readonly kind: 'delivery_failed';
  readonly code: string;
  /** Channels; the first 20 are named. */
  readonly count: number;
  readonly channelArns: readonly string[];
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
  /** Of the rule that was stopped: a changed rule starts again. */
  readonly ruleHash: string;
  readonly sinceMs: number;
  readonly text: string;
  readonly values: Values;
}

/**
 * At `seen-alert/<id of the alert>`: that it was there, so that its end can be told. Incidents are none of them: they have a record of
 * their own.
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
  /** When it was last written that it was there. */
  readonly seenMs: number;
  readonly endedMs?: number | undefined;
  /** Who had it at its end. */
  readonly acknowledged?: Acknowledgement | undefined;
}

/** At `acknowledged/<id of the alert>`; void for an alert that began later. */
export interface Acknowledgement {
  readonly who: string;
  readonly note: string;
  readonly atMs: number;
}

/** At `escalated/<id of the alert>`; void for an alert that began later. */
export interface Escalated {
  /** When it was told of. */
  readonly atMs: number;
}
