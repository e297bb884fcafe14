// The client of the HTTP API: types from its own document, requests by openapi-fetch. `ivs-autopilot/client` for programs of others;
// the command line uses it as well.
import createFetchClient, { type Client as FetchClient } from 'openapi-fetch';
import type { components, operations, paths } from './api.ts';
import { eventsOf, type ServerEvent } from './events.ts';

export type { components, operations, paths } from './api.ts';
export { eventsOf, type ServerEvent } from './events.ts';

type JsonOf<Response> = Response extends { content: { 'application/json': infer Body } } ? Body : never;

/** What an operation answers when it is done, by its id: `Answer<'getBatch'>`. */
export type Answer<Id extends keyof operations> = {
  [Status in keyof operations[Id]['responses']]: Status extends 200 | 201 | 202
    ? JsonOf<operations[Id]['responses'][Status]>
    : never;
}[keyof operations[Id]['responses']];

/** The body of every refusal: application/problem+json. */
export type Problem = components['schemas']['Problem'];

/** Requests by method and path, typed by the API document: `client.GET('/v1/streams')`. */
export type Client = FetchClient<paths> & {
  /**
   * The server-sent events of an address, such as `/v1/metadata/batches/{id}/events`, until the daemon ends them or the caller leaves.
   * @throws ApiProblem when the daemon refuses; TypeError, as `fetch`, when nobody answers
   */
  readonly events: (path: string, options?: { readonly signal?: AbortSignal }) => AsyncGenerator<ServerEvent>;
};

export interface ClientOptions {
  /** Where the daemon is: `http://127.0.0.1:8080`, with the path below which it is reached, if any. */
  readonly url: string;
  /** The bearer token, or what returns it: it is asked before each request. */
  readonly token?: string | (() => string | undefined) | undefined;
  /** Who the requests are for, for the audit, where several people share a token. */
  readonly as?: string | undefined;
  /** How long an answer may take, to its last byte; events take as long as they take. Default 30 s. */
  readonly timeoutMs?: number | undefined;
  /** Default: that of the runtime. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
}

/** A request that the daemon refused, with what it said. */
export class ApiProblem extends Error {
  readonly status: number;
  /** Stable, such as `NOT_FOUND`; undefined: what answered is not the daemon. */
  readonly code: string | undefined;
  readonly problem: Partial<Problem>;
  /** After how long the same request may be sent again; undefined: what is wrong is the request. */
  readonly retryAfterMs: number | undefined;

  constructor(response: Response, problem: Partial<Problem>) {
    super(`${problem.code ?? `HTTP ${response.status}`}: ${problem.detail ?? response.statusText}`);
    this.name = 'ApiProblem';
    this.status = response.status;
    this.code = problem.code;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs(response);
  }
}

const defaultTimeoutMs = 30_000;

/** A client of one daemon. */
export function createClient({ url, token, as, timeoutMs = defaultTimeoutMs, fetch: own }: ClientOptions): Client {
  const baseUrl = url.replace(/\/+$/, '');
  const send = own ?? ((request: Request) => fetch(request));
  const signed = (request: Request): Promise<Response> => {
    const value = typeof token === 'function' ? token() : token;
    if (value !== undefined) request.headers.set('authorization', `Bearer ${value}`);
    if (as !== undefined) request.headers.set('x-autopilot-as', encodeURIComponent(as));
    return send(request);
  };
  const bounded = (request: Request): Promise<Response> =>
    signed(new Request(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]) }));
  const client = createFetchClient<paths>({ baseUrl, fetch: bounded });
  async function* events(path: string, { signal }: { readonly signal?: AbortSignal } = {}) {
    const headers = { accept: 'text/event-stream, application/problem+json' };
    const response = await signed(new Request(baseUrl + path, { headers, ...(signal ? { signal } : {}) }));
    if (!response.ok || !response.body) throw new ApiProblem(response, await problemOf(response));
    yield* eventsOf(response.body);
  }
  return { ...client, events };
}

/**
 * The data of an answer: `dataOf(await client.GET('/v1/streams'))`.
 * @throws ApiProblem when the daemon refused the request
 */
export function dataOf<Data, Refused>(answer: {
  readonly data?: Data;
  readonly error?: Refused;
  readonly response: Response;
}): Data {
  if (answer.response.ok) return answer.data as Data;
  throw new ApiProblem(answer.response, isObject(answer.error) ? answer.error : {});
}

/**
 * What becomes of a batch, each time it changes, until it is over; the last one has `finishedAt`.
 * @throws ApiProblem when the daemon refuses; TypeError, as `fetch`, when the connection is lost: it may be followed again;
 *   Error when the batch is not known any more
 */
export async function* followBatch(
  client: Client,
  batchId: string,
  options?: { readonly signal?: AbortSignal },
): AsyncGenerator<Answer<'getBatch'>> {
  for await (const { name, data } of client.events(
    `/v1/metadata/batches/${encodeURIComponent(batchId)}/events`,
    options,
  )) {
    if (name === 'gone') throw new Error(`the batch ${batchId} is not known any more`);
    yield data as Answer<'getBatch'>;
    if (name === 'finished') return;
  }
  throw new TypeError('the daemon ended the events before the batch was over');
}

/**
 * Sends a request again as long as that may help, as late as Retry-After says. Only for what may be repeated: what reads, or has an
 * Idempotency-Key.
 * @throws what the last try threw
 */
export async function repeated<T>(
  attempt: () => Promise<T>,
  { tries = 4, signal }: { readonly tries?: number; readonly signal?: AbortSignal } = {},
): Promise<T> {
  for (let left = tries; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      // `fetch` fails with a TypeError when the connection breaks: whether the request arrived is then unknown.
      const isUnanswered = error instanceof TypeError || (error as { name?: unknown }).name === 'TimeoutError';
      const waitMs = error instanceof ApiProblem ? error.retryAfterMs : isUnanswered ? 1000 : undefined;
      if (waitMs === undefined || left <= 1 || signal?.aborted) throw error;
      await pause(waitMs, signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

async function problemOf(response: Response): Promise<Partial<Problem>> {
  try {
    const body: unknown = await response.json();
    return isObject(body) ? body : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function retryAfterMs({ status, headers }: Response): number | undefined {
  if (status !== 429 && status < 500) return undefined;
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : 1000;
}
