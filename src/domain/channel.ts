// Types for what Amazon IVS runs: channels, their ARNs, and a live stream as ListStreams shows it.

/** The ARN of a channel: `arn:aws:ivs:<region>:<account>:channel/<id>`. */
export type ChannelArn = string & { readonly __brand: 'ChannelArn' };

/** A stream's id, new for each live session of a channel: `st-` and alphanumerics, 26 characters. */
export type StreamId = string & { readonly __brand: 'StreamId' };

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Stream.html */
export const streamHealths = ['HEALTHY', 'STARVING', 'UNKNOWN'] as const;
export type StreamHealth = (typeof streamHealths)[number];

const longestArn = 128;
const channelArnPattern = /^arn:aws:ivs:([a-z0-9-]+):([0-9]+):channel\/([a-zA-Z0-9-]+)$/;

/** The parts of a channel's ARN, or undefined for any other text. */
export function parseChannelArn(
  text: string,
): { arn: ChannelArn; region: string; account: string; id: string } | undefined {
  const match = text.length <= longestArn ? channelArnPattern.exec(text) : null;
  if (!match) return undefined;
  return { arn: text as ChannelArn, region: match[1]!, account: match[2]!, id: match[3]! };
}

/** Whether the text is the ARN of a channel. */
export function isChannelArn(text: string): text is ChannelArn {
  return text.length <= longestArn && channelArnPattern.test(text);
}

/** The last part of a channel's ARN: short, unique in its account and region, free of colons. */
export function channelIdOf(arn: ChannelArn): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

/** One live stream as one page of ListStreams showed it. */
export interface StreamSnapshot {
  readonly channelArn: ChannelArn;
  readonly streamId: StreamId;
  readonly health: StreamHealth;
  /** -1 if IVS could not count in time: this is neither zero nor a value. */
  readonly viewerCount: number;
  readonly startTimeMs: number;
  /** When the page that listed it was requested, by our clock; default: the start of the sweep. */
  readonly seenAtMs?: number;
}

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_MultitrackInputConfiguration.html */
export interface MultitrackInput {
  readonly enabled?: boolean;
  readonly policy?: string;
  readonly maximumResolution?: string;
}

/** Settings of a channel, named as in AWS. One that IVS has not returned is left out: it is unknown, not off. */
export interface ChannelSettings {
  /** Playback needs a token: the channel is private. */
  readonly authorized?: boolean;
  /** RTMP without TLS is accepted. */
  readonly insecureIngest?: boolean;
  /** Empty for BASIC and STANDARD. */
  readonly preset?: string;
  /** Empty: playback is not restricted. */
  readonly playbackRestrictionPolicyArn?: string;
  /** Empty: no ads. */
  readonly adConfigurationArn?: string;
  /** This one and the next are not in ListChannels, but in GetChannel and BatchGetChannel. */
  readonly containerFormat?: string;
  readonly multitrackInputConfiguration?: MultitrackInput;
}

/** What the inventory knows about a channel (ListChannels, BatchGetChannel). */
export interface Channel extends ChannelSettings {
  readonly arn: ChannelArn;
  /** May be empty; not unique. */
  readonly name: string;
  readonly type: string;
  readonly latencyMode: string;
  /** Empty: recording is off. */
  readonly recordingConfigurationArn: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A channel as IVS returned it: a missing field is unknown, which is not the same as empty. */
export type ListedChannel = Omit<Channel, 'tags' | 'recordingConfigurationArn'> &
  Partial<Pick<Channel, 'tags' | 'recordingConfigurationArn'>>;
