// Spans of requests that change something.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { placeOf } from '#domain/trace.ts';
import { below, openSpan } from '#runtime/tracing.ts';
import { reads } from './admission.ts';

/**
 * A span for each request that changes something, from its admission to its response, or until the client disconnects; it is a child of
 * the caller's span, if there is one. https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
 */
export function traceChanges(scope: FastifyInstance): void {
  // Not earlier: the parser of the body runs outside of the request's context.
  scope.addHook('preHandler', (request, { raw }, done) => {
    const route = request.routeOptions.url ?? 'none';
    const span = reads(request)
      ? undefined
      : openSpan(
          {
            name: `${request.method} ${route}`,
            kind: 'server',
            attributes: { 'http.request.method': request.method, 'http.route': route },
          },
          traceparentIn(request.headers),
        );
    if (!span) return done();
    // Not Fastify's onResponse, which is not called when the client no longer waits for the response.
    raw.once('close', () => {
      if (!raw.headersSent) return span.end(Date.now(), 'aborted');
      span.set({ 'http.response.status_code': raw.statusCode });
      span.end(Date.now(), raw.statusCode >= 500 ? String(raw.statusCode) : undefined);
    });
    below(span.traceparent, done);
  });
}

function traceparentIn({ traceparent }: FastifyRequest['headers']): string | undefined {
  return typeof traceparent === 'string' && placeOf(traceparent) ? traceparent : undefined;
}
