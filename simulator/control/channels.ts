// Channels made in bulk, past the call rates, and what a test wants to know of them.

import { NEW_CHANNEL } from '../actions/channel-settings.ts';
import { addStreamKey } from '../actions/stream-keys.ts';
import type { Simulator } from '../simulator.ts';
import type { Channel } from '../store.ts';
import type { EncoderState } from '../streams/encoders.ts';
import { viewersAt } from '../streams/viewers.ts';
import { ControlProblem } from './problem.ts';

/** What can be said of a channel to be made. */
export interface ChannelSpec {
  readonly name?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly type?: Channel['type'] | undefined;
  readonly latencyMode?: Channel['latencyMode'] | undefined;
  readonly recordingConfigurationArn?: string | undefined;
}

/** A channel that was set up, with the key an encoder needs. */
export interface MadeChannel {
  readonly arn: string;
  readonly name: string;
  readonly streamKeyArn: string;
  readonly streamKey: string;
}

/** How a channel is doing. `streamId`, `phase`, `health` and `viewerCount` are there while a session is. */
export interface ChannelState {
  readonly arn: string;
  readonly name: string;
  readonly streamId?: string;
  readonly phase?: 'starting' | 'live' | 'ending' | 'ended';
  readonly health?: string;
  readonly viewerCount?: number;
  readonly encoder?: EncoderState;
}

/** Makes a channel and its key without counting against any quota. */
export function makeChannel({ context }: Simulator, spec: ChannelSpec): MadeChannel {
  const { ids, store } = context;
  const id = ids.resource();
  const channel: Channel = {
    ...NEW_CHANNEL,
    name: spec.name ?? '',
    type: spec.type ?? NEW_CHANNEL.type,
    latencyMode: spec.latencyMode ?? NEW_CHANNEL.latencyMode,
    recordingConfigurationArn: spec.recordingConfigurationArn ?? '',
    seq: store.nextSeq(),
    arn: ids.arn('channel', id),
    id,
    host: ids.host(),
    srtPassphrase: ids.passphrase(),
    tags: new Map(Object.entries(spec.tags ?? {})),
  };
  store.addChannel(channel);
  const key = addStreamKey(context, channel.arn);
  return { arn: channel.arn, name: channel.name, streamKeyArn: key.arn, streamKey: key.value };
}

export function channelState({ context }: Simulator, channel: Channel): ChannelState {
  const session = context.ingest.sessions.current(channel.arn);
  const encoder = context.encoders.state(channel.arn);
  return {
    arn: channel.arn,
    name: channel.name,
    ...(session === undefined
      ? {}
      : {
          streamId: session.streamId,
          phase: session.phase,
          health: session.health,
          viewerCount: viewersAt(session.viewers, context.clock.now() - session.startedAt, session.seq),
        }),
    ...(encoder === undefined ? {} : { encoder }),
  };
}

/** The channels that ARNs or names mean; a name may mean several. */
export function resolveChannels({ context }: Simulator, wanted: readonly string[]): Channel[] {
  const byName = new Map<string, Channel[]>();
  if (wanted.some((item) => !item.startsWith('arn:'))) {
    for (const channel of context.store.channels.values()) {
      const same = byName.get(channel.name);
      if (same === undefined) byName.set(channel.name, [channel]);
      else same.push(channel);
    }
  }
  return wanted.flatMap((item) => {
    const channel = context.store.channels.get(item);
    const found = channel === undefined ? byName.get(item) : [channel];
    if (found === undefined) throw new ControlProblem(404, `there is no channel ${item}: give an ARN or a name`);
    return found;
  });
}
