// `/v1/standby`, `/v1/activate`: whether this deployment is a standby, what its activation will cause, and the activation itself.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Activation, By } from '#domain/control.ts';
import { iso } from '#domain/duration.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { notes } from '#domain/state-registry.ts';
import { activate } from '#rules/controls.ts';
import { effectsOf, type StandbyShard } from '../activation.ts';
import { actorOf } from '../auth.ts';

interface ElsewhereShard {
  readonly name: string;
  transact<T>(body: (tx: Transaction) => T): Promise<T>;
}

export interface StandbyRoutesOptions {
  readonly shards: readonly StandbyShard[];
  /** Accounts of the same deployment that other processes carry: one activation applies to all. */
  readonly elsewhere: readonly ElsewhereShard[];
  /** Whether the process was started as a standby. */
  readonly standby: boolean;
  /** Called when somebody has activated it, once for all accounts. */
  readonly onActivated?: ((by: By) => void) | undefined;
}

const activation = z
  .object({ who: z.string(), reason: z.string(), since: z.iso.datetime() })
  .describe('Who activated it; absent while it stands by');
const view = z.object({
  standby: z.boolean().describe('It does nothing until it is activated'),
  startedAsStandby: z.boolean().describe('By `run --standby` or AUTOPILOT_STANDBY'),
  accounts: z.array(z.object({ name: z.string(), standby: z.boolean(), activation: activation.optional() })),
});
const tags = ['Controls'];

export function standbyRoutes({
  shards,
  elsewhere,
  standby,
  onActivated,
}: StandbyRoutesOptions): FastifyPluginAsyncZod {
  const shown = (): z.infer<typeof view> => ({
    standby: shards.some(({ standsBy }) => standsBy),
    startedAsStandby: standby,
    accounts: shards.map(({ name, standsBy, state }) => {
      const known = standby ? state.view.get(notes.activation) : undefined;
      return { name, standby: standsBy, ...(known ? { activation: showActivation(known) } : {}) };
    }),
  });
  return async (app) => {
    app.get(
      '/standby',
      {
        schema: {
          operationId: 'getStandby',
          summary: 'Whether this deployment stands by',
          tags,
          querystring: z.strictObject({}),
          response: { 200: view },
        },
      },
      async () => shown(),
    );
    app.post(
      '/activate',
      {
        config: { onStandby: true },
        schema: {
          operationId: 'activateStandby',
          summary:
            'Activate a standby with all replicas of its Redis, permanently; does nothing if there is no standby',
          tags,
          body: z
            .strictObject({
              reason: z.string().min(1).max(500).optional().describe('With a reason for everybody who sees it'),
              dryRun: z.boolean().optional().describe('Only say what would follow'),
            })
            .optional(),
          response: {
            200: view.extend({
              dryRun: z.literal(true).optional(),
              effects: z.array(z.string()).describe('What follows, in sentences'),
            }),
          },
        },
      },
      async ({ body, caller }) => {
        // Nothing is left to do if the process was not started as a standby, or somebody else was quicker.
        const waiting = shards.filter(({ standsBy }) => standsBy);
        const names = elsewhere.map(({ name }) => name);
        const effects = waiting.length === 0 ? [] : effectsOf(waiting, names);
        if (body?.dryRun) return { ...shown(), dryRun: true as const, effects };
        const by = { who: actorOf(caller), reason: body?.reason ?? 'no reason given' };
        // If one fails, the others stay activated; repeating the request continues with it.
        const ends = await Promise.allSettled([
          ...waiting.map(({ state }) => state.transact((tx) => activate(tx, by))),
          ...(standby ? elsewhere.map((shard) => shard.transact((tx) => activate(tx, by))) : []),
        ]);
        const failed = ends.find((end) => end.status === 'rejected');
        if (failed) throw failed.reason;
        if (waiting.length > 0) onActivated?.(by);
        return { ...shown(), effects };
      },
    );
  };
}

function showActivation({ who, reason, sinceMs }: Activation): z.infer<typeof activation> {
  return { who, reason, since: iso(sinceMs) };
}
