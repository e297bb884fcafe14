// Commands against a server that answers as the daemon does, with what a test makes up.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { commandLine, type Ran } from './command-line.ts';

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  /** Parsed; undefined: the request had none. */
  readonly body: any;
}

/** Runs one command; `answer` returns the body of each response, and its status (default: 200). */
export async function runAgainstStub(
  args: readonly string[],
  answer: (asked: Asked) => { readonly status?: number; readonly body: object },
): Promise<Ran & { readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => void (text += part));
    request.on('end', () => {
      const now = { method: request.method!, url: request.url!, body: text === '' ? undefined : JSON.parse(text) };
      asked.push(now);
      const { status = 200, body } = answer(now);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { ...(await commandLine(args, { env: { AUTOPILOT_URL: url } })), asked };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
