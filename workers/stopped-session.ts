// Which of our jobs ended a session: IVS reports every end in the same way.
import type { ChannelArn } from '#domain/channel.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';

/** Records with a session who stopped it; has no effect if the session is no longer known. */
export function noteStopped(
  tx: Transaction,
  channelArn: string,
  { streamId, by }: { readonly streamId: string; readonly by: string },
): void {
  const arn = channelArn as ChannelArn;
  const newest = tx.get(kinds.stream.of(arn));
  if (newest?.streamId === streamId) {
    tx.set(kinds.stream.of(arn), { ...newest, stoppedBy: by });
    return;
  }
  const past = tx.get(kinds.past.of(arn));
  if (past?.some((record) => record.streamId === streamId))
    tx.set(
      kinds.past.of(arn),
      past.map((record) => (record.streamId === streamId ? { ...record, stoppedBy: by } : record)),
    );
}
