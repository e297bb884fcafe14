// Turns anything that was thrown into a response: application/problem+json (RFC 9457) with a stable code and a remedy.
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type ErrorCode, errorCatalog } from '#domain/error-catalog.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import { isOfRedis, redisFailure } from '#runtime/redis-trouble.ts';
import type { Outside } from './outside.ts';

/** The shape of every error response, as the API document shows it. */
export const problemSchema = z
  .object({
    type: z.string().describe('Address of the error in the documentation'),
    title: z.string().describe('What this kind of error means'),
    status: z.number().int(),
    code: z.string().describe('Stable code; docs/errors.md lists them'),
    detail: z.string().describe('What happened, and where'),
    remedy: z.string().describe('What to do'),
    problems: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .loose();

/** What fastify itself refuses, by HTTP status. */
const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  413: 'BODY_TOO_LARGE',
  414: 'REQUEST_INVALID',
  415: 'MEDIA_TYPE_UNSUPPORTED',
  429: 'RATE_LIMITED',
  503: 'TIMED_OUT',
};

/** Returns the AppError for anything that was thrown while a request was handled. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isOfRedis(error)) return redisFailure('the request could not be answered', error, undefined);
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status === 503) return new AppError('TIMED_OUT', 'the answer took too long', { cause: error });
  if (status >= 400 && status < 500)
    return new AppError(codeByStatus[status] ?? 'REQUEST_INVALID', messageOf(error), { cause: error });
  return new AppError('INTERNAL', 'the request could not be handled', { cause: error });
}

/** Sends a problem. `details` of the error become members of the body; a wait becomes Retry-After. */
export function sendProblem(reply: FastifyReply, error: AppError): FastifyReply {
  if (error.disposition.kind === 'retry-after')
    reply.header('retry-after', String(Math.max(1, Math.ceil(error.disposition.delayMs / 1000))));
  if (error.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', '2');
  const body = {
    ...error.details,
    type: `${prefixFor(reply)}/docs#${error.code}`,
    title: error.title,
    status: error.status,
    code: error.code,
    detail: error.message,
    remedy: error.remedy,
  };
  return reply
    .code(error.status)
    .type('application/problem+json')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(body);
}

/** Empty for a request that fastify refused before its prefix was known. */
function prefixFor(reply: FastifyReply): string {
  const { outside }: { readonly outside?: Outside } = reply.request;
  return outside?.prefix ?? '';
}

/** Node's codes for requests that could not be parsed, and the answer to each. */
const brokenRequests: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'the header fields of the request are larger than 16 KB together'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TOO_SLOW', 'the rest of the request did not arrive'],
};

/**
 * Answers data that is no HTTP request, or an incomplete one, and closes the connection. Nothing is logged, because strangers could fill
 * the log.
 */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: IncomingMessage['socket']): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const [code, detail] = brokenRequests[error.code ?? ''] ?? ['REQUEST_INVALID', 'this is not an HTTP request'];
  const { meaning, remedy, status } = errorCatalog[code];
  const body = JSON.stringify({ type: `/docs#${code}`, title: meaning, status, code, detail, remedy });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
