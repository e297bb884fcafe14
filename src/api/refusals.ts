// Refused requests of people, for the audit: the role of their token, or a setting, does not allow them.
import type { FastifyRequest } from 'fastify';
import { AppError } from '#domain/errors.ts';
import { actorOf } from './auth.ts';

/** A refused request, as the audit records it. */
export interface Refusal {
  readonly who: string;
  /** The requested action, or else method and route. */
  readonly what: string;
  readonly why: string;
  readonly channelArn: string | undefined;
  /** Code and message. */
  readonly reason: string;
}

/** Refusals that the audit records. */
const refusals: ReadonlySet<string> = new Set(['FORBIDDEN', 'WEBHOOK_REFUSED', 'FILE_NOT_ALLOWED']);

const mostToldAtOnce = 200;

/** Passes a refusal to `note`, and the same one again only after a minute, so that a caller that repeats itself cannot fill the audit. */
export function refusalLog(note: (refusal: Refusal) => Promise<void>, nowMs: () => number = Date.now) {
  const told = new Map<string, number>();
  return async (request: FastifyRequest, error: AppError): Promise<void> => {
    const refusal = refusalOf(request, error);
    if (!refusal) return;
    const { who, what, reason, channelArn } = refusal;
    const key = JSON.stringify(error.code === 'FORBIDDEN' ? [who, what] : [who, what, reason, channelArn]);
    const now = nowMs();
    for (const [old, atMs] of told) if (now - atMs >= 60_000) told.delete(old);
    if (told.has(key) || told.size >= mostToldAtOnce) return;
    told.set(key, now);
    await note(refusal);
  };
}

function refusalOf(request: FastifyRequest, error: AppError): Refusal | undefined {
  // Without a valid token, nobody in particular asked.
  if (!request.caller || request.method === 'GET' || request.method === 'HEAD') return undefined;
  const isRefusal = refusals.has(error.code) || typeof error.details['setting'] === 'string';
  if (!isRefusal) return undefined;
  const body = fields(request.body);
  const [action] = Object.keys(fields(body['action']));
  const channelArn = fields(request.params)['channelArn'] ?? body['channelArn'];
  return {
    who: actorOf(request.caller),
    what: action ?? `${request.method} ${request.routeOptions.url ?? ''}`,
    why: typeof body['reason'] === 'string' ? body['reason'] : '',
    channelArn: typeof channelArn === 'string' ? channelArn : undefined,
    reason: `${error.code}: ${error.message}`,
  };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
