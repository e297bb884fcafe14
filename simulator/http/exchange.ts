// One request and its answer, reduced to what the protocols need. Bodies are limited; a broken connection is not an error.

import type { IncomingMessage, ServerResponse } from 'node:http';

/** An answer in protocol terms. An undefined body means none, without content headers. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface Exchange {
  readonly method: string;
  /** The raw path, still percent-encoded: an ARN in it contains an encoded slash. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Sends the answer. */
  readonly answer: (answer: Answer) => void;
  /** Sends the status and headers of an answer whose body is to follow in pieces. */
  readonly begin: (answer: Answer) => void;
  /** Sends a piece of the body; the last one ends the answer. False when the caller has gone. */
  readonly piece: (bytes: Uint8Array, last: boolean) => boolean;
  /** Cuts the connection without an answer. */
  readonly cut: () => void;
}

/** Reads a whole request; undefined if it is longer than `limit` bytes or was cut off. */
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
  const begin = ({ status, headers, body }: Answer): boolean => {
    if (response.headersSent || response.destroyed) return false;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    response.writeHead(status, { ...headers, ...length });
    return true;
  };
  return {
    method: request.method ?? 'GET',
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? '' : target.slice(mark + 1),
    headers: request.headers,
    body,
    answer: (answer) => {
      if (begin(answer)) response.end(answer.body);
    },
    begin: (answer) => {
      if (begin(answer)) response.flushHeaders();
    },
    piece: (bytes, last) => {
      if (response.destroyed) return false;
      if (last) response.end(bytes);
      else response.write(bytes);
      return true;
    },
    cut: () => request.socket.destroy(),
  };
}
