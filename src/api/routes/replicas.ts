// `/v1/replicas`: the replicas that work on the same Redis, and how they differ.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { iso } from '#domain/duration.ts';
import { differencesOf, type Replica, replicaTraits } from '#domain/replica.ts';

const time = z.iso.datetime();

export interface ReplicaShard {
  readonly name: string;
  readonly watch: { readonly id: string; readonly replicas: readonly Replica[] };
}

export function replicaRoutes({ shards }: { readonly shards: readonly ReplicaShard[] }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/replicas',
      {
        schema: {
          operationId: 'listReplicas',
          summary: 'List replicas that reported in the last ten seconds, and their differences',
          tags: ['Operations'],
          querystring: z.strictObject({}),
          response: {
            200: z.object({
              replicas: z.array(
                z.object({
                  id: z.string().describe('Id of this process; new at each start'),
                  account: z.string(),
                  self: z.boolean().describe('The replica that answers'),
                  version: z.string(),
                  configHash: z.string(),
                  role: z.string(),
                  startedAt: time,
                  seenAt: time,
                  clockOffsetMs: z.number().optional().describe('Its clock minus Redis’s'),
                }),
              ),
              differences: z.array(z.object({ account: z.string(), by: z.enum(replicaTraits), text: z.string() })),
            }),
          },
        },
      },
      async () => ({
        replicas: shards.flatMap(({ name, watch }) =>
          watch.replicas.map(({ id, version, configHash, role, startedAtMs, atMs, clockOffsetMs }) => ({
            id,
            account: name,
            self: id === watch.id,
            version,
            configHash,
            role,
            startedAt: iso(startedAtMs),
            seenAt: iso(atMs),
            ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
          })),
        ),
        differences: shards.flatMap(({ name, watch }) =>
          Array.from(differencesOf(watch.replicas), ([by, text]) => ({ account: name, by, text })),
        ),
      }),
    );
  };
}
