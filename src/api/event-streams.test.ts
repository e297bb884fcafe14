import { EventEmitter, getEventListeners } from 'node:events';
import type { FastifyReply } from 'fastify';
import { expect, test } from 'vitest';
import { EventStreams } from './event-streams.ts';

test('a slow reader that is waited for again and again leaves no listeners behind', async () => {
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
  const request = { caller: { name: 'mara' } };
  const reply = { raw, request, hijack: () => undefined, getHeaders: () => ({}) } as unknown as FastifyReply;
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
