// A stand-in for any AWS service that answers what a test tells it to.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LyingAws extends AsyncDisposable {
  readonly url: string;
  /** Sets the answer to an operation from now on, by its name; the body is text, or JSON of a value. */
  answer(operation: string, body: unknown, status?: number): void;
  /** Operations that were called, in their order. */
  readonly calls: { readonly operation: string; readonly input: Record<string, unknown> }[];
}

/** Starts it on a free port; an operation without a set answer gets 501. Use with `await using`. */
export async function lyingAws(): Promise<LyingAws> {
  const answers = new Map<string, { body: unknown; status: number }>();
  const calls: LyingAws['calls'] = [];
  const server = createServer((request, response) => void respond(request, response));
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const target = request.headers['x-amz-target'];
    const operation = typeof target === 'string' ? target.slice(target.lastIndexOf('.') + 1) : request.url!.slice(1);
    calls.push({ operation, input: JSON.parse(text || '{}') as Record<string, unknown> });
    const { body, status } = answers.get(operation) ?? { body: {}, status: 501 };
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: (operation, body, status = 200) => void answers.set(operation, { body, status }),
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
