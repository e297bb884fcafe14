// `/v1/channels`: the inventory, as ListChannels last told it. What a stream does is in streams.ts.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Channel } from '#domain/channel.ts';
import type { StateView } from '#domain/shared-state.ts';

const channel = z.object({
  arn: z.string(),
  name: z.string().describe('May be empty; not unique'),
  type: z.string(),
  latencyMode: z.string(),
  recordingConfigurationArn: z.string().describe('Empty: recording is off'),
  tags: z.record(z.string(), z.string()),
});

export interface ChannelRoutesOptions {
  /** Of the whole fleet. */
  readonly state: { readonly view: StateView };
}

export function channelRoutes({ state }: ChannelRoutesOptions): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/channels',
      {
        schema: {
          summary: 'All channels with their tags, as last listed',
          tags: ['Streams'],
          querystring: z.strictObject({
            limit: z.coerce.number().int().min(1).max(1000).default(1000),
            after: z.string().max(128).optional().describe('`next` of the page before'),
          }),
          response: {
            200: z.object({
              channels: z.array(channel),
              next: z.string().optional().describe('`after` of the next page'),
            }),
          },
        },
      },
      async ({ query: { limit, after = '' } }) => {
        const later = Array.from(state.view.entries<Channel>('channel'), ([, entry]) => entry)
          .filter(({ arn }) => arn > after)
          .sort((left, right) => (left.arn < right.arn ? -1 : 1));
        const channels = later.slice(0, limit).map((entry) => ({ ...entry, tags: { ...entry.tags } }));
        const last = channels.at(-1);
        return { channels, ...(later.length > limit && last ? { next: last.arn } : {}) };
      },
    );
  };
}
