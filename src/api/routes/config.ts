// `/v1/config`: which configuration is in force, and reloading it. A configuration with any mistake changes nothing.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../auth.ts';

const inForce = z.object({
  hash: z.string().describe('Hash of the configuration in force'),
  loadedAt: z.iso.datetime(),
  needRestart: z
    .array(z.string())
    .describe('Settings that differ from those at the start and take effect only after a restart'),
  lastAttempt: z
    .object({
      at: z.iso.datetime(),
      outcome: z.enum(['loaded', 'refused']),
      error: z.string().optional().describe('Why it was refused; the previous configuration stays in force'),
    })
    .describe('The last reading of the file, at the start, by a signal, by a request, or because it changed'),
});

export interface ConfigInForce {
  readonly hash: string;
  readonly loadedAtMs: number;
  readonly needRestart: readonly string[];
  readonly triedAtMs: number;
  /** Why the last attempt failed. */
  readonly error: string | undefined;
}

export interface ConfigRoutesOptions {
  readonly current: () => ConfigInForce;
  /** Reads and applies the configuration. @throws AppError CONFIG_INVALID, CONFIG_NOT_FOUND: the old one stays in force. */
  readonly reload: (who: string) => Promise<ConfigInForce>;
}

export function configRoutes({ current, reload }: ConfigRoutesOptions): FastifyPluginAsyncZod {
  const tags = ['Operations'];
  return async (app) => {
    app.get(
      '/config',
      {
        schema: {
          operationId: 'getConfig',
          summary: 'Show the configuration in force',
          tags,
          querystring: z.strictObject({}),
          response: { 200: inForce },
        },
      },
      async () => shown(current()),
    );
    app.post(
      '/config/reload',
      {
        config: { role: 'admin', onStandby: true },
        schema: {
          operationId: 'reloadConfig',
          summary: 'Reload the configuration; it is applied only if all of it is valid',
          tags,
          body: z.union([z.strictObject({}), z.null()]).optional(),
          response: { 200: inForce.extend({ changed: z.boolean() }) },
        },
      },
      async (request) => {
        const before = current().hash;
        const after = await reload(actorOf(request.caller));
        return { ...shown(after), changed: after.hash !== before };
      },
    );
  };
}

function shown({ hash, loadedAtMs, needRestart, triedAtMs, error }: ConfigInForce): z.infer<typeof inForce> {
  return {
    hash,
    loadedAt: new Date(loadedAtMs).toISOString(),
    needRestart: [...needRestart],
    lastAttempt: {
      at: new Date(triedAtMs).toISOString(),
      outcome: error === undefined ? 'loaded' : 'refused',
      ...(error === undefined ? {} : { error }),
    },
  };
}
