// Sends a message to an address that people configured, and nowhere else: names are resolved here and every address is checked before a
// connection is made to it; redirects are not followed; time and answer are limited. An address may be a secret (it often contains a
// token), so messages name only its host. The same applies through a proxy: the name is resolved and checked here, and the proxy is asked
// for that
// address; only `http.proxy_resolves_names` leaves the name to the proxy.
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { AppError, messageOf } from '#domain/errors.ts';
import type { Secret } from '#domain/secret.ts';
import { within } from '#runtime/deadline.ts';
import { type Egress, type Proxy, processEgress } from '#runtime/egress.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { type SpanNotes, type SpanOptions, traced, traceHeaders } from '#runtime/tracing.ts';
import { Tunnel } from '#runtime/tunnel.ts';
import { type AddressPolicy, forbiddenRange, isAddress } from './address-guard.ts';
import { signatureHeaders } from './signature.ts';
import { assertReachable, webhookUrl } from './webhook-url.ts';

export interface HttpSenderOptions {
  /** Which addresses besides public ones may be reached. */
  readonly addresses: AddressPolicy;
  /** The time in signatures: a receiver compares it with its own. */
  readonly nowMs: () => number;
  readonly metrics: Metrics;
  /** Limit from the beginning to the status of the answer. */
  readonly timeoutMs?: number;
  /** `http.proxy_resolves_names`: the proxy gets the name, and nothing here checks where that leads. */
  readonly proxyResolvesNames?: boolean;
  /** Default: that of the process. */
  readonly egress?: Egress;
  /** Default: the system's resolver. */
  readonly lookup?: typeof systemLookup;
}

export interface OutgoingMessage {
  readonly method: 'POST' | 'PUT';
  readonly url: string;
  readonly body: string;
  readonly contentType: string;
  /** Signs the message. */
  readonly hmacKey?: Secret | undefined;
  /** Sent as `Authorization: Bearer …`. */
  readonly bearer?: Secret | undefined;
  /** Used instead of the proxy of the environment. */
  readonly proxyUrl?: string | undefined;
  /** Stays the same if the message is sent again: `X-Autopilot-Delivery`. */
  readonly deliveryId: string;
  /** Refuses plain HTTP, except to this machine if that is allowed. */
  readonly confidential?: boolean | undefined;
}

const mostAnswerBytes = 16_384;
const restOfAnswerMs = 1_000;

export class HttpSender {
  readonly #options: Required<HttpSenderOptions>;

  constructor(options: HttpSenderOptions) {
    this.#options = {
      timeoutMs: 10_000,
      lookup: systemLookup,
      proxyResolvesNames: false,
      egress: options.egress ?? processEgress(),
      ...options,
    };
  }

  /**
   * Resolves when the receiver has answered with 2xx.
   * @throws AppError WEBHOOK_REFUSED (the address is not allowed), WEBHOOK_REJECTED (4xx, redirect), WEBHOOK_FAILED, PROXY_REFUSED,
   * PROXY_FAILED (try again)
   */
  async send(message: OutgoingMessage, signal: AbortSignal): Promise<{ readonly status: number }> {
    const url = this.checkUrl(message.url, message.confidential ?? false);
    return traced(spanOf(message.method, url), (span) => this.#send(url, message, { signal, span }));
  }

  async #send(
    url: URL,
    message: OutgoingMessage,
    { signal, span }: { readonly signal: AbortSignal; readonly span: SpanNotes },
  ): Promise<{ readonly status: number }> {
    const { metrics, timeoutMs } = this.#options;
    try {
      const { status, retryAfter } = await within({ ms: timeoutMs, what: url.hostname, signals: [signal] }, (end) =>
        this.#exchange(url, message, end),
      );
      span.set({ 'http.response.status_code': status });
      if (status < 200 || status > 299) throw refusedBy(url, status, retryAfterMs(retryAfter, this.#options.nowMs()));
      metrics.webhooks.inc({ outcome: 'delivered' });
      return { status };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const failure = error instanceof AppError ? error : failed(url, messageOf(error), error);
      metrics.webhooks.inc({ outcome: failure.disposition.kind === 'give-up' ? 'refused' : 'failed' });
      throw failure;
    }
  }

  /** The parsed address, if a message may be sent there, as far as can be checked without resolving it. @throws AppError WEBHOOK_REFUSED */
  checkUrl(text: string, confidential: boolean): URL {
    return webhookUrl(text, this.#options.addresses, confidential);
  }

  async #exchange(url: URL, message: OutgoingMessage, signal: AbortSignal): Promise<Answer> {
    const body = Buffer.from(message.body);
    const { proxy } =
      message.proxyUrl === undefined ? this.#options.egress.routeTo(url) : { proxy: ownProxy(message.proxyUrl) };
    const options: RequestOptions = {
      method: message.method,
      // No kept-alive connection, because the address is checked for every message.
      ...(proxy ? await this.#through(proxy, url, signal) : { agent: false, lookup: this.#lookup(url.hostname) }),
      signal,
      headers: {
        host: url.host,
        'content-type': message.contentType,
        'content-length': body.length,
        'user-agent': 'ivs-autopilot',
        'x-autopilot-delivery': message.deliveryId,
        ...traceHeaders(),
        ...(message.bearer ? { authorization: `Bearer ${message.bearer.reveal()}` } : {}),
        ...(message.hmacKey ? signatureHeaders(message.body, message.hmacKey, this.#options.nowMs()) : {}),
      },
    };
    return new Promise((resolve, reject) => {
      const answered = (response: IncomingMessage) => {
        // The status is the answer. The body is read for a moment, so that the receiver sees no broken connection.
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
        const close = () => response.destroy();
        const timer = setTimeout(close, restOfAnswerMs).unref();
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > mostAnswerBytes) close();
        });
        response.on('error', () => undefined);
        response.on('close', () => clearTimeout(timer));
      };
      const outgoing: ClientRequest =
        url.protocol === 'https:' ? httpsRequest(url, options, answered) : httpRequest(url, options, answered);
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  /** How a request goes through the proxy: to an address that was checked here, unless the proxy may resolve the name. */
  async #through(proxy: Proxy, url: URL, signal: AbortSignal): Promise<RequestOptions> {
    const { timeoutMs, proxyResolvesNames } = this.#options;
    const secure = url.protocol === 'https:';
    // Before the message's own time limit, which would not say that the proxy was the problem.
    const agent = new Tunnel(proxy, { secure, openWithinMs: 0.8 * timeoutMs, signal });
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isAddress(host)) return { agent, hostname: host };
    const hostname = proxyResolvesNames ? host : await this.#addressOf(url.hostname);
    return { agent, hostname, ...(secure ? { servername: host.replace(/\.$/, '') } : {}) };
  }

  #addressOf(hostname: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#lookup(hostname)(hostname, { all: false }, (error, address) =>
      error ? reject(error) : resolve(address as string),
    );
    return promise;
  }

  /** Resolves a name, and returns an address to connect to only if all of its addresses are allowed. */
  #lookup(hostname: string): LookupFunction {
    return (name, options, callback) => {
      this.#options.lookup(name, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
        if (error) return callback(error, [], 4);
        try {
          for (const { address } of addresses)
            assertReachable(hostname, forbiddenRange(address, this.#options.addresses));
        } catch (refusal) {
          return callback(refusal as Error, [], 4);
        }
        const [first] = addresses;
        if (!first) return callback(new Error(`${hostname} has no address`), [], 4);
        return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
      });
    };
  }
}

/** Without the path, which often contains a token. https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span */
function spanOf(method: string, { hostname, port, protocol }: URL): SpanOptions {
  return {
    name: method,
    kind: 'client',
    attributes: {
      'http.request.method': method,
      'server.address': hostname.replace(/^\[|\]$/g, ''),
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      'url.scheme': protocol.slice(0, -1),
    },
  };
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/** A proxy that the configuration names. */
function ownProxy(text: string): Proxy {
  const url = URL.parse(text);
  if (!url) throw new AppError('WEBHOOK_REFUSED', 'http_config.proxy_url is not the address of a proxy');
  return { url, variable: 'http_config.proxy_url' };
}

/** The longest wait that is accepted from a receiver. */
const mostRetryAfterMs = 3_600_000;

/** Seconds, or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterMs(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text.trim()) ? 1_000 * Number(text) : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(mostRetryAfterMs, Math.max(1_000, ms)) : undefined;
}

function refusedBy(url: URL, status: number, retryMs: number | undefined): AppError {
  if (status >= 300 && status < 400)
    return new AppError(
      'WEBHOOK_REJECTED',
      `${url.hostname} answered with a redirect (${status}), which is not followed`,
    );
  const passing = status >= 500 || status === 408 || status === 425 || status === 429 || status === 0;
  if (passing)
    return failed(url, `status ${status}`, undefined, retryMs === undefined ? {} : { retryAfterMs: retryMs });
  return new AppError('WEBHOOK_REJECTED', `${url.hostname} refused the message with status ${status}`, {
    details: { status },
  });
}

function failed(url: URL, text: string, cause?: unknown, details: Readonly<Record<string, unknown>> = {}): AppError {
  return new AppError('WEBHOOK_FAILED', `${url.hostname} did not accept the message: ${text}`, { cause, details });
}
