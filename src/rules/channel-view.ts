// One channel as a rule sees it: the inventory's entry and the newest stream.
import type { Channel, ChannelArn } from '#domain/channel.ts';
import type { ChannelDocument, StreamDocument } from '#domain/documents.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { channelDocument, streamDocument } from './documents.ts';

export interface ChannelView {
  readonly arn: ChannelArn;
  /** The inventory's entry, if it knows the channel. */
  readonly entry: Channel | undefined;
  readonly record: StreamRecord | undefined;
  readonly channel: ChannelDocument;
  readonly stream: StreamDocument;
}

/** Reads a channel as of now. A channel that neither the inventory nor a stream knows still has a view: it has no tags and is offline. */
export function channelView(view: StateView, arn: string, nowMs: number): ChannelView {
  const record = view.get(kinds.stream.of(arn));
  return viewOf(arn as ChannelArn, view.get(kinds.channel.of(arn)), record, nowMs);
}

/** The same for a record that is known already. */
export function viewOf(
  arn: ChannelArn,
  channel: Channel | undefined,
  record: StreamRecord | undefined,
  nowMs: number,
): ChannelView {
  return new View(arn, channel, record, nowMs);
}

/** Builds each document when it is first read: most changes concern no rule that reads the channel's. */
class View implements ChannelView {
  readonly arn: ChannelArn;
  readonly entry: Channel | undefined;
  readonly record: StreamRecord | undefined;
  readonly #nowMs: number;
  #channel: ChannelDocument | undefined;
  #stream: StreamDocument | undefined;

  constructor(arn: ChannelArn, entry: Channel | undefined, record: StreamRecord | undefined, nowMs: number) {
    this.arn = arn;
    this.entry = entry;
    this.record = record;
    this.#nowMs = nowMs;
  }

  get channel(): ChannelDocument {
    return (this.#channel ??= channelDocument(this.arn, this.entry, this.record?.channelName));
  }

  get stream(): StreamDocument {
    return (this.#stream ??= streamDocument(this.record, this.#nowMs));
  }
}
