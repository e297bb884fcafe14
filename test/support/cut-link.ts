// A link that can be cut and repaired: what the page sees when the network, or the daemon, is away for a while.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CutLink extends AsyncDisposable {
  /** Where the server is reached through the link. */
  readonly url: string;
  /** Connections opened so far. */
  readonly opened: number;
  /** Breaks every connection; new ones are broken at once. */
  cut(): void;
  /** Lets connections through again, to another server if one is given. */
  mend(url?: string): void;
}

/** Makes a link to a server on loopback. */
export async function cutLink(to: string): Promise<CutLink> {
  let target: string | undefined = to;
  let last = to;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  let opened = 0;
  const server = createServer((near) => {
    opened += 1;
    keep(near);
    if (target === undefined) {
      near.destroy();
      return;
    }
    const { hostname, port } = new URL(target);
    const far = keep(connect(Number(port), hostname));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get opened() {
      return opened;
    },
    cut() {
      target = undefined;
      end();
    },
    mend(url = last) {
      last = url;
      target = url;
    },
    async [Symbol.asyncDispose]() {
      end();
      server.close();
      await once(server, 'close');
    },
  };
}
