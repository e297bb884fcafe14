// What the intake reads from IVS, in domain types: pages of live streams and of channels.
import type { StreamSummary } from '@aws-sdk/client-ivs';
import type { ChannelArn, ListedChannel, StreamId, StreamSnapshot } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { PageTokens } from '#runtime/page-tokens.ts';
import type { CallOptions, GuardedChannel, IvsClientPort } from './client.ts';

type ReaderClient = Pick<
  IvsClientPort,
  | 'listStreams'
  | 'listChannels'
  | 'getChannel'
  | 'batchGetChannel'
  | 'batchGetStreamKey'
  | 'listStreamKeys'
  | 'listStreamSessions'
  | 'getStreamSession'
>;

/**
 * Implements the StreamReader, ChannelReader, HistoryReader and KeyReader of intake/ports.ts. One call is one page, except for stream keys.
 */
export function createReader(client: ReaderClient) {
  return {
    async listStreams(
      request: { readonly filterBy?: { readonly health: 'STARVING' }; readonly nextToken?: string },
      options: CallOptions,
    ): Promise<{ streams: StreamSnapshot[]; nextToken: string | undefined }> {
      const page = await client.listStreams({ ...request, maxResults: 100 }, options);
      return { streams: (page.streams ?? []).map(snapshotOf), nextToken: page.nextToken };
    },
    async listChannels(
      request: { readonly nextToken?: string },
      options: CallOptions,
    ): Promise<{ channels: ListedChannel[]; nextToken: string | undefined }> {
      const page = await client.listChannels({ ...request, maxResults: 100 }, options);
      return { channels: (page.channels ?? []).map(channelOf), nextToken: page.nextToken };
    },
    async listStreamSessions(channelArn: ChannelArn, nextToken: string | undefined, options: CallOptions) {
      const page = await client.listStreamSessions(
        { channelArn, maxResults: 100, ...(nextToken === undefined ? {} : { nextToken }) },
        options,
      );
      return {
        sessions: (page.streamSessions ?? []).map(({ streamId, startTime, endTime }) => ({
          streamId: streamId as StreamId,
          startTimeMs: startTime?.getTime(),
          endTimeMs: endTime?.getTime(),
        })),
        nextToken: page.nextToken,
      };
    },
    async sessionEvents(channelArn: ChannelArn, streamId: StreamId, options: CallOptions) {
      const { streamSession } = await client.getStreamSession({ channelArn, streamId }, options);
      return (streamSession?.truncatedEvents ?? []).flatMap(({ name, type, eventTime, code }) =>
        name && type && eventTime ? [{ name, type, timeMs: eventTime.getTime(), ...(code ? { code } : {}) }] : [],
      );
    },
    async getStreamKeys(arns: readonly string[], options: CallOptions) {
      const { streamKeys = [], errors } = await client.batchGetStreamKey({ arns: [...arns] }, options);
      return {
        keys: streamKeys.flatMap(({ arn, channelArn }) =>
          arn === undefined || channelArn === undefined ? [] : [{ arn, channelArn: channelArn as ChannelArn }],
        ),
        missing: (errors ?? []).flatMap(({ arn, code }) =>
          arn !== undefined && (code === 'ResourceNotFoundException' || code === 'NOT_FOUND') ? [arn] : [],
        ),
      };
    },
    async listStreamKeys(channelArn: ChannelArn, options: CallOptions): Promise<readonly string[] | undefined> {
      try {
        const tokens = new PageTokens('ListStreamKeys');
        // A channel has at most one key, so nothing is left to read after the page that has it. An empty page before others says nothing.
        for (let request: { readonly nextToken?: string } = {}; ; ) {
          const page = await client.listStreamKeys({ channelArn, maxResults: 50, ...request }, options);
          const arns = (page.streamKeys ?? []).flatMap(({ arn }) => arn ?? []);
          const nextToken = tokens.next(page.nextToken, { broughtNews: arns.length > 0 });
          if (arns.length > 0 || nextToken === undefined) return arns;
          request = { nextToken };
        }
      } catch (error) {
        if (error instanceof AppError && error.code === 'IVS_NOT_FOUND') return undefined;
        throw error;
      }
    },
    async getChannel(arn: ChannelArn, options: CallOptions): Promise<ListedChannel> {
      const { channel } = await client.getChannel({ arn }, options);
      return channelOf({ ...channel, arn });
    },
    async getChannels(arns: readonly ChannelArn[], options: CallOptions): Promise<ListedChannel[]> {
      const { channels = [] } = await client.batchGetChannel({ arns: [...arns] }, options);
      return channels.map(channelOf);
    },
  };
}

// `answers.ts` has checked that lists and ARNs are present; the SDK's types do not know that.
function snapshotOf({ channelArn, streamId, health, viewerCount, startTime }: StreamSummary): StreamSnapshot {
  return {
    channelArn: channelArn as ChannelArn,
    streamId: streamId as StreamId,
    health: health === 'HEALTHY' || health === 'STARVING' ? health : 'UNKNOWN',
    viewerCount: viewerCount ?? -1,
    startTimeMs: startTime?.getTime() ?? 0,
  };
}

function channelOf({ arn, name, type, latencyMode, ...channel }: Partial<GuardedChannel>): ListedChannel {
  const { recordingConfigurationArn, tags, authorized, insecureIngest, preset, containerFormat } = channel;
  const { playbackRestrictionPolicyArn, adConfigurationArn, multitrackInputConfiguration: multitrack } = channel;
  return {
    arn: arn as ChannelArn,
    name: name ?? '',
    type: type ?? '',
    latencyMode: latencyMode ?? '',
    ...told({
      recordingConfigurationArn,
      tags,
      authorized,
      insecureIngest,
      preset,
      playbackRestrictionPolicyArn,
      adConfigurationArn,
      containerFormat,
    }),
    ...(multitrack ? { multitrackInputConfiguration: told({ ...multitrack }) } : {}),
  };
}

/** The fields that an answer contains: without those that are missing or null. */
function told<T extends object>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const known = Object.entries(members).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(known) as { [K in keyof T]?: NonNullable<T[K]> };
}
