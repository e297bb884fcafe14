// `/v1/accounts`: the accounts of the configuration, and which processes carry each.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { iso } from '#domain/duration.ts';
import { type AccountLine, accountStates } from '../account-lines.ts';

const time = z.iso.datetime();

export function accountRoutes({
  accounts,
}: {
  readonly accounts: () => readonly AccountLine[];
}): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/accounts',
      {
        schema: {
          operationId: 'listAccounts',
          summary: 'The accounts of the configuration, and which living processes carry each',
          tags: ['Operations'],
          querystring: z.strictObject({}),
          response: {
            200: z.object({
              accounts: z.array(
                z.object({
                  name: z.string(),
                  region: z.string(),
                  accountId: z.string().optional().describe('The 12 digits, where they are known here'),
                  here: z.boolean().describe('Whether the process that answers carries it'),
                  state: z
                    .enum(accountStates)
                    .describe(
                      'unknown: Redis gives no answer; partly: nobody observes, or nobody acts, as `missing` says',
                    ),
                  missing: z
                    .array(z.object({ part: z.enum(['intake', 'worker']), since: time }))
                    .describe('What nobody has done for longer than a restart takes'),
                  carriers: z.array(
                    z.object({ id: z.string(), host: z.string().optional(), role: z.string(), version: z.string() }),
                  ),
                }),
              ),
            }),
          },
        },
      },
      async () => ({
        accounts: accounts().map(({ accountId, missing, carriers, ...rest }) => ({
          ...rest,
          ...(accountId === undefined ? {} : { accountId }),
          missing: missing.map(({ part, sinceMs }) => ({ part, since: iso(sinceMs) })),
          carriers: carriers.map(({ host, ...carrier }) => ({ ...carrier, ...(host === undefined ? {} : { host }) })),
        })),
      }),
    );
  };
}
