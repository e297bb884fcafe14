// A proxy that opens tunnels (CONNECT) and records what was requested. Loopback, a free port. It connects to what `hosts` says, so that a
// test can use real-world names and addresses without leaving the machine.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ServerCertificate } from './certificates.ts';

export interface ConnectProxyOptions {
  /** The requested `host:port` → the port on loopback where it leads; others get 502. */
  readonly hosts: (asked: string) => number | undefined;
  /** The required `user:password`. */
  readonly credentials?: string;
  /** Done instead of opening a tunnel. */
  readonly status?: number;
  /** Uses TLS itself. */
  readonly tls?: ServerCertificate;
}

export interface ConnectProxy extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** What was requested, in order. */
  readonly asked: readonly string[];
  /** Tunnels that are open. */
  readonly open: number;
}

/** Starts one; use with `await using`. */
export async function connectProxy({ hosts, credentials, status, tls }: ConnectProxyOptions): Promise<ConnectProxy> {
  const asked: string[] = [];
  const sockets = new Set<Duplex>();
  const keep = (socket: Duplex) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const wanted = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
  const server = tls ? createTlsServer(tls) : createServer();
  server.on('connection', (socket: Socket) => keep(socket));
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    const place = request.url ?? '';
    asked.push(place);
    keep(socket);
    const refuse = (code: number) => socket.end(`HTTP/1.1 ${code} No\r\ncontent-length: 2\r\n\r\nno`);
    if (wanted && request.headers['proxy-authorization'] !== wanted) return refuse(407);
    if (status !== undefined) return refuse(status);
    const port = hosts(place);
    if (port === undefined) return refuse(502);
    const target = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    keep(target);
    socket.on('close', () => target.destroy());
    target.on('close', () => socket.destroy());
    return undefined;
  });
  // We use only CONNECT.
  server.on('request', (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(501).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    asked,
    get open() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
