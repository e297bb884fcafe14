import { EventEmitter, getEventListeners } from 'node:events';
import type { FastifyReply } from 'fastify';
import { afterEach, expect, test, vi } from 'vitest';
import { EventStreams } from './event-streams.ts';

afterEach(() => {
  vi.useRealTimers();
});

function replyTo(caller: object) {
  const raw = Object.assign(new EventEmitter(), {
    writableLength: 0,
    writableNeedDrain: true,
    writableEnded: false,
    writeHead: () => undefined,
    setHeader: () => undefined,
    write: () => false,
    end: () => undefined,
    destroy: () => undefined,
  });
  const reply = { raw, request: { caller }, hijack: () => undefined, getHeaders: () => ({}) };
  return { raw, reply: reply as unknown as FastifyReply };
}

test('ends the stream of a person whom a proxy signed in after a while, so that the proxy is asked again; a token’s stream stays open', () => {
  vi.useFakeTimers();
  const streams = new EventStreams();
  const [mara, token] = [{ name: 'mara', proxied: true }, { name: 'mara' }].map((caller) =>
    streams.open(replyTo(caller).reply),
  );
  vi.advanceTimersByTime(14 * 60_000);
  expect([mara!.signal.aborted, token!.signal.aborted]).toEqual([false, false]);
  vi.advanceTimersByTime(2 * 60_000);
  expect([mara!.signal.aborted, token!.signal.aborted]).toEqual([true, false]);
  // The ended stream leaves no timer behind.
  token!.close();
  expect(vi.getTimerCount()).toBe(0);
});

test('waiting for a slow reader repeatedly leaves no listeners behind', async () => {
  const { raw, reply } = replyTo({ name: 'mara' });
  const streams = new EventStreams();
  const stream = streams.open(reply);
  for (let wait = 0; wait < 20; wait += 1) {
    const drained = stream.drained();
    raw.emit('drain');
    await drained;
  }
  expect(getEventListeners(stream.signal, 'abort')).toHaveLength(0);

  const last = stream.drained();
  streams.closeAll();
  await last;
  expect(raw.listenerCount('drain')).toBe(0);
});
