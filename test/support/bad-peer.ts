// A peer that keeps its connections open but does not answer properly: it drips, is silent, or never ends. Without a target it is an HTTP
// server; with a target (a Redis, say) it passes bytes on until it is told to misbehave. Loopback, a free port.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * - `pass`: bytes from and to the target, unchanged; without a target a 200 with `{}`.
 * - `silent`: accepts everything and never answers.
 * - `drip`: passes the target's bytes on, one each `dripEveryMs`; for an HTTP answer only the body.
 * - `drip-headers`: a status line, and then endless headers, one byte each `dripEveryMs`.
 * - `hang-after-headers`: 200, a length, and nothing more.
 * - `endless`: 200 and an endless body, as fast as it is read.
 * - `half-open`: closes its own side, and accepts everything.
 */
export type Manner = 'pass' | 'silent' | 'drip' | 'drip-headers' | 'hang-after-headers' | 'endless' | 'half-open';

export interface BadPeer extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Requests, or chunks of bytes, that came so far. */
  readonly received: number;
  /** Connections that are open. */
  readonly open: number;
  /** How it misbehaves from now on, also on open connections. */
  behave(manner: Manner): void;
}

export interface BadPeerOptions {
  readonly manner?: Manner;
  readonly target?: { readonly host: string; readonly port: number };
  readonly dripEveryMs?: number;
}

/** Starts one; use with `await using`. */
export async function badPeer({
  manner: first = 'pass',
  target,
  dripEveryMs = 50,
}: BadPeerOptions = {}): Promise<BadPeer> {
  let manner = first;
  let received = 0;
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    keep(socket);
    const upstream = target && connect(target.port, target.host);
    if (upstream) {
      keep(upstream);
      upstream.on('data', (chunk: Buffer) => {
        if (manner === 'pass') socket.write(chunk);
        if (manner === 'drip') drip(socket, chunk);
      });
      upstream.on('close', () => socket.destroy());
      socket.on('close', () => upstream.destroy());
    }
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      received += 1;
      if (upstream) {
        if (manner !== 'silent') upstream.write(chunk);
      } else answer(socket);
    });
    if (manner === 'half-open') socket.end();
  });

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  }

  /** One byte at a time; if `endless`, starts again when everything was sent. */
  function drip(socket: Socket, bytes: Buffer, endless = false): void {
    let at = 0;
    const timer = setInterval(() => {
      if (socket.destroyed || (at >= bytes.length && !endless)) {
        clearInterval(timer);
        timers.delete(timer);
        return;
      }
      socket.write(bytes.subarray(at % bytes.length, (at % bytes.length) + 1));
      at += 1;
    }, dripEveryMs);
    timers.add(timer);
  }

  function flood(socket: Socket, bytes: Buffer): void {
    if (socket.destroyed) return;
    if (socket.write(bytes)) setImmediate(() => flood(socket, bytes));
    else socket.once('drain', () => flood(socket, bytes));
  }

  function answer(socket: Socket): void {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
    const large = `${head}content-length: 1000000\r\n\r\n`;
    switch (manner) {
      case 'pass':
        socket.write(`${head}content-length: 2\r\n\r\n{}`);
        return;
      case 'drip':
        socket.write(large);
        drip(socket, Buffer.from(' '), true);
        return;
      case 'drip-headers':
        socket.write(head);
        drip(socket, Buffer.from('x-more: 1\r\n'), true);
        return;
      case 'hang-after-headers':
        socket.write(large);
        return;
      case 'endless':
        socket.write(`${head}transfer-encoding: chunked\r\n\r\n`);
        flood(socket, Buffer.from(`8000\r\n${' '.repeat(0x8000)}\r\n`));
        return;
      case 'silent':
      case 'half-open':
        return;
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get received() {
      return received;
    },
    get open() {
      return sockets.size;
    },
    behave(next) {
      manner = next;
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
