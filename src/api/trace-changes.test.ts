import { request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { expect, test } from 'vitest';
import { type SpanAttributes, type SpanStart, useTracer } from '#runtime/tracing.ts';
import { traceChanges } from './trace-changes.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('the span of a request ends with its response, or when the client disconnects', async () => {
  const ends: object[] = [];
  const ended = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  using _tracer = useTracer({
    propagates: true,
    root: () => traceparent,
    start({ name }: SpanStart) {
      let known: SpanAttributes = {};
      return {
        traceparent,
        set: (more) => {
          known = { ...known, ...more };
        },
        end: (_, failedWith) => {
          ends.push({ name, status: known['http.response.status_code'], failedWith });
          ended[ends.length - 1]!.resolve();
        },
      };
    },
  });
  const held = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const app = fastify();
  traceChanges(app);
  app.post('/now', async () => ({}));
  app.post('/failing', async () => Promise.reject(new Error('of no interest')));
  app.post('/held', async () => {
    reached.resolve();
    await held.promise;
    return {};
  });
  app.get('/read', async () => ({}));
  await app.listen({ host: '127.0.0.1', port: 0 });
  try {
    const { port } = app.server.address() as AddressInfo;
    const headers = { 'content-type': 'application/json' };
    for (const [place, path] of ['/now', '/failing'].entries()) {
      await (await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body: '{}' })).text();
      await ended[place]!.promise;
    }
    await (await fetch(`http://127.0.0.1:${port}/read`)).text();
    const impatient = ask({ host: '127.0.0.1', port, method: 'POST', path: '/held', headers }).on(
      'error',
      () => undefined,
    );
    impatient.end('{}');
    await reached.promise;
    impatient.destroy();
    await ended[2]!.promise;

    expect(ends).toEqual([
      { name: 'POST /now', status: 200, failedWith: undefined },
      { name: 'POST /failing', status: 500, failedWith: '500' },
      { name: 'POST /held', status: undefined, failedWith: 'aborted' },
    ]);
  } finally {
    held.resolve();
    await app.close();
  }
});
