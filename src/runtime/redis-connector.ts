// How a connection gets its socket: it asks the site for the server's address, each time again, and connects to it. ioredis limits the
// handshake (connectTimeout), and redis-silence.ts every answer.
import { createConnection, Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import type { RedisCredentials, RedisTls } from './redis-access.ts';
import { type Endpoint, type RedisSite, unreached } from './redis-site.ts';

/** A node whose host is gone does not even refuse: the other nodes are asked soon. */
const connectWithinMs = 3_000;

/**
 * The class of connectors that ioredis instantiates.
 * @param authenticate gets the credentials for the connection that is being made.
 */
export function connectorOf(site: RedisSite, authenticate: (credentials: RedisCredentials) => void) {
  return class SiteConnector extends AbstractConnector {
    constructor(options: unknown) {
      super((options as { disconnectTimeout: number }).disconnectTimeout);
    }

    /** Never rejects: a destroyed socket makes ioredis continue with pauses, as after any lost connection. */
    override async connect(): Promise<Socket | TLSSocket> {
      this.connecting = true;
      delete this.firstError;
      try {
        const endpoint = await site.locate();
        const [credentials, tls] = await Promise.all([site.credentials(), site.tls(endpoint)]);
        if (!this.connecting) return destroyed();
        authenticate(credentials);
        this.stream = open(endpoint, tls);
        this.stream.once('error', (error) => (this.firstError ??= error));
        if (site.moves) await this.#connected(endpoint);
        return this.stream;
      } catch (error) {
        this.firstError = error as Error;
        return destroyed();
      }
    }

    /** @throws RedisSiteError, which says what the server was expected to be */
    async #connected(endpoint: Endpoint): Promise<void> {
      const { stream } = this;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      stream.once(site.address.tls ? 'secureConnect' : 'connect', () => resolve());
      stream.once('error', reject);
      stream.once('close', () => reject(new Error('the connection was closed')));
      const timer = setTimeout(() => reject(new Error(`no answer within ${connectWithinMs} ms`)), connectWithinMs);
      try {
        await promise;
      } catch (error) {
        stream.destroy();
        site.missed();
        throw unreached(site, endpoint, error);
      } finally {
        clearTimeout(timer);
      }
    }
  };
}

function open({ host, port }: Endpoint, tls: RedisTls | undefined): Socket | TLSSocket {
  return tls === undefined ? createConnection({ host, port }) : connectTls({ host, port, ...tls });
}

function destroyed(): Socket {
  return new Socket().destroy();
}
