// Channels made in bulk, regardless of call rates, and what a test wants to know about them.

import { mergeSettings, NEW_CHANNEL } from '../actions/channel-settings.ts';
import { addStreamKey } from '../actions/stream-keys.ts';
import type { ActionContext } from '../context.ts';
import { ServiceError } from '../errors.ts';
import { type Change, overlay } from '../overlay.ts';
import type { Simulator } from '../parts.ts';
import type { Channel, ChannelSettings } from '../store.ts';
import type { EncoderState } from '../streams/encoders.ts';
import type { AdBreak } from '../streams/session.ts';
import { viewerCount } from '../streams/viewers.ts';
import { ControlProblem } from './problem.ts';

/** The specification of a channel to be made. */
export interface ChannelSpec extends Change<ChannelSettings> {
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Attaches an ad configuration, which is made for the first such channel. */
  readonly ads?: boolean | undefined;
}

/** A channel that was set up, with the key an encoder needs. */
export interface MadeChannel {
  readonly arn: string;
  readonly name: string;
  readonly streamKeyArn: string;
  readonly streamKey: string;
}

/** The state of a channel. `streamId`, `phase`, `health` and `viewerCount` exist during a session. */
export interface ChannelState {
  readonly arn: string;
  readonly name: string;
  readonly streamId?: string;
  readonly phase?: 'starting' | 'live' | 'ending' | 'ended';
  readonly health?: string;
  readonly viewerCount?: number;
  /** Announced or running. */
  readonly adBreak?: AdBreak;
  readonly encoder?: EncoderState;
}

/** Makes a channel and its key without counting against any quota. */
export function makeChannel({ context }: Simulator, spec: ChannelSpec): MadeChannel {
  const { ids, store } = context;
  const { tags, ads, ...given } = spec;
  const adConfigurationArn = ads === true ? anyAdConfiguration(context) : given.adConfigurationArn;
  const id = ids.resource();
  const channel: Channel = {
    ...settingsOf({ ...given, adConfigurationArn }, context),
    seq: store.nextSeq(),
    arn: ids.arn('channel', id),
    id,
    host: ids.host(),
    srtPassphrase: ids.passphrase(),
    tags: new Map(Object.entries(tags ?? {})),
  };
  store.addChannel(channel);
  const key = addStreamKey(context, channel.arn);
  return { arn: channel.arn, name: channel.name, streamKeyArn: key.arn, streamKey: key.value };
}

/** The settings that CreateChannel would make of these, or its refusal as a problem. */
function settingsOf(given: Change<ChannelSettings>, context: ActionContext): ChannelSettings {
  const { multitrackInputConfiguration: multitrack, ...plain } = overlay(NEW_CHANNEL, given);
  try {
    const input = multitrack.enabled ? { ...plain, multitrackInputConfiguration: multitrack } : plain;
    return mergeSettings(NEW_CHANNEL, input, context);
  } catch (error) {
    if (error instanceof ServiceError) throw new ControlProblem(400, `${error.name}: ${error.message}`);
    throw error;
  }
}

/** The account's first ad configuration; if it has none, one is made, ignoring all quotas. */
function anyAdConfiguration({ store, ids, settings }: ActionContext): string {
  const [first] = store.adConfigurations.keys();
  if (first !== undefined) return first;
  const arn = ids.arn('ad-configuration', ids.resource());
  const playback = `arn:aws:mediatailor:${settings.region}:${settings.accountId}:playbackConfiguration/simulated`;
  store.adConfigurations.set(arn, {
    seq: store.nextSeq(),
    arn,
    name: 'simulated',
    playbackConfigurations: [playback],
    postRoll: { enabled: false, durationSeconds: 15 },
    tags: new Map(),
  });
  return arn;
}

export function channelState({ context }: Simulator, channel: Channel): ChannelState {
  const session = context.ingest.sessions.current(channel.arn);
  const encoder = context.encoders.state(channel.arn);
  const adBreak = session === undefined ? undefined : context.ingest.adBreak(session);
  return {
    arn: channel.arn,
    name: channel.name,
    ...(session === undefined
      ? {}
      : {
          streamId: session.streamId,
          phase: session.phase,
          health: session.health,
          viewerCount: viewerCount(session, context.clock.now()),
        }),
    ...(adBreak === undefined ? {} : { adBreak }),
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
