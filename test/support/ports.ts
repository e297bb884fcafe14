// A port for a server that goes away and comes back, or that another process opens.
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Returns a port that nobody listens on, below those that systems use for outgoing connections (from 32768 on). So while its server is
 * away, no client that tries to reach it can get the port as its own and block the server's return.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    try {
      const listening = once(server, 'listening');
      server.listen(port, '127.0.0.1');
      await listening;
      server.close();
      await once(server, 'close');
      return port;
    } catch {
      // Somebody listens there.
    }
  }
}
