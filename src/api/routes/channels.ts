// `/v1/channels`: the inventory as of the last ListChannels, and reading it again on demand. Streams are in streams.ts.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn } from '#domain/action.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { actorOf } from '../auth.ts';
import { channelSettings } from './channel-settings.ts';

const channel = z.object({
  arn: z.string(),
  name: z.string().describe('May be empty; not unique'),
  ...channelSettings,
  tags: z.record(z.string(), z.string()),
});

const refreshed = z.object({
  channel,
  changed: z.array(z.string()).describe('Fields that have changed; `new` for a new channel'),
});
const tags = ['Streams'];
const unsaid = 'no reason given';
const body = z
  .strictObject({ reason: z.string().min(1).max(500).optional().describe('With a reason for the audit') })
  .optional();

/** Reads channels from IVS on demand; implemented by inventory-refresh.ts. */
export interface InventoryRefreshPort {
  /** Reads one channel now and returns what changed. @throws AppError NOT_FOUND (it is forgotten then), IVS_… */
  one(request: { channelArn: string; who: string; reason: string }): Promise<z.input<typeof refreshed>>;
  /** Reads every channel of each account, in the background. Shares a listing that already waits, or was requested within the same 5 s. */
  all(request: { who: string; reason: string }): Promise<readonly { account: string; jobId: string }[]>;
}

export interface ChannelRoutesOptions {
  /** Of the whole fleet. */
  readonly state: { readonly view: StateView };
  readonly refresh: InventoryRefreshPort;
}

export function channelRoutes({ state, refresh }: ChannelRoutesOptions): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/channels',
      {
        schema: {
          operationId: 'listChannels',
          summary: 'List all channels with their tags, as of the last listing',
          tags,
          querystring: z.strictObject({
            limit: z.coerce.number().int().min(1).max(1000).default(1000),
            after: z.string().max(128).optional().describe('`next` of the previous page'),
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
        const later = Array.from(state.view.entries(kinds.channel), ([, entry]) => entry)
          .filter(({ arn }) => arn > after)
          .sort((left, right) => (left.arn < right.arn ? -1 : 1));
        const channels = later.slice(0, limit).map((entry) => ({ ...entry, tags: { ...entry.tags } }));
        const last = channels.at(-1);
        return { channels, ...(later.length > limit && last ? { next: last.arn } : {}) };
      },
    );
    app.post(
      '/channels/refresh',
      {
        schema: {
          operationId: 'refreshChannels',
          summary: 'Read every channel’s name, tags and settings again, in the background',
          tags,
          body,
          response: {
            202: z.object({
              jobs: z.array(z.object({ account: z.string(), jobId: z.string() })).describe('See GET /v1/jobs/{id}'),
            }),
          },
        },
      },
      async ({ body: given, caller }, reply) => {
        const jobs = await refresh.all({ who: actorOf(caller), reason: given?.reason ?? unsaid });
        return reply.code(202).send({ jobs: [...jobs] });
      },
    );
    app.post(
      '/channels/:channelArn/refresh',
      {
        schema: {
          operationId: 'refreshChannel',
          summary: 'Read one channel’s name, tags and settings again, now',
          description: 'Rules see the changes at once. 404: IVS has no such channel, and it is removed here.',
          tags,
          params: z.strictObject({ channelArn }),
          body,
          response: { 200: refreshed },
        },
      },
      async ({ params, body: given, caller }) =>
        refresh.one({
          channelArn: params.channelArn,
          who: actorOf(caller),
          reason: given?.reason ?? unsaid,
        }),
    );
  };
}
