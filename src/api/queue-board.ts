// bull-board as an app that does not listen: its page, its files, and what it reads of the queues. Only GET is available, so nothing can
// be changed. bull-board also has an adapter for fastify, but that brings a template engine and a file server: nine megabytes of packages
// for a page with five placeholders and sixty files.
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import type { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardQueues,
  IServerAdapter,
  UIConfig,
} from '@bull-board/api/typings/app';
import Fastify, { type FastifyInstance } from 'fastify';
import { notFound } from '#domain/not-found.ts';
import { type Outside, ownHost } from './outside.ts';
import { sendProblem, toAppError } from './problem.ts';
import { handlerTimeoutMs, longestParam } from './server.ts';

export interface BoardOptions {
  readonly queues: readonly BullMQAdapter[];
  /** Where it is mounted, such as `/queues`. */
  readonly basePath: string;
  /** Headers of every response. */
  readonly headers: Readonly<Record<string, string>>;
  /** How the sender of the forwarded request reaches the daemon. */
  readonly outsideOf: (request: IncomingMessage) => Outside | undefined;
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};

/** Opens the board; pass requests to its `routing`. */
export async function openBoard({ queues, basePath, headers, outsideOf }: BoardOptions): Promise<FastifyInstance> {
  const { createBullBoard } = await import('@bull-board/api');
  const parts = new BoardParts();
  createBullBoard({
    queues: [...queues],
    serverAdapter: parts,
    options: { uiConfig: { boardTitle: 'ivs-autopilot', hideRedisDetails: true } },
  });
  const app = Fastify({
    logger: false,
    handlerTimeout: handlerTimeoutMs,
    routerOptions: { maxParamLength: longestParam },
  });
  app.decorateRequest('outside');
  app.addHook('onRequest', async (request) => {
    request.outside = outsideOf(request.raw) ?? ownHost;
  });
  app.addHook('onSend', async (_request, reply) => void reply.headers(headers));
  app.setErrorHandler((thrown, _request, reply) => sendProblem(reply, toAppError(thrown)));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, notFound('address', `there is nothing at ${request.url.split('?')[0]!.slice(0, 200)}`)),
  );
  await app.register(async (scope) => addRoutes(scope, parts, basePath), { prefix: basePath });
  await app.ready();
  return app;
}

function addRoutes(app: FastifyInstance, { page, files, reads, queues, uiConfig }: BoardParts, basePath: string): void {
  const html = readFileSync(join(page.folder, 'index.ejs'), 'utf8')
    // bull-board's page would load a font from another host.
    .replaceAll(/<link href="https?:[^>]*>/g, '');
  for (const url of [page.route.route].flat())
    app.get(url, async ({ outside }, reply) => {
      const { params } = page.route.handler({ basePath: `${outside.prefix}${basePath}`, uiConfig });
      return reply.type('text/html; charset=utf-8').send(filledIn(html, params));
    });
  // Only files that are known by name are served, whatever a path spells.
  const names = new Map(
    readdirSync(files.folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      const file = join(entry.parentPath, entry.name);
      return entry.isFile() ? [[relative(files.folder, file).replaceAll(sep, '/'), file] as const] : [];
    }),
  );
  app.get<{ Params: { '*': string } }>(`${files.route}/*`, async ({ params }, reply) => {
    const file = names.get(params['*']);
    if (file === undefined) return reply.callNotFound();
    const type = types[extname(file)] ?? 'application/octet-stream';
    return reply
      .header('cache-control', 'private, max-age=3600')
      .type(type)
      .send(await readFile(file));
  });
  for (const read of reads)
    for (const url of [read.route].flat())
      app.get(url, async ({ params, query, headers }, reply) => {
        const { status = 200, body } = await read.handler({
          queues,
          uiConfig,
          params: params as Record<string, unknown>,
          query: query as Record<string, unknown>,
          body: {},
          headers: headers as Record<string, string | undefined>,
        });
        return reply.code(status).send(body);
      });
}

/**
 * Fills the placeholders of bull-board's template: `<%= name %>` is text, `<%- name %>` is markup.
 * @throws Error for any other placeholder
 */
function filledIn(template: string, params: Readonly<Record<string, string>>): string {
  return template.replaceAll(/<%(.*?)%>/gs, (gap: string, inside: string) => {
    const [, kind, name = ''] = /^([=-])\s*(\w+)\s*$/.exec(inside) ?? [];
    const value = params[name];
    if (value === undefined) throw new Error(`bull-board’s page has a gap that is not known: ${gap}`);
    return kind === '-' ? value : value.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  });
}

/** How bull-board describes its app. */
class BoardParts implements IServerAdapter {
  queues!: BullBoardQueues;
  uiConfig!: UIConfig;
  /** Its GET routes. */
  reads: readonly AppControllerRoute[] = [];
  page!: { readonly folder: string; readonly route: AppViewRoute };
  files!: { readonly route: string; readonly folder: string };
  #viewsPath = '';

  setQueues(queues: BullBoardQueues): this {
    this.queues = queues;
    return this;
  }

  setViewsPath(folder: string): this {
    this.#viewsPath = folder;
    return this;
  }

  setStaticPath(route: string, folder: string): this {
    this.files = { route, folder };
    return this;
  }

  setEntryRoute(route: AppViewRoute): this {
    this.page = { folder: this.#viewsPath, route };
    return this;
  }

  /** Errors are answered as everywhere else. */
  setErrorHandler(): this {
    return this;
  }

  setApiRoutes(routes: AppControllerRoute[]): this {
    this.reads = routes.filter(({ method }) => [method].flat().includes('get'));
    return this;
  }

  setUIConfig(config: UIConfig): this {
    this.uiConfig = config;
    return this;
  }
}
