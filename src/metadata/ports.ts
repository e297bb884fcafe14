// What the metadata stage needs from others. src/shard/metadata.ts meets it.
import type { Lane } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import type { Traceparent } from '#domain/trace.ts';

/** PutMetadata behind the limiter. */
export interface MetadataSender {
  /**
   * Waits for the channel's permit, then asks `build` once what to send; undefined returns the permit unused. Returns what
   * was sent; undefined if nothing was, because there was nothing to send or the permit lapsed after `build`. A permit is
   * granted a little before its time, so that `build` may ask Redis: it gets in how many ms that is. `onGranted` is called when the permit
   * is granted: no other permit would come sooner.
   * @throws AppError LIMITER_*, IVS_*, INTERRUPTED; the signal's reason while it waits.
   */
  putMetadataWhenGranted(
    channelArn: ChannelArn,
    options: { readonly lane: Lane; readonly signal: AbortSignal; readonly onGranted: () => void },
    build: (
      leadMs: number,
    ) => Promise<{ readonly metadata: string; readonly follows: readonly Traceparent[] } | undefined>,
  ): Promise<{ readonly metadata: string } | undefined>;
}

/** Tells the queue that a batch waits, so that some replica starts to drain it. If this is lost, the batch only waits a moment longer. */
export type AnnounceBatch = (batchId: string) => Promise<void>;

/** Is notified of how calls end that a person may need to know about. */
export interface DeliveryWatch {
  /** IVS refused a call, and no retry can help. */
  refused(channelArn: ChannelArn, error: unknown): void;
  delivered(channelArn: ChannelArn): void;
}
