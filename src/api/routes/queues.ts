// `/queues`: bull-board over the BullMQ queues, for looking only. Register it with `access: 'browser'`, so that a browser's
// password prompt carries the token. Job data is shown with its texts cut short; there is never a secret in a job.
import type { IncomingMessage } from 'node:http';
import type { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { errorCatalog } from '#domain/error-catalog.ts';
import { AppError } from '#domain/errors.ts';
import { sendProblem, toAppError } from '../problem.ts';
import { handlerTimeoutMs, longestParam } from '../server.ts';

/** A BullMQ queue. */
export type BoardQueue = ConstructorParameters<typeof BullMQAdapter>[0];

export interface QueueBoardOptions {
  readonly queues: readonly BoardQueue[];
  /** Where it is mounted, such as `/queues`. */
  readonly basePath: string;
  /** Removes what must not be seen from a text (the logger's scrubber). */
  readonly scrub: (text: string) => string;
}

/** bull-board's own page carries inline styles and settings; nothing may come from another host. */
const boardPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const boardHeaders = { 'content-security-policy': boardPolicy, 'referrer-policy': 'no-referrer' };

/** What the board's own app needs to know of a request that is handed over to it. */
const prefixes = new WeakMap<IncomingMessage, string>();

const longestText = 200;
const masked = new Set(['payload', 'body', 'value', 'url', 'text', 'detail', 'viewers', 'errors']);

/** bull-board as a plugin. It is loaded when somebody looks for the first time: it takes 8 MB, and most daemons are never asked. */
export function queueBoard(options: QueueBoardOptions): FastifyPluginAsync {
  let board: Promise<FastifyInstance> | undefined;
  const show = async (request: FastifyRequest, reply: FastifyReply) => {
    board ??= openBoard(options).catch((error: unknown) => {
      board = undefined;
      throw error;
    });
    const opened = await board;
    prefixes.set(request.raw, request.outside.prefix);
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? '');
    reply.hijack();
    opened.routing(request.raw, reply.raw);
    return reply;
  };
  return async (app) => {
    // For what is answered here: a token that is missing, a limit. The board has a hook of its own.
    app.addHook('onSend', async (_request, reply) => void reply.headers(boardHeaders));
    app.get('/', show);
    app.get('/*', show);
    app.addHook('onClose', async () => (await board?.catch(() => undefined))?.close());
  };
}

/** bull-board as an app that listens to nothing; every route that would change something is refused by its read-only mode. */
async function openBoard({ queues, basePath, scrub }: QueueBoardOptions): Promise<FastifyInstance> {
  const [{ createBullBoard }, { BullMQAdapter: QueueAdapter }, { FastifyAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/fastify'),
  ]);
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(basePath);
  createBullBoard({
    queues: queues.map((queue) => {
      const adapter = new QueueAdapter(queue, { readOnlyMode: true, allowRetries: false });
      for (const field of ['data', 'returnValue', 'progress'] as const)
        adapter.setFormatter(field, (value: unknown) => maskJobData(value, scrub));
      return adapter;
    }),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'ivs-autopilot', hideRedisDetails: true } },
  });
  // bull-board answers every error of its scope with 500 unless told better: a queue that does not exist is not one.
  serverAdapter.setErrorHandler((thrown) => {
    const { status, code, message } = toAppError(thrown);
    return {
      status: status as 404,
      body: JSON.stringify({ status, code, detail: message, remedy: errorCatalog[code].remedy }),
    };
  });
  const app = Fastify({
    logger: false,
    handlerTimeout: handlerTimeoutMs,
    routerOptions: { maxParamLength: longestParam },
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new AppError('NOT_FOUND', `there is nothing at ${request.url.split('?')[0]!.slice(0, 200)}`)),
  );
  app.addHook('onSend', async ({ raw }, reply, payload) => {
    reply.headers(boardHeaders);
    if (typeof payload !== 'string' || !String(reply.getHeader('content-type')).startsWith('text/html')) return payload;
    return (
      payload
        .replace(`<base href="${basePath}/"`, `<base href="${prefixes.get(raw) ?? ''}${basePath}/"`)
        // bull-board's page asks another host for a typeface.
        .replaceAll(/<link href="https?:[^>]*>/g, '')
    );
  });
  await app.register(serverAdapter.registerPlugin() as FastifyPluginAsync, { prefix: basePath });
  await app.ready();
  return app;
}

/** Job data fit for looking at: what people wrote is replaced by its length, long texts are cut, secrets' shapes are scrubbed. */
function maskJobData(value: unknown, scrub: (text: string) => string, key = ''): unknown {
  if (masked.has(key) && value !== undefined && value !== null) return `[${JSON.stringify(value).length} bytes hidden]`;
  if (typeof value === 'string') {
    const text = scrub(value);
    return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  }
  if (Array.isArray(value)) {
    const shown = value.slice(0, 20).map((item) => maskJobData(item, scrub));
    return value.length > 20 ? [...shown, `… ${value.length - 20} more`] : shown;
  }
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, maskJobData(part, scrub, name)]));
  return value;
}
