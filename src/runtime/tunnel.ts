// Connections through a proxy. It is asked (CONNECT) for a tunnel to the host, and TLS runs through the tunnel, so that the proxy sees no
// more than the host's name or address. Plain HTTP uses CONNECT too. https://www.rfc-editor.org/rfc/rfc9110#name-connect
import type { AgentOptions, ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { AppError, messageOf } from '#domain/errors.ts';
import { AbortError, TimeoutError, within } from './deadline.ts';
import { type Proxy, shownProxy } from './egress.ts';

export interface TunnelOptions extends AgentOptions {
  /** Whether TLS is used with the host. */
  readonly secure: boolean;
  /** How long the proxy may take to open the tunnel. */
  readonly openWithinMs: number;
  /** Ends the CONNECT request. */
  readonly signal?: AbortSignal | undefined;
}

type ConnectOptions = Parameters<HttpsProxyAgent<string>['connect']>[1];

/**
 * An agent whose connections go through a proxy. A request fails with AppError PROXY_REFUSED or PROXY_FAILED if no tunnel is opened;
 * then nothing of the request was sent.
 */
export class Tunnel extends HttpsProxyAgent<string> {
  readonly #proxy: Proxy;
  readonly #options: TunnelOptions;
  readonly #end = new AbortController();

  constructor(proxy: Proxy, options: TunnelOptions) {
    const { secure: _, openWithinMs: __, signal: ___, ...agent } = options;
    super(proxy.url, agent);
    this.#proxy = proxy;
    this.#options = options;
  }

  override isSecureEndpoint(): boolean {
    return this.#options.secure;
  }

  /** Called for each connection. The library has no timeout for CONNECT, and does not tell a proxy's refusal from the host's own answer. */
  override async connect(request: ClientRequest, options: ConnectOptions): Promise<Socket> {
    const { openWithinMs: ms, signal } = this.#options;
    const host = options.host ?? '';
    const bound = { ms, what: shownProxy(this.#proxy), signals: [signal, this.#end.signal] };
    try {
      return await within(bound, async (end) => {
        const asking = new HttpsProxyAgent(this.proxy, { keepAlive: this.keepAlive, signal: end });
        let status = 0;
        asking.once('proxyConnect', ({ statusCode }: { statusCode: number }) => (status = statusCode));
        const socket = await asking.connect(request, {
          ...options,
          // For an address there is no server name, and the library leaves the address out.
          checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
            checkServerIdentity(('servername' in options && options.servername) || host, certificate),
        } as ConnectOptions);
        if (status === 200) return socket;
        socket.destroy();
        throw refusedBy(this.#proxy, host, status);
      });
    } catch (error) {
      if (error instanceof AppError || error instanceof AbortError) throw error;
      throw failed(
        this.#proxy,
        host,
        error instanceof TimeoutError ? `no answer within ${ms} ms` : messageOf(error),
        error,
      );
    }
  }

  override destroy(): void {
    this.#end.abort();
    super.destroy();
  }
}

function refusedBy(proxy: Proxy, host: string, status: number): AppError {
  if (status >= 500 || status === 0) return failed(proxy, host, `status ${status}`);
  const why =
    status === 407
      ? `wants other credentials than ${proxy.variable} has (407)`
      : `refuses connections to it with status ${status}`;
  return new AppError('PROXY_REFUSED', `${host}: the proxy ${shownProxy(proxy)} ${why}`, { details: { status } });
}

function failed(proxy: Proxy, host: string, text: string, cause?: unknown): AppError {
  return new AppError('PROXY_FAILED', `${host}: the proxy ${shownProxy(proxy)} opened no connection to it: ${text}`, {
    cause,
  });
}
