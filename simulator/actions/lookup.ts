// Finding what an ARN names, or refusing as the service does.

import type { ActionContext } from '../context.ts';
import { notBroadcasting, notFound } from '../errors.ts';
import type { Channel, StreamKey } from '../store.ts';
import type { Session } from '../streams/session.ts';

export function findChannel(context: ActionContext, arn: string): Channel {
  const channel = context.store.channels.get(arn);
  if (channel === undefined) throw notFound(arn);
  return channel;
}

export function findStreamKey(context: ActionContext, arn: string): StreamKey {
  const key = context.store.streamKeys.get(arn);
  if (key === undefined) throw notFound(arn);
  return key;
}

/** The live session of a channel: an unknown channel and an offline one are different errors with the same status. */
export function findLive(context: ActionContext, channelArn: string): Session {
  findChannel(context, channelArn);
  const session = context.ingest.sessions.live(channelArn);
  if (session === undefined) throw notBroadcasting(channelArn);
  return session;
}

/** True from the accepted key to the last segment: as long as the channel must not be changed or deleted. */
export const isOnAir = (context: ActionContext, channelArn: string): boolean =>
  context.ingest.sessions.current(channelArn) !== undefined;
