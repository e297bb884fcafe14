// Conditions that need a person and stay until they are fixed: a channel without a key, a key that nobody has received.
import type { Transaction } from '#domain/shared-state.ts';

export const alertKinds = ['keyless', 'undelivered'] as const;
export type AlertKind = (typeof alertKinds)[number];

/** At `alert/<kind>|<channelArn>` in the shared state. */
export interface Alert {
  readonly kind: AlertKind;
  readonly channelArn: string;
  readonly sinceMs: number;
  readonly updatedAtMs: number;
  /** What happened and what to do. */
  readonly text: string;
  readonly jobId: string;
}

const keyOf = (kind: AlertKind, channelArn: string) => `alert/${kind}|${channelArn}`;

/** Raises an alert, or renews it; the channel's other key alert goes, since they exclude each other. */
export function raiseAlert(
  tx: Transaction,
  alert: { readonly kind: AlertKind; readonly channelArn: string; readonly text: string; readonly jobId: string },
): void {
  const key = keyOf(alert.kind, alert.channelArn);
  const before = tx.get<Alert>(key);
  tx.set(key, { ...alert, sinceMs: before?.sinceMs ?? tx.nowMs, updatedAtMs: tx.nowMs } satisfies Alert);
  const other = keyOf(alert.kind === 'keyless' ? 'undelivered' : 'keyless', alert.channelArn);
  if (tx.get(other) !== undefined) tx.delete(other);
}

/** The channel has one key and it is delivered, or the channel is gone. */
export function clearAlerts(tx: Transaction, channelArn: string): void {
  for (const kind of alertKinds) if (tx.get(keyOf(kind, channelArn)) !== undefined) tx.delete(keyOf(kind, channelArn));
}
