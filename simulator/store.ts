// The account's resources, by ARN; independent of protocols, time and streams. Tags are Maps: a tag key is data and may be `__proto__`.
// `seq` is the order of creation and the cursor of every list.

/** Settings of a channel that a client can change. */
export interface ChannelSettings {
  name: string;
  latencyMode: 'NORMAL' | 'LOW';
  type: 'BASIC' | 'STANDARD' | 'ADVANCED_SD' | 'ADVANCED_HD';
  authorized: boolean;
  insecureIngest: boolean;
  recordingConfigurationArn: string;
  playbackRestrictionPolicyArn: string;
  preset: '' | 'HIGHER_BANDWIDTH_DELIVERY' | 'CONSTRAINED_BANDWIDTH_DELIVERY';
  containerFormat: 'TS' | 'FRAGMENTED_MP4';
  adConfigurationArn: string;
  multitrackInputConfiguration: MultitrackInput;
}

export interface MultitrackInput {
  readonly enabled: boolean;
  readonly policy: 'ALLOW' | 'REQUIRE';
  readonly maximumResolution: 'SD' | 'HD' | 'FULL_HD';
}

interface Resource {
  readonly seq: number;
  readonly arn: string;
  readonly tags: Map<string, string>;
}

export interface Channel extends Resource, ChannelSettings {
  readonly id: string;
  /** First label of its ingest and playback hosts. */
  readonly host: string;
  readonly srtPassphrase: string;
}

export interface StreamKey extends Resource {
  readonly value: string;
  readonly channelArn: string;
}

export interface RecordingConfiguration extends Resource {
  readonly name: string;
  readonly bucketName: string;
  readonly recordingReconnectWindowSeconds: number;
  readonly thumbnailConfiguration: ThumbnailConfiguration;
  readonly renditionConfiguration: RenditionConfiguration;
  /** When it stops being CREATING, and its state after that. */
  readonly settledAt: number;
  readonly settledState: 'ACTIVE' | 'CREATE_FAILED';
}

export interface ThumbnailConfiguration {
  readonly recordingMode: 'INTERVAL' | 'DISABLED';
  readonly targetIntervalSeconds?: number;
  readonly resolution?: string;
  readonly storage?: readonly string[];
}

export interface RenditionConfiguration {
  readonly renditionSelection: 'ALL' | 'NONE' | 'CUSTOM';
  readonly renditions?: readonly string[];
}

export interface PlaybackKeyPair extends Resource {
  readonly name: string;
  readonly fingerprint: string;
}

export interface PlaybackRestrictionPolicy extends Resource {
  name: string;
  allowedCountries: readonly string[];
  allowedOrigins: readonly string[];
  enableStrictOriginEnforcement: boolean;
}

export interface AdConfiguration extends Resource {
  name: string;
  /** ARNs; the first is the default. */
  playbackConfigurations: readonly string[];
  postRoll: PostRoll;
}

export interface PostRoll {
  readonly enabled: boolean;
  readonly durationSeconds: number;
}

/** A MediaTailor playback configuration with a problem. Others exist and play this account's channels. */
export interface PlaybackConfiguration {
  readonly missing?: boolean | undefined;
  readonly contentSource?: string | undefined;
}

/** A bucket with a problem: in another Region, or with an encryption that recording cannot use. Others exist and are fine. */
export interface Bucket {
  readonly region?: string | undefined;
  readonly kmsEncrypted?: boolean | undefined;
}

/** Maps with the few joins the service needs: a channel's keys, and a key by its value. */
export class Store {
  readonly channels = new Map<string, Channel>();
  readonly streamKeys = new Map<string, StreamKey>();
  readonly recordingConfigurations = new Map<string, RecordingConfiguration>();
  readonly playbackKeyPairs = new Map<string, PlaybackKeyPair>();
  readonly playbackRestrictionPolicies = new Map<string, PlaybackRestrictionPolicy>();
  readonly adConfigurations = new Map<string, AdConfiguration>();
  readonly playbackConfigurations = new Map<string, PlaybackConfiguration>();
  readonly buckets = new Map<string, Bucket>();
  readonly #keysOfChannel = new Map<string, Set<string>>();
  readonly #keyByValue = new Map<string, StreamKey>();
  /** How many channels refer to each recording configuration, restriction policy and ad configuration. */
  readonly #references = new Map<string, number>();
  #seq = 0;

  /** The next place in the order of creation. */
  nextSeq(): number {
    return ++this.#seq;
  }

  addChannel(channel: Channel): void {
    this.channels.set(channel.arn, channel);
    this.#countReferences(channel, 1);
  }

  changeChannel(channel: Channel, change: Partial<ChannelSettings>): void {
    this.#countReferences(channel, -1);
    Object.assign(channel, change);
    this.#countReferences(channel, 1);
  }

  /** Removes a channel with its keys. */
  removeChannel(channel: Channel): void {
    for (const key of this.keysOf(channel.arn)) this.removeStreamKey(key);
    this.#countReferences(channel, -1);
    this.channels.delete(channel.arn);
  }

  addStreamKey(key: StreamKey): void {
    this.streamKeys.set(key.arn, key);
    this.#keyByValue.set(key.value, key);
    const keys = this.#keysOfChannel.get(key.channelArn) ?? new Set();
    this.#keysOfChannel.set(key.channelArn, keys.add(key.arn));
  }

  removeStreamKey(key: StreamKey): void {
    this.streamKeys.delete(key.arn);
    this.#keyByValue.delete(key.value);
    const keys = this.#keysOfChannel.get(key.channelArn);
    keys?.delete(key.arn);
    if (keys?.size === 0) this.#keysOfChannel.delete(key.channelArn);
  }

  keysOf(channelArn: string): StreamKey[] {
    return [...(this.#keysOfChannel.get(channelArn) ?? [])].map((arn) => this.streamKeys.get(arn)!);
  }

  keyByValue(value: string): StreamKey | undefined {
    return this.#keyByValue.get(value);
  }

  /** True while a channel refers to this recording configuration, restriction policy or ad configuration. */
  inUse(arn: string): boolean {
    return this.#references.has(arn);
  }

  /** The resource of any kind that can be tagged. */
  tagged(arn: string): { readonly tags: Map<string, string> } | undefined {
    return (
      this.channels.get(arn) ??
      this.streamKeys.get(arn) ??
      this.recordingConfigurations.get(arn) ??
      this.playbackKeyPairs.get(arn) ??
      this.playbackRestrictionPolicies.get(arn) ??
      this.adConfigurations.get(arn)
    );
  }

  #countReferences(channel: ChannelSettings, change: 1 | -1): void {
    const { recordingConfigurationArn, playbackRestrictionPolicyArn, adConfigurationArn } = channel;
    for (const arn of [recordingConfigurationArn, playbackRestrictionPolicyArn, adConfigurationArn]) {
      if (arn === '') continue;
      const count = (this.#references.get(arn) ?? 0) + change;
      if (count > 0) this.#references.set(arn, count);
      else this.#references.delete(arn);
    }
  }
}
