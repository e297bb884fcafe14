// The HTTP server as a Service: tokens and roles, limits, problem+json, health, metrics, API document. The caller passes the routes.
//
// How to add a noun: write routes/<noun>.ts with a factory `(deps) => FastifyPluginAsyncZod`, give each route a zod schema for its input
// and its response, and pass `{ prefix: '/v1', plugin: nounRoutes(deps) }` to the server in api.ts.
//   - Every `/v1` route needs a token, or a person whom a trusted proxy signed in. GET needs the role viewer, anything else operator;
//     `config: { role: 'admin' }` on a route requires more, or less. `request.caller` says who calls (for the audit).
//   - A standby refuses everything but GET, unless the route has `config: { onStandby: true }`: it must neither call nor enqueue anything.
//   - Throw AppError; the response gets its code, status, details and remedy.
//   - `schema: { summary, tags: ['Metadata'], body, params, querystring, response: { 200: … } }` is also the API document.
//     Use z.strictObject for bodies and queries: unknown fields are then refused with "did you mean".
//   - Server-sent events: `const stream = app.eventStreams.open(reply)`, then `return reply`; a stop ends it.
//   - `access: 'browser'` accepts the page's sign-in or a browser's password prompt in place of the token (GET only); `access: 'public'`
//     needs none.
//   - An address in a response begins with `request.outside.prefix`.
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify';
import { type FastifyPluginAsyncZod, serializerCompiler } from 'fastify-type-provider-zod';
import { AppError, isWithoutRedis } from '#domain/errors.ts';
import { deepestJson, nestsDeeper } from '#domain/json-depth.ts';
import { isLoopbackHost } from '#domain/network.ts';
import { notFound } from '#domain/not-found.ts';
import { type Clock, systemClock } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { guard } from './admission.ts';
import { registerApiDocument } from './api-document.ts';
import { type ApiToken, Authenticator, type Caller, callerKey, callerName, type TokenRole } from './auth.ts';
import { AuthProxy, type AuthProxySettings } from './auth-proxy.ts';
import { TrustedProxies } from './client-address.ts';
import { type ConnectionLimits, Connections } from './connections.ts';
import { EventStreams } from './event-streams.ts';
import { LoginGuard } from './login-guard.ts';
import { opsRoutes, probePaths, type ReadinessCheck } from './ops.ts';
import { type Outside, OutsideReader } from './outside.ts';
import { answerBrokenRequest, sendProblem, toAppError } from './problem.ts';
import { queueCookie } from './queue-session.ts';
import { type Refusal, refusalLog } from './refusals.ts';
import { sessionRoutes } from './routes/session.ts';
import { assertSameSite } from './same-site.ts';
import { traceChanges } from './trace-changes.ts';
import { validatorCompiler } from './validation.ts';

declare module 'fastify' {
  interface FastifyInstance {
    eventStreams: EventStreams;
  }
  interface FastifyRequest {
    /** Who sent the request; set on every route that needs a token. */
    caller: Caller;
    /** The address of the connection, or the one that a trusted proxy names. */
    clientAddress: string;
    /** How the sender reaches the daemon: the start of every address in the response. */
    outside: Outside;
  }
  interface FastifyContextConfig {
    /** The role a caller needs; default: viewer for GET, operator for anything else. */
    role?: TokenRole;
    /** A standby that was not activated allows it too. Default: it allows GET only. */
    onStandby?: true;
  }
}

export interface HttpRoutes {
  readonly prefix: string;
  readonly plugin: FastifyPluginAsyncZod | FastifyPluginAsync;
  /** Default: token. */
  readonly access?: 'token' | 'browser' | 'public';
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 lets the system choose; `url` has the result. */
  readonly port: number;
  readonly tokens: readonly ApiToken[];
  readonly routes: readonly HttpRoutes[];
  /** Whether this is a standby that was not activated, which takes no work. Default: it is no standby. */
  readonly standsBy?: () => boolean;
  /** By name; all must pass for `/readyz`. */
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly maxBodyBytes: number;
  readonly requestsPerMinute: number;
  /** Removes secrets from a response. */
  readonly scrub?: ((text: string) => string) | undefined;
  /** Writes a person's refused request into the audit. */
  readonly onRefused?: ((refusal: Refusal) => Promise<void>) | undefined;
  /** `http.trusted_proxies`; default: none. */
  readonly trustedProxies?: readonly string[];
  /** `http.auth_proxy`; default: no proxy signs people in. */
  readonly authProxy?: AuthProxySettings | undefined;
  /** `http.external_url` */
  readonly externalUrl?: string | undefined;
  /** Default: as in a configuration without this setting. */
  readonly connections?: ConnectionLimits;
  /** The timer for delayed answers; default: the system's. */
  readonly clock?: Clock;
  /** The clock that all replicas share; default: the system's. */
  readonly nowMs?: () => number;
  /** The product's version, for the API document. */
  readonly version: string;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** A channel's ARN in a path whose slash is not encoded: it is accepted as if it were. */
const plainArn = /(\/arn(?::|%3A)aws(?::|%3A)[^/?]*channel)\/([A-Za-z0-9-]+)(?=$|[/?])/i;
/** How long a request may take until its response; event streams have no such limit. */
export const handlerTimeoutMs = 15_000;
/** Longest path parameter, in characters: an ARN fits. */
export const longestParam = 1024;
/**
 * How long the head of a request may take, and the whole request. Shorter than the limit of the response, so that a slow client gets an
 * answer.
 */
const headTimeoutMs = 10_000;
const requestTimeoutMs = 12_000;
const defaultConnectionLimits: ConnectionLimits = { max: 2_000, maxHalfOpen: 200 };

/** States: new → listening → stopped; a stopped server is not started again. */
export class HttpServer implements Service {
  readonly name = 'http';
  /** For tests that need no socket. */
  readonly app: FastifyInstance;
  readonly #options: HttpServerOptions;
  readonly #authenticator: Authenticator;
  #stopping: string | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#authenticator = new Authenticator(options.tokens, { hasProxy: options.authProxy !== undefined });
    this.app = buildApp(options, this.#authenticator, () => this.#stopping);
  }

  /** Accepts exactly these tokens from now on; event streams of removed tokens end. */
  useTokens(tokens: readonly ApiToken[]): void {
    this.#authenticator.use(tokens);
    this.app.eventStreams.closeUnless((caller) => this.#authenticator.accepts(caller));
  }

  /** Address of the running server, without a slash at the end. */
  get url(): string {
    const address = this.app.server.address();
    if (address === null || typeof address === 'string') throw new Error('the HTTP server does not listen');
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${address.port}`;
  }

  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /** From now on `/readyz` answers 503, so that load balancers choose another replica; everything still works. */
  announceStop(reason = 'shutting down'): void {
    this.#stopping ??= reason;
  }

  stop(): Promise<void> {
    this.announceStop();
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #start(): Promise<void> {
    if (this.#stopped) return;
    const { logger, port } = this.#options;
    let { host } = this.#options;
    if (this.#authenticator.open && !isLoopbackHost(host)) {
      logger.warn(
        { code: 'HTTP_LOOPBACK_ONLY', host },
        'no API token is configured, so the API listens on 127.0.0.1 only; set AUTOPILOT_API_TOKEN to open it',
      );
      host = '127.0.0.1';
    } else if (this.#authenticator.open) {
      logger.warn(
        'no API token is configured: everybody who can reach this machine’s loopback address may use the API',
      );
    }
    try {
      await this.app.listen({ host, port });
    } catch (error) {
      throw new AppError('HTTP_CANNOT_LISTEN', `the API cannot listen on ${host}:${port}`, { cause: error });
    }
    logger.info({ url: this.url, docs: `${this.url}/docs` }, 'the API listens');
  }

  async #stop(): Promise<void> {
    await this.#started?.catch(() => undefined);
    await this.app.close();
  }
}

function buildApp(
  options: HttpServerOptions,
  authenticator: Authenticator,
  stopping: () => string | undefined,
): FastifyInstance {
  const { logger, metrics, clock = systemClock, nowMs = () => clock.now(), standsBy = () => false } = options;
  const app: FastifyInstance = Fastify({
    logger: false,
    bodyLimit: options.maxBodyBytes,
    handlerTimeout: handlerTimeoutMs,
    requestTimeout: requestTimeoutMs,
    http: { headersTimeout: headTimeoutMs, connectionsCheckingInterval: 1_000 },
    clientErrorHandler: answerBrokenRequest,
    forceCloseConnections: true,
    return503OnClosing: true,
    trustProxy: false,
    routerOptions: { maxParamLength: longestParam },
    rewriteUrl: ({ url = '/' }) => url.replace(plainArn, '$1%2F$2'),
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, toAppError(error)),
  });
  const connections = new Connections(options.connections ?? defaultConnectionLimits, metrics);
  connections.attach(app.server);
  const proxies = new TrustedProxies(options.trustedProxies ?? []);
  const outside = new OutsideReader({ proxies, clock, logger, metrics });
  const { authProxy: settings, externalUrl } = options;
  const authProxy = settings && new AuthProxy({ settings, proxies, externalUrl, clock, logger });
  const logins = new LoginGuard({ clock, logger, metrics });
  const scrub = options.scrub ?? ((text: string) => text);
  const eventStreams = new EventStreams(scrub);
  app.decorate('eventStreams', eventStreams);
  app.decorateRequest('caller');
  app.decorateRequest('outside');
  app.decorateRequest('clientAddress', '');
  // Only JSON: a foreign page can send a plain-text body without a preflight request.
  app.removeContentTypeParser('text/plain');
  // Many clients send a content type without a body.
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else if (nestsDeeper(body as string, deepestJson))
      done(new AppError('REQUEST_INVALID', `body: nests deeper than ${deepestJson} levels`));
    else void parseJson(request, body as string, done);
  });
  app.addHook('preClose', async () => eventStreams.closeAll());
  app.addHook('onRequest', async (request, reply) => {
    request.outside = outside.of(request.raw);
    request.clientAddress = proxies.clientAddress(request.raw);
    reply.header('x-content-type-options', 'nosniff');
    if (connections.isSpare(request.raw) && !probePaths.has(request.routeOptions.url ?? '')) {
      reply.header('connection', 'close');
      throw new AppError('TOO_MANY_CONNECTIONS', 'the maximum of http.max_connections is open');
    }
    if (authenticator.open) assertSameSite(request.headers);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.httpRequests.inc({ method: request.method, route, status: String(reply.statusCode) });
    logger.debug({ method: request.method, route, status: reply.statusCode, tookMs: reply.elapsedTime }, 'request');
  });
  const refused = refusalLog(options.onRefused ?? (() => Promise.resolve()));
  app.setErrorHandler(async (thrown, request, reply) => {
    const isUnsent = !request.raw.complete && (thrown as { statusCode?: number }).statusCode === 503;
    const error = isUnsent
      ? new AppError('REQUEST_TOO_SLOW', 'the rest of the request did not arrive')
      : toAppError(thrown);
    await refused(request, error).catch((cause: unknown) =>
      logger.warn({ err: cause, code: error.code }, 'a refused request could not be written into the audit'),
    );
    if (error.status >= 500 && !isWithoutRedis(error) && error.code !== 'STANDBY')
      logger.error({ err: thrown, method: request.method, route: request.routeOptions.url }, 'a request failed');
    return sendProblem(reply, error);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      notFound('address', `there is nothing at ${request.method} ${request.url.split('?')[0]!.slice(0, 200)}`),
    ),
  );
  // Registered once, so that all groups of routes share one counter: the limit of a token is for everything together.
  void app.register(rateLimit, {
    global: false,
    max: options.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => callerKey(request.caller),
    errorResponseBuilder: (request, { ttl }) =>
      new AppError(
        'RATE_LIMITED',
        `${callerName(request.caller)} sent more than ${options.requestsPerMinute} requests in a minute`,
        { disposition: { kind: 'retry-after', delayMs: ttl } },
      ),
  });
  registerApiDocument(app, { version: options.version, open: authenticator.open });
  void app.register(opsRoutes({ checks: options.checks, metrics, stopping }));
  const session = sessionRoutes({
    queueCookie: (caller, place) => {
      const key = authenticator.keyOf(caller);
      return key && queueCookie(key, { outside: place, nowMs: nowMs() });
    },
  });
  for (const { prefix, plugin, access = 'token' } of [
    { prefix: '/v1', plugin: session },
    ...options.routes,
  ] as HttpRoutes[]) {
    void app.register(
      async (scope) => {
        if (access !== 'public') {
          guard(scope, { authenticator, authProxy, logins, proxies, nowMs, standsBy, isBrowser: access === 'browser' });
          traceChanges(scope);
        }
        // The compilers apply to the routes only: on the root they would break routes without a zod schema.
        if (access === 'token') {
          scope.setValidatorCompiler(validatorCompiler);
          scope.setSerializerCompiler(serializerCompiler);
          // What a person types is stored without the secrets that answers hide.
          scope.addHook('preHandler', async ({ body }) => scrubTyped(body, scrub));
          // Whatever a route returns, and whoever wrote it: no known secret leaves.
          scope.addHook('onSend', async (_request, _reply, payload) =>
            typeof payload === 'string' ? scrub(payload) : payload,
          );
        } else scope.addHook('onRoute', (route) => void (route.schema = { ...route.schema, hide: true }));
        await scope.register(plugin);
      },
      { prefix },
    );
  }
  return app;
}

/** Replaces secrets in the texts of a request that explain it to other people. */
function scrubTyped(body: unknown, scrub: (text: string) => string): void {
  if (typeof body !== 'object' || body === null) return;
  const texts = body as Record<string, unknown>;
  for (const name of ['reason', 'note']) {
    const text = texts[name];
    if (typeof text === 'string') texts[name] = scrub(text);
  }
}
