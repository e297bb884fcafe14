// A reverse proxy that serves a daemon below a path, as nginx does with
// `location /ops/autopilot/ { proxy_pass …/; proxy_set_header X-Forwarded-Prefix /ops/autopilot; }`.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PathProxy extends AsyncDisposable {
  /** Where the daemon is reached, with no slash at the end. */
  readonly url: string;
  /** Requested paths that are not below the prefix. */
  readonly strays: string[];
  /** Sends a request as the proxy does, with these headers instead of its own. */
  ask(
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ status: number; headers: Headers; text: string }>;
}

/** A whole answer. */
async function read(given: IncomingMessage): Promise<{ status: number; headers: Headers; text: string }> {
  let text = '';
  for await (const part of given.setEncoding('utf8')) text += part;
  const entries = Object.entries(given.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return { status: given.statusCode!, headers: new Headers(entries), text };
}

/** @param from the loopback address that the proxy's connections to the daemon come from */
export async function startPathProxy(
  target: string,
  { prefix, from }: { readonly prefix: string; readonly from: string },
): Promise<PathProxy> {
  const strays: string[] = [];
  const send = (path: string, method: string, headers: IncomingHttpHeaders) =>
    request(target + path, { method, headers, localAddress: from, agent: false });
  const server = createServer((incoming, answer) => {
    const { url = '/', method = 'GET', headers } = incoming;
    const path = url === prefix ? '/' : url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : undefined;
    if (path === undefined) {
      // A browser requests this by itself.
      if (url !== '/favicon.ico') strays.push(url);
      answer.writeHead(404).end();
      return;
    }
    const onward = send(path, method, { ...headers, 'x-forwarded-prefix': prefix });
    onward.on('response', (given) => {
      answer.writeHead(given.statusCode!, given.headers);
      given.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    strays,
    ask: (path, headers) =>
      new Promise((resolve, reject) => {
        const asked = send(path, 'GET', { 'x-forwarded-prefix': prefix, ...headers });
        asked.on('error', reject);
        asked.on('response', (given) => void read(given).then(resolve, reject));
        asked.end();
      }),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
