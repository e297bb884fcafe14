// Finds what an ARN names, or refuses as the service does.

import type { ActionContext } from '../context.ts';
import { notBroadcasting, notFound } from '../errors.ts';
import type {
  AdConfiguration,
  Channel,
  PlaybackKeyPair,
  PlaybackRestrictionPolicy,
  RecordingConfiguration,
  StreamKey,
} from '../store.ts';
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

/** True from the accepted key to the last segment: while the channel must not be changed or deleted. */
export const isOnAir = (context: ActionContext, channelArn: string): boolean =>
  context.ingest.sessions.current(channelArn) !== undefined;

export function findRecordingConfiguration(context: ActionContext, arn: string): RecordingConfiguration {
  const configuration = context.store.recordingConfigurations.get(arn);
  if (configuration === undefined) throw notFound(arn);
  return configuration;
}

export function findPlaybackKeyPair(context: ActionContext, arn: string): PlaybackKeyPair {
  const keyPair = context.store.playbackKeyPairs.get(arn);
  if (keyPair === undefined) throw notFound(arn);
  return keyPair;
}

export function findPlaybackRestrictionPolicy(context: ActionContext, arn: string): PlaybackRestrictionPolicy {
  const policy = context.store.playbackRestrictionPolicies.get(arn);
  if (policy === undefined) throw notFound(arn);
  return policy;
}

export function findAdConfiguration(context: ActionContext, arn: string): AdConfiguration {
  const configuration = context.store.adConfigurations.get(arn);
  if (configuration === undefined) throw notFound(arn);
  return configuration;
}

/** The tags of any resource, to read or to change. */
export function findTags(context: ActionContext, arn: string): Map<string, string> {
  const resource = context.store.tagged(arn);
  if (resource === undefined) throw notFound(arn);
  return resource.tags;
}

/** A channel's sessions, newest first; those of a deleted channel still exist for sixty days. */
export function findSessions(context: ActionContext, channelArn: string): readonly Session[] {
  const sessions = context.ingest.sessions.of(channelArn, context.clock.now());
  if (sessions === undefined) findChannel(context, channelArn);
  return sessions ?? [];
}
