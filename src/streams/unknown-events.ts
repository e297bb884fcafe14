// Unknown events: kept for inspection, bounded.
import type { Transaction } from '#domain/shared-state.ts';
import { logs } from '#domain/state-registry.ts';

const maxKept = 500;
const maxBodyLength = 4000;

/** Keeps an unknown event's body, cut to a few thousand characters. */
export function keepUnknownEvent(
  tx: Transaction,
  { reason, body, arrivedAtMs }: { readonly reason: string; readonly body: string; readonly arrivedAtMs: number },
): void {
  tx.append(logs.unknownEvents, { reason, body: body.slice(0, maxBodyLength), arrivedAtMs }, maxKept);
}
