// The IVS calls of actions, in the types of workers/ports.ts: whole lists instead of pages, plain fields instead of the SDK's.
import type { ChannelLatencyMode, ChannelType } from '@aws-sdk/client-ivs';
import type { Lane } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import type { Secret } from '#domain/secret.ts';
import { PageTokens } from '#runtime/page-tokens.ts';
import type { GuardedChannel, GuardedStreamKey, IvsClientPort } from './client.ts';

/** How actions call: in the lane `normal`, and for as long as their run lasts. */
interface ActionCall {
  readonly signal: AbortSignal;
  readonly lane?: Lane;
  /** Called right before the request is sent. */
  readonly confirm?: () => void;
}

/** Implements IvsActions of workers/ports.ts. Every page is one permit and one wire call. */
export function createActionCalls(client: IvsClientPort) {
  return {
    async getStream(channelArn: string, options: ActionCall) {
      const { stream } = await client.getStream({ channelArn }, options);
      const viewers = stream?.viewerCount ?? -1;
      return {
        streamId: present(stream?.streamId, 'GetStream', 'stream.streamId'),
        health: stream?.health ?? 'UNKNOWN',
        startTimeMs: stream?.startTime?.getTime(),
        viewerCount: viewers < 0 ? undefined : viewers,
      };
    },
    async stopStream(channelArn: string, options: ActionCall) {
      await client.stopStream({ channelArn }, options);
    },
    async insertAdBreak(channelArn: string, durationSeconds: number, options: ActionCall) {
      const { adBreakId } = await client.insertAdBreak({ channelArn, durationSeconds }, options);
      return { adBreakId: present(adBreakId, 'InsertAdBreak', 'adBreakId') };
    },
    async getStreamSession(channelArn: string, streamId: string | undefined, options: ActionCall) {
      const { streamSession: session } = await client.getStreamSession(
        { channelArn, ...(streamId === undefined ? {} : { streamId }) },
        options,
      );
      const tracks = session?.ingestConfigurations;
      return {
        streamId: present(session?.streamId, 'GetStreamSession', 'streamSession.streamId'),
        startTimeMs: session?.startTime?.getTime(),
        endTimeMs: session?.endTime?.getTime(),
        channelType: session?.channel?.type ?? '',
        maximumResolution: session?.channel?.multitrackInputConfiguration?.maximumResolution ?? '',
        video: (tracks?.videoConfigurations ?? either(session?.ingestConfiguration?.video)).map((track) => ({
          codec: track.codec ?? '',
          encoder: track.encoder ?? '',
          width: track.videoWidth,
          height: track.videoHeight,
          framerate: track.targetFramerate,
          targetBitrateBps: track.targetBitrate,
          avcProfile: track.avcProfile ?? ('profile' in track ? (track.profile ?? '') : ''),
          avcLevel: track.avcLevel ?? ('level' in track ? (track.level ?? '') : ''),
        })),
        audio: (tracks?.audioConfigurations ?? either(session?.ingestConfiguration?.audio)).map((track) => ({
          codec: track.codec ?? '',
          channels: track.channels,
          sampleRateHz: track.sampleRate,
          targetBitrateBps: track.targetBitrate,
        })),
        recordingConfigurationArn: session?.recordingConfiguration?.arn ?? '',
        adConfigurationArn: session?.channel?.adConfigurationArn,
        playbackRestrictionPolicyArn: session?.channel?.playbackRestrictionPolicyArn,
        events: (session?.truncatedEvents ?? []).map((event) => ({
          name: event.name ?? '',
          timeMs: event.eventTime?.getTime() ?? 0,
          ...(event.code === undefined ? {} : { code: event.code }),
        })),
      };
    },
    async getChannels(arns: readonly string[], options: ActionCall) {
      const { channels = [] } = await client.batchGetChannel({ arns: [...arns] }, options);
      return channels.map((channel) => ({
        arn: channel.arn ?? '',
        recordingConfigurationArn: channel.recordingConfigurationArn,
        adConfigurationArn: channel.adConfigurationArn,
        playbackRestrictionPolicyArn: channel.playbackRestrictionPolicyArn,
        tags: channel.tags,
      }));
    },
    async getChannel(channelArn: string, options: ActionCall) {
      return detailsOf((await client.getChannel({ arn: channelArn }, options)).channel, channelArn);
    },
    async createChannel(channel: Omit<ReturnType<typeof detailsOf>, 'arn' | 'containerFormat'>, options: ActionCall) {
      const { type, latencyMode, tags, ...settings } = channel;
      const input = {
        ...settings,
        type: type as ChannelType,
        latencyMode: latencyMode as ChannelLatencyMode,
        tags: { ...tags },
      };
      const { channel: made } = await client.createChannel(input, options);
      return detailsOf(made, present(made?.arn, 'CreateChannel', 'channel.arn'));
    },
    listChannelsByName: (filterByName: string, options: ActionCall) =>
      everyPage(async (nextToken) => {
        const page = await client.listChannels({ filterByName, maxResults: 100, ...nextToken }, options);
        const named = (page.channels ?? []).filter(({ name }) => name === filterByName);
        return { items: named.flatMap(({ arn }) => arn ?? []), nextToken: page.nextToken };
      }),
    /** The changed members as IVS answered; one that the answer leaves out is as asked. */
    async updateChannel(
      channelArn: string,
      change: {
        readonly recordingConfigurationArn?: string;
        readonly adConfigurationArn?: string;
        readonly playbackRestrictionPolicyArn?: string;
      },
      options: ActionCall,
    ) {
      const { channel } = await client.updateChannel({ arn: channelArn, ...change }, options);
      return answeredOf(change, channel);
    },
    async deleteChannel(channelArn: string, options: ActionCall) {
      await client.deleteChannel({ arn: channelArn }, options);
    },
    listChannelsByRecordingConfiguration: (filterByRecordingConfigurationArn: string, options: ActionCall) =>
      everyPage(async (nextToken) => {
        const page = await client.listChannels(
          { filterByRecordingConfigurationArn, maxResults: 100, ...nextToken },
          options,
        );
        return { items: (page.channels ?? []).flatMap(({ arn }) => arn ?? []), nextToken: page.nextToken };
      }),
    listChannelsByPlaybackRestrictionPolicy: (filterByPlaybackRestrictionPolicyArn: string, options: ActionCall) =>
      everyPage(async (nextToken) => {
        const page = await client.listChannels(
          { filterByPlaybackRestrictionPolicyArn, maxResults: 100, ...nextToken },
          options,
        );
        return { items: (page.channels ?? []).flatMap(({ arn }) => arn ?? []), nextToken: page.nextToken };
      }),
    listAdConfigurations: (options: ActionCall) =>
      everyPage(async (nextToken) => {
        const page = await client.listAdConfigurations({ maxResults: 100, ...nextToken }, options);
        return { items: (page.adConfigurations ?? []).map(namedOf), nextToken: page.nextToken };
      }),
    async getAdConfiguration(arn: string, options: ActionCall) {
      return namedOf((await client.getAdConfiguration({ arn }, options)).adConfiguration ?? {});
    },
    listPlaybackRestrictionPolicies: (options: ActionCall) =>
      everyPage(async (nextToken) => {
        // IVS returns one per page by default.
        const page = await client.listPlaybackRestrictionPolicies({ maxResults: 100, ...nextToken }, options);
        return { items: (page.playbackRestrictionPolicies ?? []).map(policyOf), nextToken: page.nextToken };
      }),
    async getPlaybackRestrictionPolicy(arn: string, options: ActionCall) {
      return policyOf((await client.getPlaybackRestrictionPolicy({ arn }, options)).playbackRestrictionPolicy ?? {});
    },
    async updatePlaybackRestrictionPolicy(
      arn: string,
      { allowedCountries, allowedOrigins }: Partial<Record<'allowedCountries' | 'allowedOrigins', readonly string[]>>,
      options: ActionCall,
    ) {
      const change = {
        ...(allowedCountries ? { allowedCountries: [...allowedCountries] } : {}),
        ...(allowedOrigins ? { allowedOrigins: [...allowedOrigins] } : {}),
      };
      await client.updatePlaybackRestrictionPolicy({ arn, ...change }, options);
    },
    async revokeViewerSessions(
      channelArn: string,
      { viewerIds, versionsUpTo }: { readonly viewerIds: readonly string[]; readonly versionsUpTo: number },
      options: ActionCall,
    ) {
      const viewerSessions = viewerIds.map((viewerId) => ({
        channelArn,
        viewerId,
        viewerSessionVersionsLessThanOrEqualTo: versionsUpTo,
      }));
      const { errors } = await client.batchStartViewerSessionRevocation({ viewerSessions }, options);
      return (errors ?? []).map(({ viewerId, code, message }) => ({
        viewerId: viewerId ?? '',
        code: code ?? 'unknown',
        message: message ?? '',
      }));
    },
    listStreamKeys: (channelArn: string, options: ActionCall) =>
      everyPage(async (nextToken) => {
        const page = await client.listStreamKeys({ channelArn, maxResults: 50, ...nextToken }, options);
        return { items: (page.streamKeys ?? []).flatMap(({ arn }) => arn ?? []), nextToken: page.nextToken };
      }),
    async getStreamKey(arn: string, options: ActionCall) {
      return keyOf((await client.getStreamKey({ arn }, options)).streamKey, 'GetStreamKey');
    },
    async createStreamKey(channelArn: string, options: ActionCall) {
      return keyOf((await client.createStreamKey({ channelArn }, options)).streamKey, 'CreateStreamKey');
    },
    async deleteStreamKey(arn: string, options: ActionCall) {
      await client.deleteStreamKey({ arn }, options);
    },
    listRecordingConfigurations: (options: ActionCall) =>
      everyPage(async (nextToken) => {
        const page = await client.listRecordingConfigurations({ maxResults: 100, ...nextToken }, options);
        return { items: (page.recordingConfigurations ?? []).map(recordingOf), nextToken: page.nextToken };
      }),
    async getRecordingConfiguration(arn: string, options: ActionCall) {
      return recordingOf((await client.getRecordingConfiguration({ arn }, options)).recordingConfiguration ?? {});
    },
    async createRecordingConfiguration(
      {
        name,
        bucketName,
        reconnectWindowSeconds,
        tags,
      }: {
        readonly name: string;
        readonly bucketName: string;
        readonly reconnectWindowSeconds?: number;
        readonly tags?: Readonly<Record<string, string>>;
      },
      options: ActionCall,
    ) {
      const input = {
        name,
        destinationConfiguration: { s3: { bucketName } },
        ...(reconnectWindowSeconds === undefined ? {} : { recordingReconnectWindowSeconds: reconnectWindowSeconds }),
        ...(tags === undefined ? {} : { tags: { ...tags } }),
      };
      return recordingOf((await client.createRecordingConfiguration(input, options)).recordingConfiguration ?? {});
    },
    async deleteRecordingConfiguration(arn: string, options: ActionCall) {
      await client.deleteRecordingConfiguration({ arn }, options);
    },
    listPlaybackKeyPairs: (options: ActionCall) =>
      everyPage(async (nextToken) => {
        const page = await client.listPlaybackKeyPairs({ maxResults: 100, ...nextToken }, options);
        return { items: (page.keyPairs ?? []).map(pairOf), nextToken: page.nextToken };
      }),
    async importPlaybackKeyPair(
      input: { readonly name: string; readonly publicKeyMaterial: string },
      options: ActionCall,
    ) {
      return pairOf((await client.importPlaybackKeyPair(input, options)).keyPair ?? {});
    },
    async getPlaybackKeyPair(arn: string, options: ActionCall) {
      return pairOf((await client.getPlaybackKeyPair({ arn }, options)).keyPair ?? {});
    },
    async deletePlaybackKeyPair(arn: string, options: ActionCall) {
      await client.deletePlaybackKeyPair({ arn }, options);
    },
    async listTagsForResource(resourceArn: string, options: ActionCall) {
      return (await client.listTagsForResource({ resourceArn }, options)).tags ?? {};
    },
    async tagResource(resourceArn: string, tags: Readonly<Record<string, string>>, options: ActionCall) {
      await client.tagResource({ resourceArn, tags: { ...tags } }, options);
    },
    async untagResource(resourceArn: string, tagKeys: readonly string[], options: ActionCall) {
      await client.untagResource({ resourceArn, tagKeys: [...tagKeys] }, options);
    },
  };
}

/** Yields pages until there is no next one. */
async function everyPage<T>(
  read: (nextToken: { nextToken?: string }) => Promise<{ items: T[]; nextToken: string | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  const tokens = new PageTokens('a list of Amazon IVS');
  let token: string | undefined;
  do {
    const page = await read(token === undefined ? {} : { nextToken: token });
    all.push(...page.items);
    token = tokens.next(page.nextToken, { broughtNews: page.items.length > 0 });
  } while (token !== undefined);
  return all;
}

function either<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function present(value: string | undefined, operation: string, member: string): string {
  if (value === undefined) throw new AppError('IVS_ANSWER_INVALID', `${operation} answered without ${member}`);
  return value;
}

function keyOf(key: GuardedStreamKey | undefined, operation: string): { arn: string; value: Secret } {
  if (key?.arn === undefined || key.value === undefined)
    throw new AppError('IVS_ANSWER_INVALID', `${operation} answered without a stream key`);
  return { arn: key.arn, value: key.value };
}

function recordingOf(configuration: {
  arn?: string | undefined;
  name?: string | undefined;
  state?: string | undefined;
  destinationConfiguration?: { s3?: { bucketName?: string | undefined } | undefined } | undefined;
}) {
  return {
    arn: configuration.arn ?? '',
    name: configuration.name ?? '',
    state: configuration.state ?? '',
    bucketName: configuration.destinationConfiguration?.s3?.bucketName ?? '',
  };
}

/** A channel in the form that actions use. A field that IVS leaves out of a complete channel counts as empty. */
function detailsOf(channel: GuardedChannel | undefined, arn: string) {
  return {
    arn,
    name: channel?.name ?? '',
    type: channel?.type ?? '',
    latencyMode: channel?.latencyMode ?? '',
    authorized: channel?.authorized ?? false,
    recordingConfigurationArn: channel?.recordingConfigurationArn ?? '',
    adConfigurationArn: channel?.adConfigurationArn ?? '',
    playbackRestrictionPolicyArn: channel?.playbackRestrictionPolicyArn ?? '',
    containerFormat: channel?.containerFormat ?? '',
    tags: channel?.tags ?? {},
  };
}

function answeredOf<
  T extends Partial<
    Record<'recordingConfigurationArn' | 'adConfigurationArn' | 'playbackRestrictionPolicyArn', string>
  >,
>(change: T, channel: GuardedChannel | undefined): T {
  const names = Object.keys(change) as (keyof T & keyof GuardedChannel)[];
  return Object.fromEntries(names.map((name) => [name, channel?.[name] ?? change[name]])) as T;
}

function namedOf(resource: { arn?: string | undefined; name?: string | undefined }) {
  return { arn: resource.arn ?? '', name: resource.name ?? '' };
}

function policyOf(
  policy: Parameters<typeof namedOf>[0] & {
    allowedCountries?: string[] | undefined;
    allowedOrigins?: string[] | undefined;
  },
) {
  const { allowedCountries = [], allowedOrigins = [] } = policy;
  return { ...namedOf(policy), allowedCountries, allowedOrigins };
}

function pairOf(pair: { arn?: string | undefined; name?: string | undefined; fingerprint?: string | undefined }) {
  return { arn: pair.arn ?? '', name: pair.name ?? '', fingerprint: pair.fingerprint };
}
