// The open connections of the server. A new connection always finds room: the one that has been without a request for longest is closed for
// it. A few places above the limit are only for probes, so that they are answered under any load.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Metrics } from '#runtime/metrics.ts';
import { clientKey } from './client-address.ts';

export interface ConnectionLimits {
  /** `http.max_connections` */
  readonly max: number;
  /** `http.max_half_open`: connections that have not sent the head of their first request. */
  readonly maxHalfOpen: number;
}

type Socket = IncomingMessage['socket'];

/** Places above `max`, for probes only. */
const probePlaces = 64;

interface Connection {
  readonly address: string;
  /** Requests without an answer so far. */
  asked: number;
  /** No complete request has arrived yet, neither head nor body. */
  halfOpen: boolean;
  /** Above the limit. */
  readonly spare: boolean;
}

/** Counts and limits the connections of one server. */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #metrics: Pick<Metrics, 'httpConnections' | 'httpConnectionsClosed'>;
  /** In the order of their last activity. */
  readonly #open = new Map<Socket, Connection>();
  #halfOpen = 0;
  /** How many of these each address has. */
  readonly #halfOpenOf = new Map<string, number>();

  constructor(limits: ConnectionLimits, metrics: Pick<Metrics, 'httpConnections' | 'httpConnectionsClosed'>) {
    this.#limits = limits;
    this.#metrics = metrics;
  }

  /** Watches a server; call it before the server listens. */
  attach(server: Server): void {
    server.on('connection', (socket) => this.#opened(socket));
    server.prependListener('request', (request, response) => this.#asked(request, response));
  }

  /** Whether the connection of this request has one of the places for probes. */
  isSpare({ socket }: Pick<IncomingMessage, 'socket'>): boolean {
    return this.#open.get(socket)?.spare === true;
  }

  #opened(socket: Socket): void {
    const { max, maxHalfOpen } = this.#limits;
    if (this.#halfOpen >= maxHalfOpen) {
      // The address with the most of them gives one up, so that others have time to send their request.
      const [busiest] = [...this.#halfOpenOf].reduce((most, next) => (next[1] > most[1] ? next : most));
      this.#evict('half_open', ({ halfOpen, address }) => halfOpen && address === busiest);
    }
    if (this.#open.size >= max) this.#evict('idle', ({ asked }) => asked === 0);
    if (this.#open.size >= max + probePlaces) {
      this.#metrics.httpConnectionsClosed.inc({ reason: 'full' });
      socket.destroy();
      return;
    }
    const address = clientKey(socket.remoteAddress ?? '');
    const connection = { address, asked: 0, halfOpen: false, spare: this.#open.size >= max };
    this.#open.set(socket, connection);
    this.#setHalfOpen(connection, true);
    this.#metrics.httpConnections.set(this.#open.size);
    socket.once('close', () => this.#forget(socket));
  }

  #asked(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#open.get(socket);
    if (!connection) return;
    connection.asked += 1;
    this.#setHalfOpen(connection, false);
    response.once('close', () => {
      connection.asked -= 1;
      if (!this.#open.has(socket)) return;
      // Answered before its body was complete: a client that never sends the rest keeps the connection no longer than one that sent
      // nothing.
      if (!request.complete) this.#setHalfOpen(connection, true);
      this.#open.delete(socket);
      this.#open.set(socket, connection);
    });
  }

  /** Closes the connection that has waited longest among these. */
  #evict(reason: 'half_open' | 'idle', among: (connection: Connection) => boolean): void {
    for (const [socket, connection] of this.#open) {
      if (!among(connection)) continue;
      this.#metrics.httpConnectionsClosed.inc({ reason });
      this.#forget(socket);
      socket.destroy();
      return;
    }
  }

  #forget(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (!connection) return;
    this.#setHalfOpen(connection, false);
    this.#open.delete(socket);
    this.#metrics.httpConnections.set(this.#open.size);
  }

  #setHalfOpen(connection: Connection, halfOpen: boolean): void {
    if (connection.halfOpen === halfOpen) return;
    const { address } = connection;
    const change = halfOpen ? 1 : -1;
    connection.halfOpen = halfOpen;
    this.#halfOpen += change;
    const count = (this.#halfOpenOf.get(address) ?? 0) + change;
    if (count > 0) this.#halfOpenOf.set(address, count);
    else this.#halfOpenOf.delete(address);
  }
}
