// What an audit of the stream keys says: which key each channel has, and its least age. IVS does not date keys: a key that was rotated here
// has its date, one that replaced another is younger than the audit before, and any other is only known to be at least as old as the first
// audit that saw it. Values are never here.
import type { ChannelArn } from '#domain/channel.ts';
import type { KeysObservation } from '#domain/observation.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { KnownKey } from '#domain/stream-memory.ts';
import type { StreamChange } from '#domain/stream-record.ts';

/** Applies an audit; alerts for channels without a key are raised and cleared with it. */
export function applyKeys(tx: Transaction, { channels, gone }: KeysObservation): StreamChange[] {
  const changed: ChannelArn[] = [];
  for (const arn of gone) {
    if (tx.get(kinds.streamKey.of(arn)) !== undefined) changed.push(arn);
    tx.delete(kinds.streamKey.of(arn));
    clearAudit(tx, arn);
  }
  for (const { channelArn, keyArns, readAtMs } of channels) {
    // A rotation deletes before it creates: the state in between is not a finding.
    if (isBeingRotated(tx, channelArn, readAtMs)) continue;
    const known = tx.get(kinds.streamKey.of(channelArn));
    const keyArn = known && keyArns.includes(known.keyArn) ? known.keyArn : keyArns[0];
    if (keyArn === undefined) {
      raiseKeyless(tx, channelArn);
      if (!known) continue;
      tx.delete(kinds.streamKey.of(channelArn));
    } else {
      clearAudit(tx, channelArn);
      const key = knownKey(tx, channelArn, { keyArn, readAtMs });
      if (known?.keyArn === key.keyArn && known.sinceMs === key.sinceMs) continue;
      tx.set(kinds.streamKey.of(channelArn), key);
    }
    changed.push(channelArn);
  }
  return changed.length === 0 ? [] : [{ kind: 'keys', channelArns: changed, atMs: tx.nowMs }];
}

function knownKey(
  view: StateView,
  channelArn: ChannelArn,
  { keyArn, readAtMs }: { readonly keyArn: string; readonly readAtMs: number },
): KnownKey {
  const rotation = view.get(kinds.key.of(channelArn));
  if (rotation?.finishedAtMs !== undefined && rotation.deliveredKeyArn === keyArn)
    return { keyArn, sinceMs: rotation.startedAtMs, made: true };
  const known = view.get(kinds.streamKey.of(channelArn));
  return known?.keyArn === keyArn ? known : { keyArn, sinceMs: readAtMs, made: false };
}

function isBeingRotated(view: StateView, channelArn: ChannelArn, readAtMs: number): boolean {
  const rotation = view.get(kinds.key.of(channelArn));
  if (!rotation) return false;
  return rotation.finishedAtMs === undefined || rotation.updatedAtMs >= readAtMs || rotation.finishedAtMs >= readAtMs;
}

/** An alert of a rotation, which names its job, stays the rotation's. */
function raiseKeyless(tx: Transaction, channelArn: ChannelArn): void {
  const key = kinds.alert.of('keyless', channelArn);
  if (tx.get(key) !== undefined) return;
  const text = 'the channel has no stream key: no encoder can connect until it gets one (`ivs-autopilot key rotate`)';
  tx.set(key, { kind: 'keyless', channelArn, sinceMs: tx.nowMs, updatedAtMs: tx.nowMs, text });
}

function clearAudit(tx: Transaction, channelArn: ChannelArn): void {
  const key = kinds.alert.of('keyless', channelArn);
  const alert = tx.get(key);
  if (alert && alert.jobId === undefined) tx.delete(key);
}
