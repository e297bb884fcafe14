// The channels that exist: names, tags, types. A channel missing from one full listing may only have moved between pages.
import { isDeepStrictEqual } from 'node:util';
import type { ChannelArn } from '#domain/channel.ts';
import type { InventoryObservation } from '#domain/observation.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import type { StreamChange } from '#domain/stream-record.ts';

import { channelOf, streamOf } from './keys.ts';

export function applyInventory(tx: Transaction, observation: InventoryObservation): StreamChange[] {
  const { complete, continues, known } = observation;
  // Decided within the transaction: a later reading by another replica may be there already.
  const isCurrent = (arn: ChannelArn) => !known || isDeepStrictEqual(channelOf(tx, arn), known.get(arn));
  const channels = observation.channels.filter(({ arn }) => isCurrent(arn));
  const removed = observation.removed.filter(isCurrent);
  const changed: ChannelArn[] = [];
  for (const channel of channels) {
    if (isDeepStrictEqual(channelOf(tx, channel.arn), channel)) continue;
    tx.set(kinds.channel.of(channel.arn), channel);
    changed.push(channel.arn);
    const record = streamOf(tx, channel.arn);
    if (record && channel.name !== '' && record.channelName !== channel.name)
      tx.set(kinds.stream.of(channel.arn), { ...record, channelName: channel.name });
  }
  const missing = tx.get(notes.missingChannels) ?? {};
  const gone = removed.filter((arn) => !complete || missing[arn]).filter((arn) => channelOf(tx, arn));
  for (const arn of gone) tx.delete(kinds.channel.of(arn));
  if (complete && !continues) {
    noteMissing(
      tx,
      missing,
      removed.filter((arn) => channelOf(tx, arn)),
    );
    if (!tx.get(notes.inventoryListed)) tx.set(notes.inventoryListed, { atMs: tx.nowMs });
  }
  if (changed.length + gone.length === 0) return [];
  return [{ kind: 'inventory', channelArns: [...changed, ...gone], atMs: tx.nowMs }];
}

function noteMissing(tx: Transaction, known: Readonly<Record<string, true>>, arns: readonly ChannelArn[]): void {
  if (arns.length === 0 && Object.keys(known).length === 0) return;
  if (arns.length === 0) tx.delete(notes.missingChannels);
  else tx.set(notes.missingChannels, Object.fromEntries(arns.map((arn) => [arn, true])));
}
