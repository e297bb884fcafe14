// What intake reads of IVS, in the words of the domain: pages of live streams and of channels.
import type { Channel, ChannelArn, StreamHealth, StreamId, StreamSnapshot } from '#domain/channel.ts';
import type { CallOptions, GuardedChannel, IvsClientPort } from './client.ts';

/** Satisfies the StreamReader and ChannelReader of intake/ports.ts. One call is one page. */
export function createReader(client: Pick<IvsClientPort, 'listStreams' | 'listChannels' | 'getChannel'>) {
  return {
    async listStreams(
      request: { readonly filterBy?: { readonly health: 'STARVING' }; readonly nextToken?: string },
      options: CallOptions,
    ): Promise<{ streams: StreamSnapshot[]; nextToken: string | undefined }> {
      const page = await client.listStreams({ ...request, maxResults: 100 }, options);
      return { streams: (page.streams ?? []).flatMap(snapshotOf), nextToken: page.nextToken };
    },
    async listChannels(
      request: { readonly nextToken?: string },
      options: CallOptions,
    ): Promise<{ channels: Channel[]; nextToken: string | undefined }> {
      const page = await client.listChannels({ ...request, maxResults: 100 }, options);
      return { channels: (page.channels ?? []).flatMap(channelOf), nextToken: page.nextToken };
    },
    async getChannel(arn: ChannelArn, options: CallOptions): Promise<Channel> {
      const { channel } = await client.getChannel({ arn }, options);
      return channelOf(channel ?? {})[0] ?? channelOf({ arn })[0]!;
    },
  };
}

function snapshotOf(stream: {
  channelArn?: string | undefined;
  streamId?: string | undefined;
  health?: string | undefined;
  viewerCount?: number | undefined;
  startTime?: Date | undefined;
}): StreamSnapshot[] {
  if (stream.channelArn === undefined || stream.streamId === undefined) return [];
  const health: StreamHealth = stream.health === 'HEALTHY' || stream.health === 'STARVING' ? stream.health : 'UNKNOWN';
  return [
    {
      channelArn: stream.channelArn as ChannelArn,
      streamId: stream.streamId as StreamId,
      health,
      viewerCount: stream.viewerCount ?? -1,
      startTimeMs: stream.startTime?.getTime() ?? 0,
    },
  ];
}

function channelOf(channel: Partial<GuardedChannel>): Channel[] {
  if (channel.arn === undefined) return [];
  return [
    {
      arn: channel.arn as ChannelArn,
      name: channel.name ?? '',
      type: channel.type ?? '',
      latencyMode: channel.latencyMode ?? '',
      recordingConfigurationArn: channel.recordingConfigurationArn ?? '',
      tags: channel.tags ?? {},
    },
  ];
}
