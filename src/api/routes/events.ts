// `/v1/events/kept`: events from a queue that were not acted on, because their kind is unknown or no account here owns them.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { SharedState } from '#domain/shared-state.ts';
import { logs } from '#domain/state-registry.ts';

const kept = z.object({
  id: z.string(),
  arrivedAt: z.iso.datetime(),
  reason: z.string().describe('unknown_type, unknown_name, no_channel, other_account_or_region'),
  body: z.string().describe('As received, cut after a few thousand characters'),
});

export function eventRoutes({ state }: { readonly state: Pick<SharedState, 'readLog'> }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/events/kept',
      {
        schema: {
          operationId: 'listKeptEvents',
          summary: 'List events that were not acted on and are kept for inspection, newest first',
          tags: ['Streams'],
          querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
          response: { 200: z.object({ events: z.array(kept) }) },
        },
      },
      async ({ query: { limit } }) => {
        const rows = await state.readLog(logs.unknownEvents, { limit });
        return {
          events: rows.map(({ id, entry: { arrivedAtMs, reason, body } }) => ({
            id,
            arrivedAt: new Date(arrivedAtMs).toISOString(),
            reason,
            body,
          })),
        };
      },
    );
  };
}
