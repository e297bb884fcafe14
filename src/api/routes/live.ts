// `GET /v1/live`: everything the operator's page shows, as one server-sent stream: status and rows, then what changes.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { eventStreamAnswer } from '../event-streams.ts';
import type { LiveFeed } from '../live/feed.ts';

export interface LiveRoutesOptions {
  readonly feed: Pick<LiveFeed, 'follow'>;
  readonly version: string;
}

/**
 * Events of the stream: `hello` {version, caller}, `status` (the parts that changed), `rows` [[number, row], …], `ready`,
 * `delta` {rows, patches: [[number, fields], …], removed: [number, …]} and `problem`.
 */
export function liveRoutes({ feed, version }: LiveRoutesOptions): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/live',
      {
        schema: {
          operationId: 'followLive',
          summary: 'Everything the operator’s page shows, as server-sent events: a snapshot, then what changes',
          tags: ['Operations'],
          querystring: z.strictObject({}),
          response: {
            200: eventStreamAnswer('`hello`, `status`, `rows`, `ready`, `delta` and `problem`, each as JSON'),
          },
        },
      },
      (request, reply) => {
        const { name, role } = request.caller;
        const stream = app.eventStreams.open(reply);
        stream.send('hello', { version, caller: { name, role } });
        void feed.follow(stream).catch(() => stream.close());
        return reply;
      },
    );
  };
}
