// Makes every AWS client; none is built anywhere else (test/architecture.test.ts). The SDK's request timeout ends with the headers, or is a
// pause between two bytes. Here a call has one deadline from its first byte to the last byte of its answer, and another over all its
// attempts and the search for credentials. A peer that sends slowly, hangs or never ends blocks nobody.

import { Readable } from 'node:stream';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider, ResponseMetadata } from '@aws-sdk/types';
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler';
import { checkAnswers } from './aws-answers.ts';
import type { AwsClock } from './aws-clock.ts';
import {
  type AwsCallOptions,
  type AwsCommand,
  callOf,
  type HttpAnswer,
  type HttpOptions,
  type HttpRequest,
  leanMiddleware,
} from './aws-middleware.ts';
import { TimeoutError, within } from './deadline.ts';
import { type Proxy, processEgress } from './egress.ts';
import { Sha256 } from './sha256.ts';
import { type SpanOptions, tracedBelow } from './tracing.ts';
import { Tunnel, type TunnelOptions } from './tunnel.ts';

export interface AwsCallBounds {
  /** From sending to the last byte of the answer, for one attempt. `{requestTimeout}` of a single `send` overrides it. */
  readonly requestTimeoutMs: number;
  /** Attempts per call, including the first. Default 2. */
  readonly maxAttempts?: number;
  /** Ends every call that is under way: a stop waits for no peer. */
  readonly until?: AbortSignal | undefined;
  /** Gets the date of every answer. */
  readonly awsClock?: AwsClock | undefined;
}

/** How long finding credentials may take (STS, SSO, the instance metadata service), each time they are needed. */
const credentialsMs = 10_000;
/** The longest that the SDK waits between two attempts in its standard mode, including what throttling adds. */
const pauseMs = 1_000;
/** Ten SQS messages of 1 MiB, escaped: no answer that we request is larger. */
const mostAnswerBytes = 32 * 1024 * 1024;

type Send = (command: AwsCommand, options?: AwsCallOptions) => Promise<unknown>;

type Credentials = AwsCredentialIdentity | AwsCredentialIdentityProvider;

/** The settings that clients here get; everything else follows the SDK's own rules (environment, profiles). */
export interface AwsClientSettings {
  readonly region?: string | undefined;
  /** A stand-in for the service. */
  readonly endpoint?: string | undefined;
  /** Undefined: as the SDK finds them. */
  readonly credentials?: Credentials | undefined;
  /** Only for SQS: false makes `endpoint` override the host in the queue's URL. */
  readonly useQueueUrlAsEndpoint?: boolean | undefined;
  /** Only for SQS: false leaves the checksums of bodies to the caller, who does not refuse all messages because of a wrong one. */
  readonly md5?: false | undefined;
  readonly retryMode?: 'standard' | undefined;
  readonly requestHandler?: NodeHttpHandlerOptions | undefined;
}

/**
 * Builds a client whose every call ends in time. A call that takes too long is rejected with a TimeoutError, one that a signal ended with
 * an AbortError; either may have taken effect. An answer that is not what the operation promises is AppError AWS_ANSWER_INVALID.
 */
export function createAwsClient<Client extends object>(
  Client: new (config: never) => Client,
  { credentials, requestHandler, ...settings }: AwsClientSettings,
  { requestTimeoutMs, maxAttempts = 2, until, awsClock }: AwsCallBounds,
): Client {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const handler = new WholeAnswerHandler(requestTimeoutMs, requestHandler, awsClock);
  const client = new Client({
    ...given,
    maxAttempts,
    requestHandler: handler,
    sha256: Sha256,
    cacheMiddleware: true,
    ...(credentials === undefined
      ? { credentialDefaultProvider: (init: object) => boundedCredentials(() => fromNodeProviderChain(init)) }
      : { credentials: typeof credentials === 'function' ? boundedCredentials(() => credentials) : credentials }),
  } as never);
  checkAnswers(client);
  leanMiddleware(client, handler, maxAttempts);
  const sender = client as { send: Send };
  const send = sender.send.bind(client);
  sender.send = (command, options = {}) => {
    const tryMs = options.requestTimeout ?? requestTimeoutMs;
    const ms = maxAttempts * tryMs + (maxAttempts - 1) * pauseMs + credentialsMs;
    const operation = nameOf(command);
    return tracedBelow(spanOf(client, operation), async (span) => {
      const answer = await within({ ms, what: operation, signals: [signalOf(options), until] }, (abortSignal) =>
        send(callOf(command, { ...options, abortSignal })),
      );
      const { requestId, httpStatusCode } = (answer as { $metadata?: ResponseMetadata } | undefined)?.$metadata ?? {};
      span.set({ 'aws.request_id': requestId, 'http.response.status_code': httpStatusCode });
      return answer;
    });
  };
  return client;
}

/** The content of requests is not recorded. https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/ */
function spanOf(client: object, operation: string): SpanOptions {
  const { serviceId = 'AWS' } = (client as { readonly config?: { readonly serviceId?: string } }).config ?? {};
  return {
    name: `${serviceId}.${operation}`,
    kind: 'client',
    attributes: { 'rpc.system': 'aws-api', 'rpc.service': serviceId, 'rpc.method': operation },
  };
}

/** Credentials as the SDK finds them, within a deadline. */
export function ambientCredentials(): AwsCredentialIdentityProvider {
  return boundedCredentials(() => fromNodeProviderChain());
}

/** A role's credentials, from calls to STS with a deadline. */
export function assumedRole(role: {
  readonly roleArn: string;
  readonly externalId: string | undefined;
  readonly region: string;
}): AwsCredentialIdentityProvider {
  const { roleArn, externalId, region } = role;
  const params = {
    RoleArn: roleArn,
    RoleSessionName: 'ivs-autopilot',
    ...(externalId === undefined ? {} : { ExternalId: externalId }),
  };
  return boundedCredentials(() => {
    const requestHandler = new WholeAnswerHandler(credentialsMs / 2);
    return fromTemporaryCredentials({ params, clientConfig: { region, requestHandler } });
  });
}

/**
 * A provider with a deadline. The SDK joins every caller to the search under way: one that hangs would never be
 * started again, so it is abandoned and the next one starts afresh.
 */
function boundedCredentials(make: () => AwsCredentialIdentityProvider): AwsCredentialIdentityProvider {
  let provider: AwsCredentialIdentityProvider | undefined;
  return async (properties) => {
    const current = (provider ??= make());
    try {
      return await within({ ms: credentialsMs, what: 'credentials' }, () => current(properties));
    } catch (error) {
      if (error instanceof TimeoutError && provider === current) provider = undefined;
      throw error;
    }
  };
}

/**
 * Resolves when the whole answer is there. None of the operations used streams its answer. The SDK passes this handler to the clients that
 * it makes to find credentials, so it finds the route to each request's host anew.
 */
class WholeAnswerHandler extends NodeHttpHandler {
  readonly #requestTimeoutMs: number;
  readonly #awsClock: AwsClock | undefined;
  readonly #options: NodeHttpHandlerOptions & { readonly connectionTimeout: number };
  readonly #egress = processEgress();
  /** By the proxy's address. */
  readonly #proxied = new Map<string, NodeHttpHandler>();

  constructor(requestTimeoutMs: number, given?: NodeHttpHandlerOptions, awsClock?: AwsClock) {
    const options = { connectionTimeout: Math.min(3_000, requestTimeoutMs), ...given };
    super(options);
    this.#options = options;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#awsClock = awsClock;
  }

  override handle(request: HttpRequest, options: HttpOptions = {}): Promise<HttpAnswer> {
    const { requestTimeout: ms = this.#requestTimeoutMs, ...rest } = options;
    return within({ ms, what: request.hostname, signals: [signalOf(options)] }, async (abortSignal) => {
      const { protocol, hostname, port } = request;
      const { proxy } = this.#egress.routeTo({ protocol, hostname, port: String(port ?? '') });
      const sent = { ...rest, abortSignal };
      const { response } = await (proxy ? this.#through(proxy).handle(request, sent) : super.handle(request, sent));
      this.#awsClock?.heard(response.headers['date']);
      if (response.body instanceof Readable) response.body = await readWhole(response.body, abortSignal);
      return { response };
    });
  }

  override destroy(): void {
    super.destroy();
    for (const handler of this.#proxied.values()) handler.destroy();
  }

  #through(proxy: Proxy): NodeHttpHandler {
    const known = this.#proxied.get(proxy.url.href);
    if (known) return known;
    const { connectionTimeout, httpAgent, httpsAgent } = this.#options;
    // Before the call's own deadline, whose error would not say that it was the proxy.
    const openWithinMs = 0.8 * connectionTimeout;
    const pool = (given: unknown) => ({
      keepAlive: true,
      maxSockets: 50,
      ...(given as Partial<TunnelOptions> | undefined),
      openWithinMs,
    });
    const handler = new NodeHttpHandler({
      ...this.#options,
      httpAgent: new Tunnel(proxy, { ...pool(httpAgent), secure: false }),
      httpsAgent: new Tunnel(proxy, { ...pool(httpsAgent), secure: true }) as never,
    });
    this.#proxied.set(proxy.url.href, handler);
    return handler;
  }
}

/** Cheaper than iterating over the stream: most answers are empty, or one piece. */
function readWhole(body: Readable, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onAbort = () => body.destroy(signal.reason as Error);
  return new Promise<Uint8Array>((resolve, reject) => {
    const onClose = () => reject(body.errored ?? new Error('the connection ended before the answer'));
    body.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > mostAnswerBytes) body.destroy(new Error(`an answer of AWS is larger than ${mostAnswerBytes} bytes`));
      else chunks.push(chunk);
    });
    body.once('end', () => {
      body.off('close', onClose);
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
    body.once('error', reject);
    body.once('close', onClose);
    // It may have ended before anybody listened.
    if (body.closed) onClose();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  }).finally(() => signal.removeEventListener('abort', onAbort));
}

function signalOf({ abortSignal }: HttpOptions): AbortSignal | undefined {
  return abortSignal instanceof AbortSignal ? abortSignal : undefined;
}

function nameOf(command: AwsCommand): string {
  return command.constructor.name.replace(/Command$/, '');
}
