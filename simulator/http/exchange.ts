// One request and its answer, reduced to what the protocols need. Bodies are bounded; a broken connection is no error.

import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Exchange {
  readonly method: string;
  /** The raw path, still percent-encoded: an ARN in it contains an encoded slash. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Sends the answer. An undefined body sends none, and no content headers. */
  readonly answer: (status: number, headers: Readonly<Record<string, string>>, body?: string) => void;
  /** Cuts the connection without an answer. */
  readonly cut: () => void;
}

/** Reads a request whole; undefined when it is longer than `limit` bytes or broke off. */
export function readBody(request: IncomingMessage, limit: number): Promise<string | 'too-large' | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else resolve('too-large');
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]!.toString() : Buffer.concat(chunks).toString()));
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });
}

/** Pairs a request with its response. */
export function exchange(request: IncomingMessage, response: ServerResponse, body: string): Exchange {
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? '' : target.slice(mark + 1),
    headers: request.headers,
    body,
    answer: (status, headers, text) => {
      if (response.writableEnded || response.destroyed) return;
      if (text === undefined) response.writeHead(status, headers).end();
      else response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(text)) }).end(text);
    },
    cut: () => request.socket.destroy(),
  };
}
