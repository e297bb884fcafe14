// `/v1/session`: who calls, by token or proxy; a browser that calls it with a token may open /queues afterwards.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Caller, tokenRoles } from '../auth.ts';
import type { Outside } from '../outside.ts';

export interface SessionRoutesOptions {
  /** The Set-Cookie header that opens /queues for this caller; undefined if /queues needs no cookie. */
  readonly queueCookie: (caller: Caller, outside: Outside) => string | undefined;
}

export function sessionRoutes({ queueCookie }: SessionRoutesOptions): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/session',
      {
        schema: {
          operationId: 'getSession',
          summary:
            'Show who you are; with a token, the cookie in the answer opens /queues in the same browser for twelve hours',
          tags: ['Operations'],
          querystring: z.strictObject({}),
          response: {
            200: z.object({
              name: z.string().describe('Of the token, or of the person whom a trusted proxy signed in'),
              role: z.enum(tokenRoles),
            }),
          },
        },
      },
      async ({ caller, outside }, reply) => {
        const cookie = queueCookie(caller, outside);
        reply.header('cache-control', 'no-store');
        if (cookie !== undefined) reply.header('set-cookie', cookie);
        return { name: caller.name, role: caller.role };
      },
    );
  };
}
