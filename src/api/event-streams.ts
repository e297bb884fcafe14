// Server-sent events: open streams, so that a stop can end them at once. https://html.spec.whatwg.org/multipage/server-sent-events.html
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { AppError } from '#domain/errors.ts';
import { type Caller, callerKey, callerName } from './auth.ts';

const heartbeatMs = 15_000;
/**
 * A reader is cut off when this much is buffered for it. A sender of large amounts watches `backlog`, so that a slow link is not cut off.
 */
const mostBufferedBytes = 1_048_576;
/** A reader that takes no data for this many heartbeats is gone, whatever its connection says. */
const mostSilentBeats = 4;
/** Most streams that one token or person may have open: each costs memory, and most of them repeated reads of Redis. */
const mostOpenPerCaller = 100;
const retryAfterMs = 5000;
/** A proxy signs people in for each request. Only a new request for the stream shows that somebody was signed out, or has another role. */
const proxiedMs = 15 * 60_000;

/** The response of a route that opens a stream, for the API document. @param events the names of its events, and what they carry. */
export function eventStreamAnswer(events: string): object {
  return { description: events, content: { 'text/event-stream': { schema: z.string() } } };
}

/** One open stream to one client. */
export interface EventStream {
  /** Aborted when the client is gone or the server stops. */
  readonly signal: AbortSignal;
  /** Bytes that were written and have not left yet. */
  readonly backlog: number;
  /** Resolves when nothing is buffered any longer, or the stream is over. */
  drained(): Promise<void>;
  /** Sends one event; `data` as JSON. Does nothing once the stream is over. */
  send(event: string, data: unknown, id?: string): void;
  close(): void;
}

/** All open streams of a server. */
export class EventStreams {
  /** With the caller who opened it. */
  readonly #open = new Map<EventStream, Caller>();
  readonly #scrub: (text: string) => string;
  #closed = false;

  /** @param scrub removes secrets from what is sent */
  constructor(scrub: (text: string) => string = (text) => text) {
    this.#scrub = scrub;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Takes over the reply and starts the stream; the handler returns `reply` afterwards.
   * @throws AppError TOO_MANY_STREAMS before anything is sent
   */
  open(reply: FastifyReply): EventStream {
    const { caller } = reply.request;
    const key = callerKey(caller);
    if (this.#openBy(key) >= mostOpenPerCaller)
      throw new AppError('TOO_MANY_STREAMS', `${callerName(caller)} has ${mostOpenPerCaller} event streams open`, {
        disposition: { kind: 'retry-after', delayMs: retryAfterMs },
      });
    const gone = new AbortController();
    const { raw } = reply;
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    raw.write('retry: 2000\n\n');
    let given = 0;
    let taken = 0;
    let silentBeats = 0;
    const write = (text: string) => {
      given += Buffer.byteLength(text);
      raw.write(text);
    };
    const heartbeat = setInterval(() => {
      const takenNow = given - raw.writableLength;
      silentBeats = raw.writableLength > 0 && takenNow <= taken ? silentBeats + 1 : 0;
      taken = takenNow;
      if (silentBeats >= mostSilentBeats) cut();
      else write(': still here\n\n');
    }, heartbeatMs);
    const askAgain = caller.proxied ? setTimeout(() => finish(), proxiedMs) : undefined;
    const finish = () => {
      clearInterval(heartbeat);
      clearTimeout(askAgain);
      this.#open.delete(stream);
      if (!gone.signal.aborted) gone.abort(new Error('the event stream is over'));
      if (!raw.writableEnded) raw.end();
    };
    const cut = () => {
      finish();
      raw.destroy();
    };
    const stream: EventStream = {
      signal: gone.signal,
      get backlog() {
        return raw.writableLength;
      },
      drained: () =>
        new Promise((done) => {
          if (gone.signal.aborted || !raw.writableNeedDrain) return done();
          const over = () => {
            raw.off('drain', over);
            gone.signal.removeEventListener('abort', over);
            done();
          };
          raw.once('drain', over);
          gone.signal.addEventListener('abort', over, { once: true });
        }),
      send: (event, data, id) => {
        if (gone.signal.aborted) return;
        write(
          `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${this.#scrub(JSON.stringify(data))}\n\n`,
        );
        if (raw.writableLength > mostBufferedBytes) cut();
      },
      close: finish,
    };
    raw.once('close', finish);
    raw.once('error', finish);
    this.#open.set(stream, caller);
    // A HEAD request has no body to wait for, and the next request on the connection would wait for this one to end.
    if (this.#closed || reply.request.method === 'HEAD') finish();
    return stream;
  }

  /** Ends every stream, including those that are opened later. */
  closeAll(): void {
    this.#closed = true;
    for (const stream of this.#open.keys()) stream.close();
  }

  /** Ends the streams of every caller whom `keeps` rejects. */
  closeUnless(keeps: (caller: Caller) => boolean): void {
    for (const [stream, caller] of this.#open) if (!keeps(caller)) stream.close();
  }

  #openBy(key: string): number {
    let count = 0;
    for (const opener of this.#open.values()) if (callerKey(opener) === key) count += 1;
    return count;
  }
}
