// What all operations of the API document share, in one place instead of at each route: an id, refusals with their shape, examples.
import { z } from 'zod';
import { type ErrorCode, errorCatalog } from '#domain/error-catalog.ts';
import { missingThings } from '#domain/not-found.ts';
import { answerExamples, exampleOf, requestExamples } from './examples.ts';
import { problemSchema } from './problem.ts';

type Json = Record<string, unknown>;

interface Operation extends Json {
  operationId?: string;
  parameters?: readonly { readonly in: string }[];
  requestBody?: { readonly content: Record<string, Json> };
  responses?: Record<string, Json>;
}

interface Refusal {
  readonly status: number;
  readonly description: string;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly more?: Json;
  /** The response says when to retry. */
  readonly isLater?: true;
}

/** Refusals that many operations share, by their name under components/responses. */
const refusals = {
  BadRequest: {
    status: 400,
    description: 'The request is not valid; `problems` names each place',
    code: 'REQUEST_INVALID',
    detail: 'body.item: unknown field; did you mean items?',
    more: { problems: [{ path: 'body.item', message: 'unknown field; did you mean items?' }] },
  },
  Unauthorized: {
    status: 401,
    description: 'The token is missing or unknown',
    code: 'UNAUTHORIZED',
    detail: 'the token is unknown',
  },
  Forbidden: {
    status: 403,
    description: 'The role of the token does not allow this',
    code: 'FORBIDDEN',
    detail: 'the token grafana has the role viewer; this needs operator',
  },
  NotFound: {
    status: 404,
    description: 'The resource does not exist, or no longer exists',
    code: 'NOT_FOUND',
    detail: 'there is no metadata batch b-0123abcd',
    more: missingThings.batch,
  },
  Conflict: {
    status: 409,
    description: 'The Idempotency-Key was used for another request',
    code: 'IDEMPOTENCY_CONFLICT',
    detail: 'the key quiz-17 was used for another request',
  },
  TooLarge: {
    status: 422,
    description: 'A payload does not fit into one call of Amazon IVS; nothing was accepted',
    code: 'PAYLOAD_TOO_LARGE',
    detail: 'items[0].payload has 1500 bytes',
  },
  TooMany: {
    status: 429,
    description: 'Too many requests or too much waiting work; send again after Retry-After seconds',
    code: 'RATE_LIMITED',
    detail: 'the token mara sent more than 3000 requests in a minute',
    isLater: true,
  },
  Unavailable: {
    status: 503,
    description: 'Not possible now; send again after Retry-After seconds',
    code: 'TIMED_OUT',
    detail: 'the answer took too long',
    isLater: true,
  },
} satisfies Record<string, Refusal>;
type RefusalName = keyof typeof refusals;

/** Returns the document with what all of its operations share. */
export function completed(document: Json): Json {
  for (const [path, item] of Object.entries((document['paths'] ?? {}) as Record<string, Record<string, Operation>>))
    for (const [method, operation] of Object.entries(item)) complete(operation, method, path);
  const components = (document['components'] ?? {}) as Json;
  const { $schema: _, ...schema } = z.toJSONSchema(problemSchema) as Json;
  return {
    ...document,
    components: {
      ...components,
      schemas: { ...(components['schemas'] as Json | undefined), Problem: schema },
      responses: Object.fromEntries([
        ...Object.entries(refusals).map(([name, refusal]) => [name, responseOf(refusal)]),
        ['Problem', { description: 'Any other error; see `code`', content: problemContent() }],
      ]),
    },
  };
}

function complete(operation: Operation, method: string, path: string): void {
  operation.operationId ??= idOf(method, path);
  const places = new Set((operation.parameters ?? []).map((parameter) => parameter.in));
  const responses = (operation.responses ??= {});
  const wanted: readonly (readonly [RefusalName, boolean])[] = [
    ['BadRequest', places.has('query') || places.has('path') || operation.requestBody !== undefined],
    ['Unauthorized', true],
    ['Forbidden', method !== 'get'],
    ['NotFound', places.has('path')],
    ['Conflict', places.has('header')],
    ['TooLarge', operation.operationId === 'sendMetadata'],
    ['TooMany', true],
    ['Unavailable', true],
  ];
  for (const [name, has] of wanted)
    if (has) responses[refusals[name].status] ??= { $ref: `#/components/responses/${name}` };
  responses['default'] = { $ref: '#/components/responses/Problem' };
  addExamples(operation);
}

/** Gives every body an example: a written one, or one made from its schema. */
function addExamples({ operationId = '', requestBody, responses = {} }: Operation): void {
  for (const media of Object.values(requestBody?.content ?? {})) {
    const written = requestExamples[operationId];
    if (written) media['examples'] = written;
    else media['example'] = exampleOf(media['schema'] as Json);
  }
  for (const response of Object.values(responses))
    for (const media of Object.values((response['content'] ?? {}) as Record<string, Json>)) {
      media['schema'] = opened(media['schema']);
      media['example'] ??= answerExamples[operationId] ?? exampleOf(media['schema'] as Json);
    }
}

/** The schema of a response, for clients that must accept what later versions add; without the bounds that every number has. */
function opened(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(opened);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([, value]) => Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER)
      .filter(([key, value]) => key !== 'additionalProperties' || value !== false)
      .map(([key, value]) => [key, opened(value)]),
  );
}

function responseOf(refusal: Refusal): Json {
  const { description, code, status, detail, more = {}, isLater } = refusal;
  const { meaning, remedy } = errorCatalog[code];
  const example = { type: `/docs#${code}`, title: meaning, status, code, detail, remedy, ...more };
  const headers = { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' }, example: 2 } };
  return { description, ...(isLater ? { headers } : {}), content: problemContent(example) };
}

function problemContent(example?: Json): Json {
  const { meaning, remedy, status } = errorCatalog.INTERNAL;
  const code = 'INTERNAL';
  const any = {
    type: `/docs#${code}`,
    title: meaning,
    status,
    code,
    detail: 'the request could not be handled',
    remedy,
  };
  return {
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, example: example ?? any },
  };
}

/** `getFleetSamples` for `GET /v1/fleet/samples`: the id of a route that does not set its own. */
function idOf(method: string, path: string): string {
  const words = path
    .replace(/^\/v1/, '')
    .split('/')
    .filter((part) => part !== '')
    .flatMap((part) => (part.startsWith('{') ? ['by', part.slice(1, -1)] : part.split('-')));
  return method + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}
