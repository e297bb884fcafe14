// The API document: OpenAPI as JSON at /docs/json, and a page at /docs that loads nothing from other hosts.
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { errorCatalog } from '#domain/error-catalog.ts';
import { completed } from './api-completion.ts';

type Json = Record<string, unknown>;

const securityText =
  'A token of AUTOPILOT_API_TOKEN or of the tokens file. A viewer reads, an operator also acts, an admin also changes the configuration.';

const whereText = 'The daemon that serves this document';

/** Adds `/docs` and `/docs/json`. Call it before the routes are registered, because it collects them as they are. */
export function registerApiDocument(app: FastifyInstance, { version, open }: { version: string; open: boolean }): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'ivs-autopilot', version, description: 'Stream-operations automation for Amazon IVS.' },
      // Relative, so that it works for any host name.
      servers: [{ url: '/', description: whereText }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', description: securityText } } },
      security: open ? [{}, { token: [] }] : [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  });
  void app.register(async (scope) => {
    scope.addHook('onRoute', (route) => void (route.schema = { hide: true }));
    let document: Json | undefined;
    let html: string | undefined;
    const read = () => (document ??= completed(app.swagger() as unknown as Json));
    scope.get('/docs/json', async ({ outside: { prefix } }) => {
      const whole = read();
      return prefix === '' ? whole : { ...whole, servers: [{ url: prefix, description: whereText }] };
    });
    scope.get('/docs', async (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
        .send((html ??= page(read()))),
    );
  });
}

function page(document: Json): string {
  const info = document['info'] as { title: string; version: string };
  const operations = Object.entries((document['paths'] ?? {}) as Record<string, Record<string, Json>>).flatMap(
    ([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = operations.map(({ path, method, operation }) => {
    const { summary, description, tags: _, ...rest } = operation;
    return `<details><summary><b>${escape(method.toUpperCase())}</b> <code>${escape(path)}</code> ${escape(summary ?? '')}</summary>
<p>${escape(description ?? '')}</p><pre>${escape(JSON.stringify(rest, null, 2))}</pre></details>`;
  });
  const errors = Object.entries(errorCatalog).map(
    ([code, { meaning, remedy, status }]) =>
      `<dt id="${escape(code)}"><code>${escape(code)}</code> (${status})</dt><dd>${escape(meaning)} ${escape(remedy)}</dd>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(info.title)} API</title><style>
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
pre{overflow:auto;font-size:.85rem}details{border-bottom:1px solid #8886;padding:.4rem 0}dd{margin:0 0 .6rem 1rem}:target{outline:2px solid}
</style></head><body><h1>${escape(info.title)} API ${escape(info.version)}</h1>
<p>OpenAPI document: <a href="docs/json">/docs/json</a>. Send <code>Authorization: Bearer …</code> with everything under <code>/v1</code>.</p>
<h2>Operations</h2>${sections.join('\n')}<h2>Errors</h2><dl>${errors.join('\n')}</dl></body></html>`;
}

function escape(value: unknown): string {
  return String(value).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
