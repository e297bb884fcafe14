// Makes every client of AWS: none is built anywhere else (test/architecture.test.ts). What the SDK calls a request timeout ends
// when the headers are there, or is a pause between two bytes; here a call has one deadline, from its first byte to the last of its
// answer, and another over its tries and the search for credentials. A peer that drips, hangs or never ends holds nobody up.

import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider, ResponseMetadata } from '@aws-sdk/types';
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler';
import { checkAnswers } from './aws-answers.ts';
import type { AwsClock } from './aws-clock.ts';
import { TimeoutError, within } from './deadline.ts';
import { type Proxy, processEgress } from './egress.ts';
import { type SpanOptions, tracedBelow } from './tracing.ts';
import { Tunnel, type TunnelOptions } from './tunnel.ts';

export interface AwsCallBounds {
  /** From sending to the last byte of the answer, for one try. `{requestTimeout}` of a single `send` goes before it. */
  readonly requestTimeoutMs: number;
  /** Tries of one call, the first included. Default 2. */
  readonly maxAttempts?: number;
  /** Ends every call that is under way: whoever stops waits for no peer. */
  readonly until?: AbortSignal | undefined;
  /** Hears the date of every answer. */
  readonly awsClock?: AwsClock | undefined;
}

/** How long finding credentials may take (STS, SSO, the machine's metadata service), once for each time that they are needed. */
const credentialsMs = 10_000;
/** The most that the SDK waits between two tries in its standard mode, with what throttling adds. */
const pauseMs = 1_000;
/** Ten SQS messages of 1 MiB, escaped: no answer that we ask for is larger. */
const mostAnswerBytes = 32 * 1024 * 1024;

type HttpRequest = Parameters<NodeHttpHandler['handle']>[0];
type HttpOptions = NonNullable<Parameters<NodeHttpHandler['handle']>[1]>;
type Send = (command: { readonly constructor: { readonly name: string } }, options?: HttpOptions) => Promise<unknown>;

type Credentials = AwsCredentialIdentity | AwsCredentialIdentityProvider;

/** What the clients here are told; all else is the SDK's own rules (environment, profiles). */
export interface AwsClientSettings {
  readonly region?: string | undefined;
  /** A stand-in for the service. */
  readonly endpoint?: string | undefined;
  /** Undefined: as the SDK finds them. */
  readonly credentials?: Credentials | undefined;
  /** Of SQS only: false lets `endpoint` go before the host in the queue's URL. */
  readonly useQueueUrlAsEndpoint?: boolean | undefined;
  /** Of SQS only: false leaves the sums of bodies to the caller, to whom one wrong message is no reason to refuse the others. */
  readonly md5?: false | undefined;
  readonly retryMode?: 'standard' | undefined;
  readonly requestHandler?: NodeHttpHandlerOptions | undefined;
}

/**
 * Builds a client whose every call ends in time. A call that does not is rejected with a TimeoutError, one that a signal ended with
 * an AbortError; either may have had its effect. An answer that is not what the operation promises is AppError AWS_ANSWER_INVALID.
 */
export function createAwsClient<Client extends object>(
  Client: new (config: never) => Client,
  { credentials, requestHandler, ...settings }: AwsClientSettings,
  { requestTimeoutMs, maxAttempts = 2, until, awsClock }: AwsCallBounds,
): Client {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const client = new Client({
    ...given,
    maxAttempts,
    requestHandler: new WholeAnswerHandler(requestTimeoutMs, requestHandler, awsClock),
    ...(credentials === undefined
      ? { credentialDefaultProvider: (init: object) => boundedCredentials(() => fromNodeProviderChain(init)) }
      : { credentials: typeof credentials === 'function' ? boundedCredentials(() => credentials) : credentials }),
  } as never);
  checkAnswers(client);
  const sender = client as { send: Send };
  const send = sender.send.bind(client);
  sender.send = (command, options = {}) => {
    const tryMs = options.requestTimeout ?? requestTimeoutMs;
    const ms = maxAttempts * tryMs + (maxAttempts - 1) * pauseMs + credentialsMs;
    const operation = nameOf(command);
    return tracedBelow(spanOf(client, operation), async (span) => {
      const answer = await within({ ms, what: operation, signals: [signalOf(options), until] }, (abortSignal) =>
        send(command, { ...options, abortSignal }),
      );
      const { requestId, httpStatusCode } = (answer as { $metadata?: ResponseMetadata } | undefined)?.$metadata ?? {};
      span.set({ 'aws.request_id': requestId, 'http.response.status_code': httpStatusCode });
      return answer;
    });
  };
  return client;
}

/** What is sent is not told of. https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/ */
function spanOf(client: object, operation: string): SpanOptions {
  const { serviceId = 'AWS' } = (client as { readonly config?: { readonly serviceId?: string } }).config ?? {};
  return {
    name: `${serviceId}.${operation}`,
    kind: 'client',
    attributes: { 'rpc.system': 'aws-api', 'rpc.service': serviceId, 'rpc.method': operation },
  };
}

/** Credentials as the SDK finds them, in time. */
export function ambientCredentials(): AwsCredentialIdentityProvider {
  return boundedCredentials(() => fromNodeProviderChain());
}

/** A role's credentials, by calls to STS that end in time. */
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
 * A provider that gives up in time. The SDK joins whoever asks to the search that is under way: one that hangs would never be
 * begun again, so it is given up as a whole and the next one starts afresh.
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
 * Resolves when the whole answer is there. None of the operations used streams one. The SDK hands it on to the clients that it makes
 * to find credentials, so it finds the route to each request's host anew.
 */
class WholeAnswerHandler extends NodeHttpHandler {
  readonly #requestTimeoutMs: number;
  readonly #awsClock: AwsClock | undefined;
  readonly #options: NodeHttpHandlerOptions & { readonly connectionTimeout: number };
  readonly #egress = processEgress();
  /** By the address of the proxy. */
  readonly #proxied = new Map<string, NodeHttpHandler>();

  constructor(requestTimeoutMs: number, given?: NodeHttpHandlerOptions, awsClock?: AwsClock) {
    const options = { connectionTimeout: Math.min(3_000, requestTimeoutMs), ...given };
    super(options);
    this.#options = options;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#awsClock = awsClock;
  }

  override handle(request: HttpRequest, options: HttpOptions = {}): ReturnType<NodeHttpHandler['handle']> {
    const { requestTimeout: ms = this.#requestTimeoutMs, ...rest } = options;
    return within({ ms, what: request.hostname, signals: [signalOf(options)] }, async (abortSignal) => {
      const { protocol, hostname, port } = request;
      const { proxy } = this.#egress.routeTo({ protocol, hostname, port: String(port ?? '') });
      const sent = { ...rest, abortSignal };
      const { response } = await (proxy ? this.#through(proxy).handle(request, sent) : super.handle(request, sent));
      this.#awsClock?.heard(response.headers['date']);
      if (isReadable(response.body)) response.body = await readWhole(response.body, abortSignal);
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
    // Before the call's own bound, which would not say that it was the proxy.
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

async function readWhole(body: NodeJS.ReadableStream, signal: AbortSignal): Promise<Uint8Array> {
  const stream = body as NodeJS.ReadableStream & { destroy(error?: Error): void };
  const onAbort = () => stream.destroy(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostAnswerBytes) throw new Error(`an answer of AWS is larger than ${mostAnswerBytes} bytes`);
      chunks.push(chunk);
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  return Buffer.concat(chunks);
}

function isReadable(body: unknown): body is NodeJS.ReadableStream {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

function signalOf({ abortSignal }: HttpOptions): AbortSignal | undefined {
  return abortSignal instanceof AbortSignal ? abortSignal : undefined;
}

function nameOf(command: { readonly constructor: { readonly name: string } }): string {
  return command.constructor.name.replace(/Command$/, '');
}
