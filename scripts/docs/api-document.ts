// The daemon's API document, and the types of its client generated from it. Nothing runs for it: the API is built for a shard that is never
// used.
import { registerHooks } from 'node:module';
import { parseConfig } from '#config/load.ts';
import { Secret } from '#domain/secret.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { ShardDirectory } from '#shard/directory.ts';
import type { Shard } from '#shard/shard.ts';
import { createApi } from '#src/api/api.ts';

/** Whatever is read from it or done with it, the result is this object again, and empty. */
const nothing: unknown = new Proxy(() => undefined, {
  get: (_, name) => {
    if (name === Symbol.iterator) return () => [][Symbol.iterator]();
    return name === 'then' || name === Symbol.toPrimitive ? undefined : nothing;
  },
  apply: () => nothing,
});

/** What `/docs/json` answers, for a daemon with a token. */
export async function apiDocument(): Promise<Record<string, unknown>> {
  const parsed = parseConfig('version: 1\nrules: []\n', 'none.yaml');
  if (!parsed.ok) throw new Error('the empty configuration is not valid');
  const inForce = { config: parsed.config, loadedAtMs: 0, triedAtMs: 0, needRestart: [], error: undefined };
  const { server } = createApi({
    shards: new ShardDirectory([nothing as Shard]),
    files: nothing as never,
    inForce: () => inForce,
    standby: false,
    reload: async () => inForce,
    env: { host: '127.0.0.1', port: 0 },
    // One token, so that the document says that one is needed; nothing is ever requested with it.
    tokens: [{ name: 'admin', role: 'admin', value: new Secret('none') }],
    clock: systemClock,
    logger: createLogger({ level: 'silent', scrubber: new Scrubber() }),
    metrics: createMetrics(),
    scrubber: new Scrubber(),
  });
  const { body } = await server.app.inject({ url: '/docs/json' });
  await server.app.close();
  return JSON.parse(body) as Record<string, unknown>;
}

/** The types of the client, made by openapi-typescript. */
export async function clientTypes(): Promise<string> {
  // It writes its types with the compiler of TypeScript 5; ours is TypeScript 7, which has no such API.
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'typescript' && context.parentURL?.includes('/openapi-typescript/')
        ? next('@ts-morph/common/dist/typescript.js', context)
        : next(specifier, context),
  });
  const { default: openapiTypes, astToString } = await import('openapi-typescript');
  const document = (await apiDocument()) as unknown as Parameters<typeof openapiTypes>[0];
  const types = astToString(await openapiTypes(document, { alphabetize: true }));
  return `// The types of the HTTP API. Made from its own document by openapi-typescript: \`npm run docs\`.\n\n${types}`;
}
