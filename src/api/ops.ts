// For machines that watch the daemon: liveness, readiness, metrics. They need no token, because they reveal no content.
import type { FastifyPluginAsync } from 'fastify';
import { messageOf } from '#domain/errors.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { SharedRun } from '#runtime/shared-run.ts';

/** Paths that are answered under any load. */
export const probePaths: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Resolves if the part can do its work, perhaps with a remark (what is missing while it still can); rejects with the reason
 * if it cannot.
 */
export type ReadinessCheck = (signal: AbortSignal) => Promise<string | void>;

export interface OpsOptions {
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly metrics: Metrics;
  /** Why the daemon takes no more work, once it stops. */
  readonly stopping: () => string | undefined;
}

const checkBoundMs = 2000;

/** `GET /healthz`, `GET /readyz`, `GET /metrics`. */
export function opsRoutes({ checks, metrics, stopping }: OpsOptions): FastifyPluginAsync {
  return async (app) => {
    app.addHook('onRoute', (route) => void (route.schema = { ...route.schema, hide: true }));
    app.get('/healthz', async () => ({ alive: true }));
    // Nobody is refused here, so requests at the same time share one check and one text.
    const checked = new SharedRun(() =>
      Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await outcome(check)] as const)),
    );
    const written = new SharedRun(() => metrics.registry.metrics());
    app.get('/readyz', async (_request, reply) => {
      const results = await checked.ask();
      const reason = stopping();
      const ready = reason === undefined && results.every(([, { works }]) => works);
      return reply
        .code(ready ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({
          ready,
          ...(reason === undefined ? {} : { stopping: reason }),
          checks: Object.fromEntries(results.map(([name, { text }]) => [name, text])),
        });
    });
    app.get('/metrics', async (_request, reply) => reply.type(metrics.registry.contentType).send(await written.ask()));
  };
}

interface Outcome {
  readonly works: boolean;
  readonly text: string;
}

async function outcome(check: ReadinessCheck): Promise<Outcome> {
  const bound = AbortSignal.timeout(checkBoundMs);
  const late = new Promise<Outcome>((resolve) => {
    bound.addEventListener('abort', () => resolve({ works: false, text: `no answer within ${checkBoundMs} ms` }), {
      once: true,
    });
  });
  const result = Promise.resolve()
    .then(() => check(bound))
    .then(
      (remark) => ({ works: true, text: remark === undefined ? 'ok' : `ok, but ${remark}` }),
      (error: unknown) => ({ works: false, text: messageOf(error) }),
    );
  return Promise.race([result, late]);
}
