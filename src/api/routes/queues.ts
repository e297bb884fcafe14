// `/queues`: bull-board over the BullMQ queues, read-only. Register it with `access: 'browser'`, so that a browser's password prompt
// carries the token. Job data is shown with shortened texts; a job never contains a secret.
import type { IncomingMessage } from 'node:http';
import type { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Outside } from '../outside.ts';

/** A BullMQ queue. */
export type BoardQueue = ConstructorParameters<typeof BullMQAdapter>[0];

export interface QueueBoardOptions {
  readonly queues: readonly BoardQueue[];
  /** Where it is mounted, such as `/queues`. */
  readonly basePath: string;
  /** Removes secrets from a text (the logger's scrubber). */
  readonly scrub: (text: string) => string;
}

/** bull-board's own page has inline styles and settings; nothing may come from another host. */
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

/** What the board's own app needs to know about a request that is handed over to it. */
const outsides = new WeakMap<IncomingMessage, Outside>();

const longestText = 200;
const masked = new Set(['payload', 'body', 'value', 'url', 'text', 'detail', 'viewers', 'errors']);

/** bull-board as a plugin. It is loaded at the first request, because it takes 8 MB and most daemons never get one. */
export function queueBoard(options: QueueBoardOptions): FastifyPluginAsync {
  let board: Promise<FastifyInstance> | undefined;
  const open = async () => {
    const { openBoard } = await import('../queue-board.ts');
    const { basePath } = options;
    const outsideOf = (request: IncomingMessage) => outsides.get(request);
    return openBoard({ queues: await adaptersOf(options), basePath, headers: boardHeaders, outsideOf });
  };
  const show = async (request: FastifyRequest, reply: FastifyReply) => {
    board ??= open().catch((error: unknown) => {
      board = undefined;
      throw error;
    });
    const opened = await board;
    outsides.set(request.raw, request.outside);
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? '');
    reply.hijack();
    opened.routing(request.raw, reply.raw);
    return reply;
  };
  return async (app) => {
    // Headers for answers from here, such as a missing token or a limit. The board sets its own.
    app.addHook('onSend', async (_request, reply) => void reply.headers(boardHeaders));
    app.get('/', show);
    app.get('/*', show);
    app.addHook('onClose', async () => (await board?.catch(() => undefined))?.close());
  };
}

/** The queues as the board reads them, without changing anything. */
async function adaptersOf({ queues, scrub }: QueueBoardOptions): Promise<BullMQAdapter[]> {
  const { BullMQAdapter: QueueAdapter } = await import('@bull-board/api/bullMQAdapter');
  return queues.map((queue) => {
    const adapter = new QueueAdapter(queue, { readOnlyMode: true, allowRetries: false });
    for (const field of ['data', 'returnValue', 'progress'] as const)
      adapter.setFormatter(field, (value: unknown) => maskJobData(value, scrub));
    return adapter;
  });
}

/**
 * Job data in a form that may be shown: what people wrote is replaced by its length, long texts are cut, anything shaped like a secret is
 * removed.
 */
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
