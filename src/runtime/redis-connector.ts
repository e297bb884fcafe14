// How a connection gets its socket: it asks the site where the server is, each time anew, and connects to it. ioredis bounds its
// handshake (connectTimeout), and redis-silence.ts every answer.
import { createConnection, Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import type { RedisCredentials, RedisTls } from './redis-access.ts';
import { type Endpoint, type RedisSite, unreached } from './redis-site.ts';

/** A node that is gone with its host does not even refuse: the others are asked again soon. */
const connectWithinMs = 3_000;

/**
 * The class of connectors that ioredis makes for itself.
 * @param authenticate is told what the connection that is being made is to show.
 */
export function connectorOf(site: RedisSite, authenticate: (credentials: RedisCredentials) => void) {
  return class SiteConnector extends AbstractConnector {
    constructor(options: unknown) {
      super((options as { disconnectTimeout: number }).disconnectTimeout);
    }

    /** Never rejects: a socket that is destroyed already lets ioredis go on as after any lost connection, with pauses. */
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

    /** @throws RedisSiteError, which says what the server was to be */
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
