// `GET /v1/quota`: how much of each call-rate quota is in use, who waits, and what is withheld after throttling.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { QuotaSnapshot } from '#ivs/quota-snapshot.ts';

const count = z.number().int();
const quota = z.object({
  shard: z.string(),
  accountId: z.string().nullable(),
  region: z.string(),
  at: z.string(),
  operations: z.array(
    z.object({
      operation: z.string(),
      perAccount: z.number().describe('Calls per second'),
      perChannel: z.number().nullable().describe('Calls per second of one channel'),
      inUse: count.describe('Calls in flight, or answered within the last second, over all replicas'),
      outOfService: count.describe('Slots of the account withheld after throttling'),
      headroom: count.describe('Calls that could be sent at once'),
      granted: count.describe('Permits granted since the ledger began; some came back unused'),
      calls: count.describe('Calls sent since the ledger began that have ended'),
      throttles: count.describe('Calls that AWS throttled since the ledger began, over all replicas'),
      sinceThrottleMs: z.number().nullable().describe('Time since the last throttle'),
      slowedChannels: count.describe('Channels with slots of their own withheld after throttling'),
      slowed: z
        .array(z.object({ channelId: z.string(), forMs: z.number() }))
        .describe('The ten that have been slowed down for longest'),
      hottest: z.array(z.object({ channelId: z.string(), inUse: count })),
    }),
  ),
  waiting: z
    .array(z.object({ operation: z.string(), lane: z.string(), calls: count, oldestMs: z.number() }))
    .describe('Calls that wait for a permit, in the replica that answers'),
  sinceThrottleMs: z.number().nullable().describe('Time since the last throttle of any operation'),
  fenceMs: z.number().describe('Above 0: the ledger is new and grants nothing for this long'),
});

export interface QuotaRoutesOptions {
  /** One reader for each shard. */
  readonly quotas: readonly (() => Promise<QuotaSnapshot>)[];
}

export function quotaRoutes({ quotas }: QuotaRoutesOptions): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/quota',
      {
        schema: {
          operationId: 'getQuota',
          summary: 'Show the use of the call-rate quotas',
          tags: ['Operations'],
          querystring: z.strictObject({}),
          response: { 200: z.object({ shards: z.array(quota) }) },
        },
      },
      async () => ({ shards: (await Promise.all(quotas.map((read) => read()))).map(shown) }),
    );
  };
}

function shown(reading: QuotaSnapshot): z.infer<typeof quota> {
  return {
    ...reading,
    accountId: reading.accountId ?? null,
    sinceThrottleMs: reading.sinceThrottleMs ?? null,
    operations: reading.operations.map((operation) => ({
      ...operation,
      perChannel: operation.perChannel ?? null,
      sinceThrottleMs: operation.sinceThrottleMs ?? null,
      slowed: [...operation.slowed],
      hottest: [...operation.hottest],
    })),
    waiting: [...reading.waiting],
  };
}
